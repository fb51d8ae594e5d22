"""`make run`: start the local stack, say what runs where, and keep it up until Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Final

from rich.console import Console

from local.commands import only_one, run_command
from local.stack import Stack
from local.targets import TARGETS

STACK_FILE: Final = Path(".local/stack.json")
DIRECTORY: Final = Path(".local/stack")
LOCK: Final = Path(".local/stack.lock")
WATCH_SECONDS: Final = 1.0


def main() -> int:
    """Start the stack, say what runs where, and keep it up until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m local.run", description=__doc__)
    parser.add_argument("--instances", type=int, default=1, help="host processes on one storage")
    parser.add_argument("--telemetry", action="store_true", help="collect spans, metrics and logs, and show them")
    options = parser.parse_args()
    console = Console()
    with only_one(LOCK, "A local stack"):
        _keep_up(
            console,
            Stack(DIRECTORY, instances=options.instances, telemetry=options.telemetry, targets=tuple(TARGETS.values())),
        )
    console.print("Stopped.")
    return 0


def _keep_up(console: Console, made: Stack) -> None:
    """Start the stack and keep it up until a signal tells to stop."""
    stop = threading.Event()

    def end(_: int, __: FrameType | None) -> None:
        stop.set()

    with made as stack:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, end)
        write_stack_file(stack)
        try:
            _introduce(console, stack)
            while not stop.wait(WATCH_SECONDS):
                _revive(console, stack)
        finally:
            STACK_FILE.unlink(missing_ok=True)


def write_stack_file(stack: Stack) -> None:
    """Write `.local/stack.json`, for this user's eyes only: it holds the function key."""
    STACK_FILE.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        STACK_FILE.unlink()
    with os.fdopen(os.open(STACK_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(stack.describe(), file, indent=2)


def _introduce(console: Console, stack: Stack) -> None:
    console.print("[bold]The local stack is up.[/] Ctrl-C stops it.\n")
    console.print(f"  Console    {stack.console_url}  (key: function_key in {STACK_FILE})")
    console.print(f"  API        {stack.api_url}")
    for target in TARGETS.values():
        console.print(f"  {target.title:<9}  {stack.environment[target.setting].removesuffix('/v1')}")
    console.print(f"  Vault      {stack.vault_url}")
    console.print(f"  Source     {stack.source_path}")
    if stack.collector_url:
        console.print(f"  Telemetry  {stack.collector_url}/telemetry/spans, .../points, .../logs")
    console.print(f"  Addresses, keys and logs: {STACK_FILE}, .local/stack/logs/\n")
    console.print("Try, in another terminal:")
    console.print("  .venv/bin/python -m local.environment --rows 5000    a made-up Customer Insights environment")
    console.print("  .venv/bin/python -m cli segments                     what there is to export")


def _revive(console: Console, stack: Stack) -> None:
    for place, host in enumerate(stack.hosts):
        if not host.is_running:
            console.print(f"[yellow]{host.name} ended; starting it again.[/]")
            stack.restart_host(place)
            write_stack_file(stack)  # it may have had to take another port


if __name__ == "__main__":
    sys.exit(run_command(main))
