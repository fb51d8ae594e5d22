"""Clock skew: the truth is never excluded, and many answers narrow it down."""

from __future__ import annotations

import math
import random

from hypothesis import given
from hypothesis import strategies as st

from shared.azure.skew import MOST, Skew

MOMENTS = st.floats(1e9, 1e9 + 200)
DELAYS = st.floats(0, 2)


def see(skew: Skew, offset: float, sent: float, there: float, back: float) -> None:
    """Ask a server whose clock is `offset` ahead; the request takes `there` seconds and the answer `back`."""
    skew.observe(sent, sent + there + back, math.floor(sent + there + offset))


@given(st.floats(-100, 100), st.lists(st.tuples(MOMENTS, DELAYS, DELAYS), min_size=1, max_size=50))
def test_the_truth_is_never_excluded(offset: float, asked: list[tuple[float, float, float]]) -> None:
    skew = Skew()
    for sent, there, back in sorted(asked):
        see(skew, offset, sent, there, back)
    low, high = skew.bounds
    assert low - 1e-6 <= offset <= high + 1e-6


@given(st.floats(-100, 100).filter(lambda offset: abs(offset) > 0.2))
def test_a_few_seconds_of_calls_narrow_it_to_a_tenth(offset: float) -> None:
    skew = Skew()
    for turn in range(60):
        see(skew, offset, 1e9 + turn * 0.07, 0.005, 0.005)
    assert abs(skew.offset - offset) < 0.1


@given(st.lists(st.tuples(MOMENTS, DELAYS, DELAYS), max_size=50))
def test_a_clock_that_is_right_is_left_alone(asked: list[tuple[float, float, float]]) -> None:
    skew = Skew()
    for sent, there, back in sorted(asked):
        see(skew, 0, sent, there, back)
    assert skew.offset == 0


def test_a_clock_that_was_set_is_learnt_anew() -> None:
    skew = Skew()
    for turn in range(50):
        see(skew, 30, 1e9 + turn * 0.07, 0.01, 0.01)
    for turn in range(50):
        see(skew, -5, 1e9 + 10 + turn * 0.07, 0.01, 0.01)
    assert abs(skew.offset + 5) < 0.1


def test_what_is_old_is_forgotten() -> None:
    skew = Skew()
    see(skew, 30, 1e9, 0.01, 0.01)
    see(skew, 30.4, 1e9 + 1000, 0.01, 0.01)
    low, high = skew.bounds
    assert high - low < 1.1
    assert low <= 30.4 <= high


def test_of_more_answers_than_are_kept_the_last_set_the_bounds() -> None:
    dice, skew, told = random.Random(0), Skew(), list[tuple[float, float]]()
    sent = 1e9
    for _ in range(5 * MOST):
        sent += dice.random() / 50
        received, date = sent + dice.random() / 5, math.floor(sent + 3)
        skew.observe(sent, received, date)
        told.append((date - received, date + 1 - sent))
        last = told[-MOST:]
        assert skew.bounds == (max(low for low, _ in last), min(high for _, high in last))
