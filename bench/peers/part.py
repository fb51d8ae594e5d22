"""The peers as one part of the whole benchmark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.peers.run import SCENARIOS, Comparison, Leg, compare
from bench.report import Part
from local.targets import TARGETS

NOTES = (
    "The second run is after 1% churn. How each was written is in bench/peers/README.md. At Autopilot all make one call a contact",
    "or a few more; what ours loses to threads in the first run is its start of some three seconds: a message to plan, a",
    "message for each chunk, and six calls that prove which one fills lists. The one that is quicker in the second run takes",
    "no leaver off the list, and takes the addresses that Autopilot refused for sent.",
    "At Ortto a script makes one call for a hundred people, and believes that the answer, which names nobody, is in their order.",
    "Ours makes one more, which reads them back: twice the calls of a first run is what that proof costs.",
)
"""What was learnt."""


def run() -> Part:
    """Have everybody export twice at each destination, and lay it beside ours."""
    return part_of([compare(scenario) for scenario in SCENARIOS.values()])


def part_of(comparisons: Sequence[Comparison]) -> Part:
    """Lay what everybody did beside ours."""
    columns = ("", "time", "by ours", "calls", "peak memory", "missing", "wrong", "bad rows named")
    return Part(
        "Peers",
        "ahead of each in time, and by a factor of 10 on the second run",
        columns,
        [row for comparison in comparisons for row in _rows(comparison)],
        all(map(_met, comparisons)),
        [*map(_setting, comparisons), *NOTES],
    )


def _rows(comparison: Comparison) -> Iterator[tuple[str, ...]]:
    ours = next(result for result in comparison.results if result.name == "ours")
    title = TARGETS[comparison.scenario.destination].title
    for number, base in ((1, ours.first), (2, ours.second)):
        for result in comparison.results:
            leg = result.first if number == 1 else result.second
            yield f"{title}, run {number}: {result.name}", *_cells(leg, base)


def _setting(comparison: Comparison) -> str:
    scenario = comparison.scenario
    return (
        f"{TARGETS[scenario.destination].title}: {scenario.profiles:,} profiles, {scenario.rate} calls a second, "
        f"answers of {scenario.latency_ms:.0f} ms, a plain account."
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
