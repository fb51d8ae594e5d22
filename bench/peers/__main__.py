"""`python -m bench.peers`: ours and what users would pick instead, in one run; prints a table that Markdown takes."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

from bench.peers.contestants import CONTESTS
from bench.peers.run import SCENARIOS, Comparison, Leg, compare

HEAD = (
    "run",
    "contestant",
    "last call",
    "÷ ours",
    "end",
    "÷ ours",
    "first call",
    "calls",
    "throttled",
    "peak MiB",
    "missing",
    "wrong",
    "stale",
    "bad rows named",
    "ended as",
)


def table(comparison: Comparison) -> str:
    """Write the comparison down; `÷ ours` is a peer's time by ours, so more than 1 is slower than ours."""
    ours = next((result for result in comparison.results if result.name == "ours"), None)
    rows = [HEAD, tuple("---" for _ in HEAD)]
    for number in (1, 2):
        base = None if ours is None else (ours.first if number == 1 else ours.second)
        rows += [
            (str(number), result.name, *_cells(result.first if number == 1 else result.second, base))
            for result in comparison.results
        ]
    widths = [max(len(row[place]) for row in rows) for place in range(len(HEAD))]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    )


def _cells(leg: Leg, ours: Leg | None) -> tuple[str, ...]:
    return (
        f"{leg.seconds:.1f} s",
        _ratio(leg.seconds, ours.seconds if ours else None),
        f"{leg.seconds_to_end:.1f} s",
        _ratio(leg.seconds_to_end, ours.seconds_to_end if ours else None),
        "" if leg.seconds_to_first_call is None else f"{leg.seconds_to_first_call:.1f} s",
        f"{leg.calls:,}",
        str(leg.throttled),
        f"{leg.peak_mib:.0f}",
        str(leg.missing),
        str(leg.wrong),
        str(leg.stale),
        f"{leg.named} of {leg.bad_rows}",
        leg.end,
    )


def _ratio(theirs: float, ours: float | None) -> str:
    return f"{theirs / ours:.2f}" if ours else ""


def main() -> None:
    """Compare, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument("--destination", choices=list(SCENARIOS), default="autopilot")
    parser.add_argument("--profiles", type=int, help="rows in the segment")
    parser.add_argument("--rate", type=int, help="calls a second that the account allows")
    parser.add_argument("--burst", type=int)
    parser.add_argument("--latency-ms", type=float)
    parser.add_argument("--churn", type=float, help="share that joins, leaves or changes")
    parser.add_argument("--seed", type=int)
    everybody = dict.fromkeys(name for found in CONTESTS.values() for name in found.all)
    parser.add_argument("--only", nargs="+", choices=list(everybody), metavar="NAME", help=", ".join(everybody))
    parser.add_argument("--json", type=Path, help="write the results here too")
    options = parser.parse_args()
    usual = SCENARIOS[options.destination]
    if strange := set(options.only or ()) - set(CONTESTS[usual.destination].all):
        parser.error(f"at {usual.destination} there is no {', '.join(sorted(strange))}")
    asked = {name: getattr(options, name) for name in asdict(usual) if getattr(options, name) is not None}
    comparison = compare(replace(usual, **asked), options.only, lambda text: print(text, file=sys.stderr, flush=True))
    if options.json:
        options.json.write_text(json.dumps(comparison.to_json(), indent=2))
    print(table(comparison))


if __name__ == "__main__":
    main()
