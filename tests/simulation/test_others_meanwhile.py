"""What other people do meanwhile: settings are edited, people erased, and contacts changed at the destination by hand.

All of it at any moment of a run, while calls go wrong, and segments go to and fro. What was done by hand is made up for by a
verification with repair, once nothing goes wrong any more.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Final

import pytest

from local.sandbox.knobs import Knobs
from tests.simulation.schedule import Event, Schedule, play
from tests.simulation.stage import Fault
from tests.simulation.world import PLAIN, World

SCHEDULES: Final = 20
CALLS: Final = 1000
"""Calls of an undisturbed play, about."""

KNOBS: Final = (Knobs(), Knobs(contact_lists="ignored"), Knobs(bulk_lists="honoured"))
PEOPLE: Final = ("ann", "bob", "cid", "dora", "eve")

DONE: Final = {
    "settings": (
        'set {"leavers": "keep"}',
        'set {"segments": ["News"]}',
        'set {"segments": [{"segment": "VIP", "list": "Very"}, "News"]}',
        'set {"segments": [{"segment": "VIP", "list": "News"}, {"segment": "News", "list": "VIP"}]}',
        'set {"mapping": {"Email": "Email"}}',
        'set {"guards": {"max_removed_percent": 1}}',
        'set {"max_profiles": 2}',
        "set {}",
    ),
    "erasures": tuple(f"erase {who}" for who in PEOPLE),
    "hands": tuple(f"take {who} off {where} by hand" for who in PEOPLE for where in ("VIP", "News", "everything")),
}
"""What is done meanwhile, by kind."""


def drawn(seed: int, kind: str) -> tuple[Schedule, World]:
    """Draw a world whose segments go to and fro, and a schedule in which others do things at any moment."""
    dice = random.Random(f"{kind} {seed}")
    versions = tuple(dice.choice(PLAIN.versions) for _ in range(4))
    steps = [step for _ in versions[1:] for step in ("refresh", *(["rest"] if dice.random() < 0.5 else []))]
    world = replace(
        PLAIN,
        versions=versions,
        owner=("start", *steps, "rest"),
        knobs=dice.choice(KNOBS),
        at_last=("set {}", "start", "rest", "repair", "rest"),
    )
    asked = [*DONE[kind], *DONE[kind], "cancel", "start", "rerun"]
    events = [Event(dice.randrange(CALLS), "ask", 0, dice.choice(asked)) for _ in range(dice.choice([2, 4, 6]))]
    events += [Event(dice.randrange(CALLS), "switch", dice.randrange(5)) for _ in range(dice.choice([0, 5, 20]))]
    events += [
        Event(dice.randrange(CALLS), "fault", 0, dice.choice(list(Fault)).name) for _ in range(dice.choice([0, 1, 3]))
    ]
    begin = dice.randrange(CALLS)
    storms = [Event(begin + 15 * n, "storm", 60, dice.choice(["TIMEOUT", "LOSE", "FAIL", "DROP"])) for n in range(4)]
    return Schedule("plain", seed, 2, (), tuple(sorted([*events, *(storms if dice.random() < 0.5 else [])]))), world


@pytest.mark.parametrize("kind", DONE)
def test_whatever_others_do_meanwhile_the_books_are_right_and_the_lists_hold_what_the_segments_say(kind: str) -> None:
    for seed in range(SCHEDULES):
        schedule, world = drawn(seed, kind)
        assert play(schedule, world).wrong == (), f"{world.owner}, {world.knobs}, {schedule}"
