"""Storms: many calls that change the destination are done or not, and nobody is told, while the segments go to and fro.

A fault alone mends itself at the next try, and a change that lasts is sent again by the next run. What nobody would ever
mend takes several lost answers to one call, and a segment that says by then what it said before.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Final

import pytest

from local.sandbox.knobs import Knobs
from tests.simulation.schedule import Event, Schedule, play
from tests.simulation.world import PLAIN, World

KINDS: Final = ("TIMEOUT", "TIMEOUT", "LOSE", "FAIL", "DROP")
GOES_BACK: Final[World] = replace(
    PLAIN, versions=(*PLAIN.versions, PLAIN.versions[0]), owner=("start", "rest", "refresh", "refresh", "rest")
)
WORLDS: Final = {
    "by contact": GOES_BACK,
    "one by one": replace(GOES_BACK, knobs=Knobs(contact_lists="ignored")),
    "in bulk": replace(GOES_BACK, knobs=Knobs(bulk_lists="honoured")),
}
SCHEDULES: Final = 40
CALLS: Final = 800
"""Calls of an undisturbed play, about."""


def drawn(seed: int) -> Schedule:
    """Draw some storms, one after the other, and perhaps a cancel."""
    dice = random.Random(seed)
    begin = dice.randrange(CALLS)
    events = [
        Event(begin + 15 * turn, "storm", dice.choice([20, 60, 150]), dice.choice(KINDS))
        for turn in range(dice.choice([2, 4, 8]))
    ]
    events += [Event(begin + dice.randrange(200), "ask", 0, "cancel") for _ in range(dice.choice([0, 1, 2]))]
    events += [Event(dice.randrange(CALLS), "switch", dice.randrange(5)) for _ in range(dice.choice([0, 5, 20]))]
    return Schedule("plain", seed, dice.choice([2, 3]), (), tuple(sorted(events)))


@pytest.mark.parametrize("name", WORLDS)
def test_after_a_storm_the_destination_holds_what_the_state_says_and_then_what_the_segments_say(name: str) -> None:
    for seed in range(SCHEDULES):
        schedule = drawn(seed)
        assert play(schedule, WORLDS[name]).wrong == (), str(schedule)
