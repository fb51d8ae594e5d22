"""`python -m local.collector`: OTLP over HTTP at /v1/..., what came at /telemetry/..."""

from __future__ import annotations

import argparse
import threading
from http.server import ThreadingHTTPServer

from local.collector.server import CollectorHandler, Received
from local.processes import end_with_parent, say_ready


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m local.collector", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    handler = type("BoundHandler", (CollectorHandler,), {"received": Received()})
    server = ThreadingHTTPServer(("127.0.0.1", options.port), handler)
    server.daemon_threads = True
    stop = threading.Event()
    end_with_parent(stop.set)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    say_ready(url=f"http://127.0.0.1:{server.server_port}")
    stop.wait()


if __name__ == "__main__":
    main()
