"""`python -m local.host`: one instance of the Functions host."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from werkzeug.serving import WSGIRequestHandler, make_server

from local.host import runtime
from local.host.configuration import SettingMissing, read_host_json, read_local_settings
from local.host.queues import QueueTrigger
from local.host.runtime import Function, IndexingFailed
from local.host.timers import TimerTrigger
from local.host.web import HttpTriggers, function_key
from local.processes import end_with_parent, say_ready

log = logging.getLogger("local.host")

STOP_SECONDS: Final = 5.0
"""How long all listeners together are waited for: where storage is gone, each is in the middle of a call to it."""


class _Quiet(WSGIRequestHandler):
    """Logs no request: paths name runs, queries may hold keys."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing."""


def main() -> int:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m local.host", description=__doc__)
    parser.add_argument("--app", type=Path, default=Path.cwd(), help="folder of function_app.py and host.json")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--name", default="instance-1", help="name in the log")
    options = parser.parse_args()
    _log_to_stderr(options.name)
    _skew_clock(float(os.environ.get("LOCAL_HOST_CLOCK_SKEW_SECONDS") or 0))
    app = options.app.resolve()
    read_local_settings(app)
    host = read_host_json(app)
    try:
        functions = runtime.load(app, threads=int(os.environ.get("PYTHON_THREADPOOL_THREAD_COUNT") or 40))
        listeners: list[QueueTrigger | TimerTrigger] = [
            *(
                QueueTrigger(function, host.queues, host.function_timeout)
                for function in _of(functions, "queueTrigger")
            ),
            *(TimerTrigger(function) for function in _of(functions, "timerTrigger")),
        ]
    except (IndexingFailed, SettingMissing) as error:
        log.error("the app cannot be loaded: %s", error)
        return 1
    log.info("functions: %s", ", ".join(sorted(function.name for function in functions)))
    web = HttpTriggers(_of(functions, "httpTrigger"), host.route_prefix, function_key())
    server = make_server("127.0.0.1", options.port, web, threaded=True, request_handler=_Quiet)
    stop = threading.Event()
    end_with_parent(stop.set)
    for listener in listeners:
        listener.start()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    say_ready(url=f"http://127.0.0.1:{server.server_port}/{host.route_prefix}".rstrip("/"))
    stop.wait()
    server.shutdown()
    server.server_close()
    for listener in listeners:
        listener.stop()
    deadline = time.monotonic() + STOP_SECONDS
    for listener in listeners:
        listener.close(deadline)
    return 0


def _skew_clock(seconds: float) -> None:
    """Have this instance's clock go wrong, as machines' clocks do: to be called before the app is loaded."""
    right = time.time
    time.time = lambda: right() + seconds


def _of(functions: Sequence[Function], kind: str) -> list[Function]:
    return [function for function in functions if function.trigger["type"] == kind]


def _log_to_stderr(name: str) -> None:
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format=f"%(asctime)s {name} %(levelname)s %(name)s: %(message)s"
    )
    for noisy in ("azure", "werkzeug", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


if __name__ == "__main__":
    sys.exit(main())
