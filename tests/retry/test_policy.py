"""Retries: pauses grow, have a bound, and never bring those back together who failed together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.retry import policy
from shared.retry.policy import RetryPolicy

POLICIES = {name: value for name, value in vars(policy).items() if isinstance(value, RetryPolicy)}
EVERY = st.sampled_from(sorted(POLICIES))


@given(EVERY, st.integers(1, 10_000))
def test_a_pause_is_never_shorter_than_its_formula_and_longer_by_its_jitter_at_most(name: str, attempt: int) -> None:
    known = POLICIES[name]
    least = min(known.longest, known.first * 2 ** min(attempt - 1, 32))
    assert least <= known.pause(attempt) <= least * (1 + known.jitter)


@given(EVERY, st.floats(0, 1e9))
def test_what_is_away_for_longer_is_asked_less_often_to_a_bound(name: str, waited: float) -> None:
    known = POLICIES[name]
    least = min(known.longest, max(known.first, waited / 2))
    assert least <= known.pause_after(waited) <= least * (1 + known.jitter)


def test_attempts_double_the_pause() -> None:
    exact = RetryPolicy(first=0.5, longest=3.0, jitter=0)
    assert [exact.pause(attempt) for attempt in (1, 2, 3, 4, 5)] == [0.5, 1.0, 2.0, 3.0, 3.0]
    assert [exact.pause_after(waited) for waited in (0, 2, 4, 60)] == [0.5, 1.0, 2.0, 3.0]


def test_those_who_fail_together_do_not_come_back_together() -> None:
    assert len({policy.OUTAGE.pause_after(3600) for _ in range(20)}) > 1
