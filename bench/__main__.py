"""`python -m bench`: all parts side by side in one run, or some of them; writes docs/performance.md with --write."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Final

from rich.console import Console

from bench.report import Part, machine

PARTS: Final[Mapping[str, str]] = {
    "calls": "bench.calls",
    "pace": "bench.pace",
    "ceiling": "bench.ceiling",
    "planning": "bench.planning",
    "end_to_end": "bench.end_to_end",
    "peers": "bench.peers.part",
    "start_up": "bench.start_up",
    "scale": "bench.scale",
}
"""Modules by part; each has a `run` that measures and gives a Part."""

DOCUMENT: Final = Path("docs/performance.md")

_HEAD: Final = """# Performance

Written by `make bench`: every number was measured in this run, beside its rival in the same run. Ratios are what counts;
seconds are this machine's. `python -m bench --parts planning pace` measures some parts only.

Measured {machine}. Azurite, vault, Autopilot sandbox and Functions hosts share the machine's cores.
"""


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--write", action="store_true", help=f"write {DOCUMENT}")
    options = parser.parse_args()
    console = Console()
    parts: list[Part] = []
    for name in options.parts:
        measure: Callable[[], Part] = import_module(PARTS[name]).run
        parts.append(measure())
        parts[-1].show(console)
        if options.write:  # after each part, so that a run that is cut short keeps what it measured
            text = _HEAD.format(machine=machine())
            DOCUMENT.write_text("\n".join([text, *(part.as_markdown() for part in parts)]))
    if options.write:
        console.print(f"\nWrote {DOCUMENT}.")


if __name__ == "__main__":
    main()
