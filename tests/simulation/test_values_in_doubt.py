"""Values that were sent and that nobody confirmed: the destination may hold them, whatever the segments say by then."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from tests.simulation.story import tell
from tests.simulation.world import PLAIN, World

BACK: Final[World] = replace(
    PLAIN,
    versions=tuple({"VIP": {"ann@example.com": name}} for name in ("Ann", "Anne", "Ann")),
)
"""One person, whose new name is taken back."""


def test_a_value_that_was_sent_without_an_answer_and_is_taken_back_is_put_right() -> None:
    """The state went on saying that she was called Ann, so nothing was to be done, and she stayed Anne at the destination."""
    story = """
        somebody asks start
        everybody goes on
        the segments change
        somebody asks start
        A goes on
        A goes on past POST /contact
        A dies
        the destination does not answer for 10 minutes
        somebody asks cancel
        supervision goes on
        supervision goes on
        supervision goes on
        B goes on
        the segments change
    """
    assert tell(BACK, story) == []
