"""`python -m bench.pace`: how much of an account's request rate is used, by instances and latency."""

from __future__ import annotations

import argparse
import tempfile
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console

from bench.report import Part
from local.stack import Stack
from local.warm import Shared
from local.world import SIMPLE, World, people

BURST: Final = 20
SETTINGS: Final = {"SETTLE_SECONDS": "0", "EXPORT_SCHEDULE": "0 0 0 1 1 *"}
INSTANCES: Final = (1, 2, 4)
LATENCIES: Final = (50, 500, 2000)


@dataclass(frozen=True, slots=True)
class Used:
    """What the sandbox saw: the share of the rate over the steady part, the share throttled, and the fullest second."""

    instances: int
    latency_ms: int
    rate: int
    requests: int
    share: float
    throttled: float
    fullest: int

    @property
    def is_used(self) -> bool:
        """Whether the rate was used."""
        return self.share >= 0.95

    @property
    def is_kept(self) -> bool:
        """Whether the rate was never exceeded by more than the burst."""
        return self.throttled <= 0.005 and self.fullest <= self.rate + BURST


def measure(
    instances: int,
    latency_ms: int,
    rate: int,
    profiles: int,
    skews: Sequence[float] = (),
    shared: Shared | None = None,
) -> Used:
    """Run an export on a stack of its own; `skews` are how far the instances' clocks are off, in seconds."""
    with tempfile.TemporaryDirectory(prefix="pace-") as directory:
        stack = Stack(Path(directory), instances=instances, settings=SETTINGS, in_memory=True, shared=shared)
        with stack:
            for place, skew in enumerate(skews):
                stack.restart_host(place, {"LOCAL_HOST_CLOCK_SKEW_SECONDS": str(skew)})
            world = World(stack)
            try:
                return _measure(world, instances, latency_ms, rate, profiles)
            finally:
                world.close()


def _measure(world: World, instances: int, latency_ms: int, rate: int, profiles: int) -> Used:
    world.publish({"All": people(*(f"p{n}@example.com" for n in range(profiles)))})
    world.connect(rate_limit=rate)
    world.save("all", segments=["All"], mapping=SIMPLE)
    world.turn(rate=rate, burst=BURST, latency_ms=latency_ms)
    world.reset_statistics()
    run = world.wait("all", world.start("all"), seconds=60 + 3 * profiles / rate)
    assert run["counts"]["delivered"] == profiles, run
    seen = world.look("stats")
    moments = [entry["at"] for entry in world.look("journal")]
    return Used(
        instances=instances,
        latency_ms=latency_ms,
        rate=rate,
        requests=seen["requests"],
        share=steady_share(moments, rate),
        throttled=seen["throttled"] / seen["requests"],
        fullest=fullest_second(moments),
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


def run(rate: int = 200, profiles: int = 20_000, latencies: Sequence[int] = LATENCIES[:1]) -> Part:
    """Measure every combination of instances and latency: 20,000 memberships, unless told otherwise."""
    results = [measure(instances, latency, rate, profiles) for instances in INSTANCES for latency in latencies]
    rows = [
        (
            f"{used.instances} x {used.latency_ms} ms",
            f"{used.rate}/s",
            f"{used.requests:,}",
            f"{used.share:.1%}",
            f"{used.throttled:.2%}",
            str(used.fullest),
        )
        for used in results
    ]
    columns = ("instances x latency", "rate", "requests", "of the rate", "throttled", "fullest second")
    notes = [f"The sandbox throttles with a token bucket of the same rate and a burst of {BURST}."]
    target = "at least 95% of the rate over the steady part, at most 0.5% throttled, no second above rate plus burst"
    return Part("Rate used", target, columns, rows, all(used.is_used and used.is_kept for used in results), notes)


def main() -> None:
    """Measure every combination and print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.pace", description=__doc__)
    parser.add_argument("--rate", type=int, default=40)
    parser.add_argument("--profiles", type=int, default=1600)
    options = parser.parse_args()
    run(options.rate, options.profiles, LATENCIES).show(Console())


if __name__ == "__main__":
    main()
