"""A few rounds of chaos, the same each time; `make chaos` plays many (docs/reliability.md)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.chaos.lane import Lane
from local.chaos.schedule import draw_round
from local.warm import Shared

HOSTS = 2


@pytest.fixture(scope="module")
def lane(tmp_path_factory: pytest.TempPathFactory, shared_parts: Shared) -> Iterator[Lane]:
    with Lane(tmp_path_factory.mktemp("lane"), HOSTS, shared=shared_parts.without_storage) as made:
        yield made


@pytest.mark.parametrize("seed", [2, 10, 11])
def test_whatever_goes_wrong_lists_equal_segments_and_counts_add_up(lane: Lane, seed: int) -> None:
    verdict = lane.play(draw_round(seed, HOSTS))
    assert verdict.is_clean, verdict


def test_a_seed_gives_the_same_round_again() -> None:
    assert draw_round(5, HOSTS) == draw_round(5, HOSTS)
    assert draw_round(5, HOSTS) != draw_round(6, HOSTS)
