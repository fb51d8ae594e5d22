"""A contact that somebody gave another address at the destination: it is somebody else's by then."""

from __future__ import annotations

from dataclasses import replace

import pytest

from local.sandbox.knobs import Knobs
from tests.simulation.story import tell
from tests.simulation.world import PLAIN, World

ONE: World = replace(PLAIN, versions=({"VIP": {"ann@example.com": "Ann", "bob@example.com": "Bob"}},))
BY_MEMBERSHIPS = replace(ONE, knobs=Knobs(contact_lists="ignored"))
BY_BULK = replace(ONE, knobs=Knobs(bulk_lists="honoured"))


@pytest.mark.parametrize("world", [ONE, BY_MEMBERSHIPS, BY_BULK], ids=["by contact", "one by one", "in bulk"])
def test_a_repair_delivers_whose_contact_was_given_another_address_and_puts_nobody_else_on_the_list(
    world: World,
) -> None:
    """Each repair put the contact that was hers on the list again: that of an address that is in no segment."""
    story = """
        somebody asks start
        everybody goes on
        somebody asks take ann off VIP to gus by hand
        somebody asks repair
    """
    assert tell(world, story) == []
