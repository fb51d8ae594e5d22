"""`python -m bench.scale`: the pacing of many instances, simulated on the real arithmetic: `shared.delivery.pace`.

A discrete simulation: each instance reserves windows of five seconds from one record by compare-and-swap, in turns that
cost a storage round trip, and again if another instance was first; then it sends in its slots.
"""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass
from typing import Final

from rich.console import Console

from bench.report import Part
from shared.accounts.accounts import LONGEST_WINDOW
from shared.delivery.pace import Pace

SECONDS: Final = 300.0
ROUND_TRIP: Final = (0.005, 0.03)
"""Seconds of a storage call within a region, from the quickest to the slowest simulated."""

WORKERS: Final = 6
"""Chunks that an instance has at hand at once."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the account saw: the share of its rate, the fullest second, and how often a reservation came too late."""

    share: float
    fullest: int
    lost: float
    a_second: float


def simulate(instances: int, rate: float, seed: int = 1) -> Seen:
    """Let `instances` share an account's `rate` for five minutes."""
    dice = random.Random(seed)  # noqa: S311 - to be repeatable
    pace, version = Pace(), 0
    slots = max(1, int(rate * LONGEST_WINDOW))
    calls: list[float] = []
    tries = lost = 0
    # Each worker reads the record, and a round trip later writes it if nobody else did meanwhile.
    turns: list[tuple[float, int, Pace | None, int]] = []
    for worker in range(instances * WORKERS):
        heapq.heappush(turns, (dice.uniform(0, 1), worker, None, 0))
    while turns:
        now, worker, read, seen = heapq.heappop(turns)
        if now > SECONDS:
            break
        if read is None:
            heapq.heappush(turns, (now + dice.uniform(*ROUND_TRIP), worker, pace, version))
            continue
        tries += 1
        if seen != version:
            lost += 1
            heapq.heappush(turns, (now + dice.uniform(0.005, 0.05), worker, None, 0))
            continue
        pace, window = read.reserve(slots, rate, now)
        version += 1
        calls += [window.slot(place) for place in range(window.slots)]
        # A worker whose window is far away gives its chunk back and comes again (a backlog of 30 s).
        heapq.heappush(turns, (max(window.end, now) + dice.uniform(0, 0.1), worker, None, 0))
    return _seen(calls, rate, tries, lost)


def _seen(calls: list[float], rate: float, tries: int, lost: int) -> Seen:
    steady = sorted(call for call in calls if 10 < call < SECONDS - 10)
    seconds: dict[int, int] = {}
    for call in steady:
        seconds[int(call)] = seconds.get(int(call), 0) + 1
    share = len(steady) / (SECONDS - 20) / rate
    return Seen(share, max(seconds.values()), lost / tries, tries / SECONDS)


def run() -> Part:
    """Simulate 1 to 100 instances at three rates."""
    rows, met = [], True
    for rate in (20.0, 200.0, 2000.0):
        for instances in (1, 10, 100):
            seen = simulate(instances, rate)
            met = met and seen.share >= 0.95 and seen.fullest <= rate + 1
            rows.append(
                (
                    f"{rate:,.0f}/s",
                    str(instances),
                    f"{seen.share:.1%}",
                    f"{seen.fullest:,}",
                    f"{seen.a_second:,.1f}",
                    f"{seen.lost:.1%}",
                )
            )
    columns = ("rate", "instances", "of the rate", "fullest second", "reservations tried a second", "came too late")
    return Part("Pacing at scale, simulated", "at least 95% of the rate, no second above it", columns, rows, met)


if __name__ == "__main__":
    run().show(Console())
