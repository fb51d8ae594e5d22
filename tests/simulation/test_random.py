"""Random schedules: who goes on when, crashes, lost answers, outages, repeats, messages twice, clocks off, and what people ask."""

from __future__ import annotations

import pytest

from tests.simulation.explain import explain
from tests.simulation.schedule import draw, lengths, play

COUNT, BATCH = 3000, 100


@pytest.mark.parametrize("first", range(1, COUNT + 1, BATCH))
def test_whatever_happens_a_run_ends_and_the_books_are_right(first: int) -> None:
    for seed in range(first, first + BATCH):
        schedule = draw(seed, lengths())
        if play(schedule).wrong:
            pytest.fail(explain(schedule), pytrace=False)
