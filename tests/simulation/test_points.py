"""Every single moment of four small worlds at which a process may die."""

from __future__ import annotations

import pytest

from tests.simulation.schedule import crash_points, play
from tests.simulation.world import WORLDS

PARTS = 4


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("world", WORLDS)
def test_a_process_may_die_at_any_moment(world: str, part: int) -> None:
    points = crash_points(world)
    assert len(points) > 50
    found = {str(schedule): wrong for schedule in points[part::PARTS] if (wrong := play(schedule).wrong)}
    assert found == {}
