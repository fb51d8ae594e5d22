"""One comparison: each contestant exports the same segment twice, at the same rate, on a sandbox of its own.

The first run is of a segment that nobody has exported yet, the second after a churn. What each sent is counted by the
sandbox; what each led to is compared with what the segment says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from bench.peers.contestants import CONTESTS, LIST, Contestant, contestant
from bench.peers.measure import SandboxView
from bench.peers.population import Churn, Population, two_refreshes


@dataclass(frozen=True, slots=True)
class Scenario:
    """What all have in common; `destination` is a kind, `churn` is the share of rows that join, leave or change, a third each."""

    profiles: int = 5000
    rate: int = 100
    burst: int = 20
    latency_ms: float = 50
    churn: float = 0.01
    seed: int = 1
    destination: str = "autopilot"

    @property
    def knobs(self) -> dict[str, Any]:
        """The sandbox's knobs: a plain account, which at Autopilot fills no lists by its bulk call."""
        return {"rate": self.rate, "burst": self.burst, "latency_ms": self.latency_ms, "seed": self.seed}


SCENARIOS: Final = {
    scenario.destination: scenario
    for scenario in (
        Scenario(),
        Scenario(profiles=100_000, rate=10, burst=10, latency_ms=200, destination="ortto"),  # a call for a hundred
    )
}
"""What is measured unless told otherwise, by kind of destination."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One export: `seconds` from its start to its last call, `seconds_to_end` until it was over.

    `missing` are members not on the list, `wrong` those on it who must not be, `stale` those with old values;
    of `bad_rows` rows that cannot be delivered, `named` are in what the program says, by identifier or address.
    """

    seconds: float
    seconds_to_end: float
    seconds_to_first_call: float | None
    calls: int
    throttled: int
    peak_mib: float
    stand_ins_mib: float
    end: str
    missing: int
    wrong: int
    stale: int
    bad_rows: int
    named: int


@dataclass(frozen=True, slots=True)
class Result:
    """A contestant's two exports."""

    name: str
    first: Leg
    second: Leg


@dataclass(frozen=True, slots=True)
class Comparison:
    """All results of one run, and what they have in common."""

    scenario: Scenario
    results: tuple[Result, ...]

    def to_json(self) -> dict[str, Any]:
        """Return what `json.dumps` takes."""
        return asdict(self)


def compare(
    scenario: Scenario, names: Sequence[str] | None = None, tell: Callable[[str], object] = lambda _: None
) -> Comparison:
    """Have each contestant export twice, one after the other; `tell` hears how it goes."""
    churn = Churn.of(scenario.profiles, scenario.churn)
    before, after = two_refreshes(scenario.profiles, churn, scenario.seed)
    results = []
    for name in names or CONTESTS[scenario.destination].names:
        with contestant(name, scenario.destination, scenario.rate, scenario.knobs) as found:
            legs = []
            for number, population in enumerate((before, after), start=1):
                leg = _measure(found, population, scenario.destination)
                legs.append(leg)
                tell(f"{name}, run {number}: {leg.seconds:.1f} s, {leg.calls} calls, {leg.end}")
        results.append(Result(name, *legs))
    return Comparison(scenario, tuple(results))


def _measure(found: Contestant, population: Population, destination: str) -> Leg:
    view = SandboxView(found.sandbox_url, destination)
    view.reset()
    outcome = found.export(population)
    statistics = view.statistics()
    first, last = view.first_and_last_call()
    held, wanted = view.members(LIST), population.members
    bad = population.bad_rows
    return Leg(
        seconds=last - outcome.began,
        seconds_to_end=outcome.ended - outcome.began,
        seconds_to_first_call=None if first is None else first - outcome.began,
        calls=statistics["requests"],
        throttled=statistics["throttled"],
        peak_mib=outcome.peak_mib,
        stand_ins_mib=outcome.stand_ins_mib,
        end=outcome.end,
        missing=len(wanted - held),
        wrong=len(held - wanted),
        stale=view.stale(population),
        bad_rows=len(bad),
        named=sum(_names(outcome.output, identifier, email) for identifier, email in bad),
    )


def _names(output: str, identifier: str, email: str) -> bool:
    return identifier in output or bool(email and email in output)
