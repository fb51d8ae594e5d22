"""`python -m bench.pace`: how much of an account's request rate is used, by instances and latency."""

from __future__ import annotations

import argparse
import tempfile
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from rich.console import Console

from bench.report import Part
from bench.world import QUICK_ORTTO, SETTINGS
from local.stack import Stack
from local.targets import AUTOPILOT, Target
from local.warm import Shared
from local.world import World, people

INSTANCES: Final = (1, 2, 4)


@dataclass(frozen=True, slots=True)
class Load:
    """What is exported and where: so many people, into an account of this rate and burst, whose answers take so long."""

    target: Target
    rate: int
    burst: int
    profiles: int
    latencies: tuple[int, ...]


AT_AUTOPILOT: Final = Load(AUTOPILOT, rate=200, burst=20, profiles=20_000, latencies=(50,))
"""A membership, and so a call, for each."""

AT_ORTTO: Final = Load(QUICK_ORTTO, rate=10, burst=10, profiles=40_000, latencies=(200,))
"""Two calls for each hundred: one sends them, one reads them back."""

LOADS: Final = {load.target.kind: load for load in (AT_AUTOPILOT, AT_ORTTO)}


@dataclass(frozen=True, slots=True)
class Used:
    """What the sandbox saw: the share of the rate over the steady part, the share throttled, the fullest second, and bans."""

    load: Load
    instances: int
    latency_ms: int
    requests: int
    share: float
    throttled: float
    fullest: int
    bans: int

    @property
    def is_used(self) -> bool:
        """Whether the rate was used."""
        return self.share >= 0.95

    @property
    def is_kept(self) -> bool:
        """Whether the rate was never exceeded by more than the burst, and nobody was banned."""
        return self.throttled <= 0.005 and self.fullest <= self.load.rate + self.load.burst and not self.bans


def measure(
    load: Load, instances: int, latency_ms: int, skews: Sequence[float] = (), shared: Shared | None = None
) -> Used:
    """Run an export on a stack of its own; `skews` are how far the instances' clocks are off, in seconds."""
    with tempfile.TemporaryDirectory(prefix="pace-") as directory:
        stack = Stack(
            Path(directory),
            instances=instances,
            settings=SETTINGS,
            in_memory=True,
            targets=(load.target,),
            shared=shared,
        )
        with stack:
            for place, skew in enumerate(skews):
                if skew:
                    stack.restart_host(place, {"LOCAL_HOST_CLOCK_SKEW_SECONDS": str(skew)})
            world = World(stack)
            try:
                return _measure(world, load, instances, latency_ms)
            finally:
                world.close()


def _measure(world: World, load: Load, instances: int, latency_ms: int) -> Used:
    world.publish({"All": people(*(f"p{n}@example.com" for n in range(load.profiles)))})
    world.connect(rate_limit=load.rate, **load.target.connection)
    world.save("all", segments=["All"], mapping=load.target.simple, **load.target.export)
    world.turn(rate=load.rate, burst=load.burst, latency_ms=latency_ms)
    world.reset_statistics()
    run = world.wait("all", world.start("all"), seconds=60 + 3 * load.profiles / load.rate)
    assert run["counts"]["delivered"] == load.profiles, run
    seen = world.look("stats")
    moments = [entry["at"] for entry in world.look("journal")]
    return Used(
        load,
        instances,
        latency_ms,
        requests=seen["requests"],
        share=steady_share(moments, load.rate),
        throttled=seen["throttled"] / seen["requests"],
        fullest=fullest_second(moments),
        bans=seen.get("bans", 0),  # which only Ortto deals out
    )


def steady_share(moments: Sequence[float], rate: float) -> float:
    """Return the share of the rate over the steady part: the calls between the first and the last tenth of them."""
    ordered = sorted(moments)
    steady = ordered[len(ordered) // 10 : len(ordered) * 9 // 10]
    return (len(steady) - 1) / (steady[-1] - steady[0]) / rate


def fullest_second(moments: Sequence[float]) -> int:
    """Return the most calls that any second saw, wherever it begins."""
    ordered = sorted(moments)
    return max(bisect_left(ordered, moment + 1) - place for place, moment in enumerate(ordered))


def run(loads: Sequence[Load] = tuple(LOADS.values())) -> Part:
    """Measure every combination of load, instances and latency."""
    results = [
        measure(load, instances, latency) for load in loads for instances in INSTANCES for latency in load.latencies
    ]
    rows = [
        (
            f"{used.load.target.title}, {used.instances} x {used.latency_ms} ms",
            f"{used.load.rate}/s",
            f"{used.requests:,}",
            f"{used.share:.1%}",
            f"{used.throttled:.2%}",
            str(used.fullest),
            str(used.bans),
        )
        for used in results
    ]
    columns = ("instances x latency", "rate", "requests", "of the rate", "throttled", "fullest second", "bans")
    bursts = " and ".join(f"{load.burst} ({load.target.title})" for load in loads)
    notes = [
        f"The sandboxes throttle with a token bucket of the same rate and a burst of {bursts}. Ortto bans who makes",
        "15 bad calls in 15 seconds.",
    ]
    target = (
        "at least 95% of the rate over the steady part, at most 0.5% throttled, no second above rate plus burst, no ban"
    )
    return Part("Rate used", target, columns, rows, all(used.is_used and used.is_kept for used in results), notes)


def main() -> None:
    """Measure every combination and print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.pace", description=__doc__)
    parser.add_argument("--destination", choices=list(LOADS), help="only this one's")
    parser.add_argument("--rate", type=int)
    parser.add_argument("--profiles", type=int)
    parser.add_argument("--latencies", type=int, nargs="+", metavar="MS")
    options = parser.parse_args()
    asked = {"rate": options.rate, "profiles": options.profiles, "latencies": options.latencies}
    changes = {name: value for name, value in asked.items() if value}
    loads = [load for kind, load in LOADS.items() if options.destination in {None, kind}]
    run([replace(load, **changes) for load in loads]).show(Console())


if __name__ == "__main__":
    main()
