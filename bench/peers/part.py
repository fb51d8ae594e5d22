"""The peers as one part of the whole benchmark."""

from __future__ import annotations

from bench.peers.run import Comparison, Leg, Scenario, compare
from bench.report import Part


def run() -> Part:
    """Have everybody export twice, and lay it beside ours."""
    return part_of(compare(Scenario()))


def part_of(comparison: Comparison) -> Part:
    """Lay what everybody did beside ours."""
    ours = next(result for result in comparison.results if result.name == "ours")
    rows = []
    for number, base in ((1, ours.first), (2, ours.second)):
        for result in comparison.results:
            leg = result.first if number == 1 else result.second
            rows.append((f"run {number}: {result.name}", *_cells(leg, base)))
    columns = ("", "time", "by ours", "calls", "peak memory", "missing", "wrong", "bad rows named")
    scenario = comparison.scenario
    notes = [
        f"{scenario.profiles:,} profiles, {scenario.rate} calls a second, answers of {scenario.latency_ms:.0f} ms, a plain",
        "account; the second run after 1% churn. How each was written is in bench/peers/README.md. All make one call a contact",
        "or a few more; what ours loses to threads in the first run is its start of some three seconds: a message to plan, a",
        "message for each chunk, and six calls that prove which one fills lists. The one that is quicker in the second run takes",
        "no leaver off the list, and takes the addresses that Autopilot refused for sent.",
    ]
    return Part(
        "Peers",
        "ahead of each in time, and by a factor of 10 on the second run",
        columns,
        rows,
        _met(comparison),
        notes,
    )


def _cells(leg: Leg, ours: Leg) -> tuple[str, ...]:
    return (
        f"{leg.seconds:.1f} s",
        f"{leg.seconds / ours.seconds:.2f}",
        f"{leg.calls:,}",
        f"{leg.peak_mib:.0f} MiB",
        str(leg.missing),
        str(leg.wrong),
        f"{leg.named} of {leg.bad_rows}",
    )


def _met(comparison: Comparison) -> bool:
    ours, *others = sorted(comparison.results, key=lambda result: result.name != "ours")
    return all(
        other.first.seconds > ours.first.seconds and other.second.seconds >= 10 * ours.second.seconds
        for other in others
    )
