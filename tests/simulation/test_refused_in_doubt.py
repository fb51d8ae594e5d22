"""Somebody whom one attempt put on a list before it died, and whom the next attempt could not deliver."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from local.sandbox.knobs import Knobs
from tests.simulation.story import tell
from tests.simulation.world import PLAIN, World

STAYS: Final = {"dora@example.com": "Dora"}
COMES_AND_GOES: Final[World] = replace(
    PLAIN,
    versions=({"VIP": STAYS}, {"VIP": {**STAYS, "ann@example.com": "Anne"}}, {"VIP": STAYS}),
    knobs=Knobs(contact_lists="ignored"),
)
"""One person who is in the segment for one refresh, at an account whose lists are filled by calls of their own."""


def test_who_was_put_on_a_list_by_a_worker_that_died_leaves_it_though_the_next_one_had_her_left_out() -> None:
    """Only whom the second attempt left open was in doubt: she was rejected, nobody knew her, and she stayed on the list."""
    story = """
        somebody asks start
        everybody goes on
        the segments change
        somebody asks start
        A goes on
        A goes on past POST /list
        A dies
        the next POST /contacts of B leaves a contact out
        supervision goes on
        supervision goes on
        supervision goes on
        B goes on
        the segments change
    """
    assert tell(COMES_AND_GOES, story) == []
