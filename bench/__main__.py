"""`python -m bench`: all parts side by side in one run, or some of them; writes docs/performance.md with --write."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
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
"""Modules by part; each has a `run` that measures and returns a Part."""

DOCUMENT: Final = Path("docs/performance.md")

_HEAD: Final = """# Performance

Written by `make bench`: every number was measured beside its rival in the same run of its part. Ratios are what counts;
seconds are the machine's, whose cores Azurite, vault, Autopilot sandbox and Functions hosts share.
`make bench PARTS="planning pace"` measures some parts anew and leaves the others as they are.
"""


def with_part(document: str, part: Part, measured: str) -> str:
    """Return the document with a part's section as it was measured now, in place of the one before."""
    sections = dict(_sections(document))
    title, _, content = part.as_markdown().removeprefix("## ").partition("\n")
    sections[title] = f"{content.rstrip()}\n\nMeasured {measured}.\n"
    return "\n".join([_HEAD, *(f"## {name}\n{text}" for name, text in sections.items())])


def _sections(document: str) -> Iterator[tuple[str, str]]:
    """Yield the titles of a document's sections, and what stands below each."""
    for section in document.split("\n## ")[1:]:
        title, _, content = section.partition("\n")
        yield title, f"{content.rstrip()}\n"


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--write", action="store_true", help=f"write {DOCUMENT}")
    options = parser.parse_args()
    console = Console()
    for name in options.parts:
        measure: Callable[[], Part] = import_module(PARTS[name]).run
        part = measure()
        part.show(console)
        if options.write:  # after each part, so that a run that is cut short keeps what it measured
            DOCUMENT.write_text(with_part(DOCUMENT.read_text(), part, machine()))
    if options.write:
        console.print(f"\nWrote {DOCUMENT}.")


if __name__ == "__main__":
    main()
