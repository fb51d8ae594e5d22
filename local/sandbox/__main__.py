"""`python -m local.sandbox`: an Autopilot account to play with."""

from __future__ import annotations

import argparse
import asyncio
import json

from local.processes import end_with_parent, say_ready
from local.sandbox.knobs import Knobs
from local.sandbox.server import Sandbox
from local.sandbox.wire import serve


async def run(port: int, knobs: Knobs) -> None:
    """Serve until told to stop."""
    server = await serve(Sandbox(knobs), port)
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    end_with_parent(lambda: loop.call_soon_threadsafe(stop.set))
    say_ready(url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    async with server:
        await stop.wait()
        server.close_clients()  # a client that stays connected would be waited for


def main() -> None:
    """Read the options and serve."""
    parser = argparse.ArgumentParser(prog="python -m local.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--knobs", default="{}", help='as JSON, such as {"rate": 20, "bulk_lists": "honoured"}')
    options = parser.parse_args()
    asyncio.run(run(options.port, Knobs().turned(json.loads(options.knobs))))


if __name__ == "__main__":
    main()
