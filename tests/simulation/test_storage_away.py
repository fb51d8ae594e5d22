"""The app's own storage is away for longer than a message is tried: stories that the simulation found, and their like."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from tests.simulation.story import tell
from tests.simulation.world import BULK, PLAIN, World

ONE: Final[World] = replace(BULK, versions=({"VIP": {"ann@example.com": "Ann"}}, {"VIP": {"bob@example.com": "Bob"}}))
"""One person, so one chunk."""


def test_a_run_outlives_its_storage_being_away_for_longer_than_a_message_is_tried() -> None:
    """A plan's message met an outage of the tables, and another fault before and after it: five failures (seed 2008672)."""
    story = """
        somebody asks start
        the next GET blob configuration/connections of A has no answer
        A goes on
        the tables do not answer for 2 minutes
        A goes on
        A goes on
        A goes on
        the next WRITE accounts of A loses its answer
        A goes on
        A goes on
    """
    assert tell(PLAIN, story) == []


@pytest.mark.parametrize("service", ["blobs", "tables"])
def test_a_chunk_outlives_its_storage_being_away_too(service: str) -> None:
    story = f"""
        somebody asks start
        A goes on
        A goes on past POST /contacts
        the {service} do not answer for 2 minutes
        A goes on
        A goes on
        A goes on
        A goes on
        the next GET ledger of A has no answer
        A goes on
        A goes on
        the segments change
    """
    assert tell(ONE, story) == []
