"""One pace for one account."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.delivery.pace import Pace, Window


def test_windows_follow_each_other_without_a_gap() -> None:
    pace, first = Pace().reserve(10, 20, now=100.0)
    pace, second = pace.reserve(5, 20, now=100.1)
    assert (first.start, first.end, second.start) == (100.0, 100.5, 100.5)


def test_after_a_rest_a_window_begins_at_once_and_saves_up_no_burst() -> None:
    pace, _ = Pace().reserve(10, 20, now=100.0)
    _, later = pace.reserve(10, 20, now=200.0)
    assert (later.start, later.slot(1)) == (200.0, 200.05)


def test_a_429_makes_everybody_wait_and_go_slower_once_a_second() -> None:
    pace = Pace(next_free=100.0)
    pace = pace.throttled(100.0, None)
    pace = pace.throttled(100.5, None)
    assert (pace.next_free, pace.speed) == (101.0, 0.75)
    assert pace.throttled(101.2, None).speed == pytest.approx(0.5625)


def test_a_retry_after_is_honoured() -> None:
    assert Pace().throttled(100.0, 30.0).next_free == 130.0


def test_the_pace_finds_its_way_back_up() -> None:
    pace = Pace().throttled(100.0, None)
    for _ in range(40):
        pace, window = pace.reserve(20, 20, now=pace.next_free)
    assert pace.speed == 1.0
    assert window.interval == pytest.approx(0.05)


def test_no_slot_is_taken_past_the_latest_moment() -> None:
    pace, window = Pace(next_free=100.0).reserve(10, 20, now=99.0, latest=100.2)
    assert window.slots == 5
    assert pace.next_free == pytest.approx(100.25)
    assert Pace(next_free=100.0).reserve(10, 20, now=99.0, latest=99.9)[0] == Pace(next_free=100.0)


def test_of_a_window_in_use_what_has_begun_is_lost() -> None:
    window = Window(100.0, 0.5, 10)
    assert window.from_now(99.0) == window
    assert window.from_now(101.2) == Window(101.5, 0.5, 7)
    assert window.from_now(200.0).slots == 0


def test_a_window_is_split_without_a_gap_and_without_a_double() -> None:
    first, rest = Window(100.0, 0.5, 10).split(4)
    assert (first, rest) == (Window(100.0, 0.5, 4), Window(102.0, 0.5, 6))
    assert [rest.until(latest) for latest in (101.9, 102.0, 103.4, 200.0)] == [0, 1, 3, 6]


@given(
    st.lists(st.tuples(st.integers(1, 50), st.floats(0, 20)), min_size=1, max_size=30),
    st.sampled_from([5.0, 20.0, 300.0]),
)
def test_no_second_ever_holds_more_calls_than_the_rate(requests: list[tuple[int, float]], rate: float) -> None:
    pace, now = Pace(), 1000.0
    calls: list[float] = []
    for slots, rest in requests:
        pace, window = pace.reserve(slots, rate, now)
        calls += [window.slot(place) for place in range(slots)]
        now += rest
    calls.sort()
    for start, call in enumerate(calls):
        within = sum(1 for other in calls[start:] if other < call + 1 - 1e-6)
        assert within <= rate + 1e-6
