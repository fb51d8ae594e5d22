"""Every single moment of four small worlds at which a process may die."""

from __future__ import annotations

import pytest

from tests.simulation.schedule import crash_points, play
from tests.simulation.world import WORLDS


@pytest.mark.parametrize("world", WORLDS)
def test_a_process_may_die_at_any_moment(world: str) -> None:
    found = {str(schedule): wrong for schedule in crash_points(world) if (wrong := play(schedule).wrong)}
    assert found == {}
