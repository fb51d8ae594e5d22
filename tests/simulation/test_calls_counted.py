"""The runs count the calls that the destination saw, those of attempts that came to nothing or came second as well."""

from __future__ import annotations

import pytest

from tests.simulation.story import Story
from tests.simulation.world import BULK, PLAIN, VERIFIED, World

AWAY = """
    somebody asks start
    A goes on
    the destination does not answer for 3 minutes
    A goes on
    everybody goes on
    the segments change
"""

AWAY_FIRST = """
    the destination does not answer for 2 minutes
    somebody asks start
    A goes on
"""

TWICE = """
    somebody asks start
    A goes on
    A goes on past POST /contacts
    all messages come twice
    B goes on
    A goes on
"""


@pytest.mark.parametrize("world", [PLAIN, BULK, VERIFIED], ids=lambda world: world.name)
@pytest.mark.parametrize("story", [AWAY, AWAY_FIRST, TWICE], ids=["away", "away first", "twice"])
def test_every_call_is_counted(world: World, story: str) -> None:
    told = Story(world)
    assert told.told(story) == []
    runs = told.play.audience.ledger.runs("export", most=100)
    assert sum(run.counts.requests for run in runs) == told.play.autopilot.asked
