"""A contact that somebody deletes at the destination: a later change makes a new one, which gets all its lists again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from local.sandbox.knobs import Knobs
from tests.simulation.story import tell
from tests.simulation.world import PLAIN, World

RENAMED: World = replace(
    PLAIN,
    versions=(
        {"VIP": {"ann@example.com": "Ann", "bob@example.com": "Bob"}, "News": {"ann@example.com": "Ann"}},
        {"VIP": {"ann@example.com": "Anne", "bob@example.com": "Bob"}, "News": {"ann@example.com": "Anne"}},
    ),
)
BY_BULK = replace(RENAMED, knobs=Knobs(bulk_lists="honoured"))


@pytest.mark.parametrize("world", [RENAMED, BY_BULK], ids=["plain", "bulk"])
def test_who_was_deleted_and_changes_is_on_all_lists_again_by_the_run_that_follows(world: World) -> None:
    story = """
        somebody asks start
        everybody goes on
        somebody asks take ann off everything by hand
        the segments change
    """
    assert tell(world, story) == []
