"""A removal that was asked for and that nobody confirmed: it may be done, though its run was canceled then."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from local.sandbox.knobs import Knobs
from tests.simulation.story import tell
from tests.simulation.world import PLAIN, World

STAYS: Final = {"eve@example.com": "Eve"}
COME_BACK: Final[World] = replace(
    PLAIN,
    versions=(
        {"VIP": {"dora@example.com": "Dora", "ann@example.com": "Anne", **STAYS}},
        {"VIP": STAYS},
        {"VIP": {"dora@example.com": "Dora", "ann@example.com": "Anne", **STAYS}},
    ),
    knobs=Knobs(contact_lists="ignored"),
    settings={"guards": {"max_removed_percent": 100}},
)
"""Two people who leave the segment for one refresh."""

ANN: Final = "contact/person_00000000-0000-0000-0000-000000000003"


def test_who_was_taken_off_without_an_answer_and_comes_back_is_put_on_the_list_again() -> None:
    """The other removal of the chunk was answered, so what was left became a chunk of its own, which nobody began."""
    lost = f"the next {ANN} of A is done, but answered 408"
    story = f"""
        somebody asks start
        everybody goes on
        the segments change
        somebody asks start
        A goes on
        {lost}
        {lost}
        {lost}
        {lost}
        A goes on
        somebody asks cancel
        A goes on
        the segments change
    """
    assert tell(COME_BACK, story) == []
