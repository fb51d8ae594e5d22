"""Finding who is at fault in refused calls: everybody else goes through, in few calls."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from shared.delivery.isolation import Verdict, isolate, refusals


class Calls:
    """Refuses every batch that holds somebody guilty, and keeps what was said of whom; answers `silent` calls not at all."""

    def __init__(self, guilty: set[int], silent: frozenset[int] = frozenset()) -> None:
        self.guilty = guilty
        self.silent = silent
        self.made = 0
        self.accepted: list[int] = []
        self.refused_alone: list[int] = []
        self.unknown: set[int] = set()

    def send(self, batches: Sequence[Sequence[int]]) -> list[Verdict]:
        return [self._send(batch) for batch in batches]

    def _send(self, batch: Sequence[int]) -> Verdict:
        assert batch
        self.made += 1
        if self.made in self.silent:
            self.unknown.update(batch)
            return Verdict.UNKNOWN
        if self.guilty.intersection(batch):
            self.refused_alone += batch if len(batch) == 1 else []
            return Verdict.REFUSED
        self.accepted += batch
        return Verdict.ACCEPTED


def all_batches(people: int) -> list[Sequence[int]]:
    return [range(start, min(start + 100, people)) for start in range(0, people, 100)]


def sent(people: int, guilty: set[int], silent: frozenset[int] = frozenset()) -> Calls:
    calls = Calls(guilty, silent)
    isolate(refusals(all_batches(people), calls.send), calls.send)
    return calls


@given(st.integers(1, 300), st.sets(st.integers(0, 299), max_size=60))
def test_the_guilty_are_refused_alone_and_all_others_go_through_once(people: int, drawn: set[int]) -> None:
    guilty = {person for person in drawn if person < people}
    calls = sent(people, guilty)
    assert sorted(calls.refused_alone) == sorted(guilty)
    assert sorted(calls.accepted) == sorted(set(range(people)) - guilty)


@given(st.integers(1, 250), st.sets(st.integers(0, 249), max_size=20), st.frozensets(st.integers(1, 60), max_size=10))
def test_nobody_is_judged_for_a_call_that_had_no_answer(people: int, drawn: set[int], silent: frozenset[int]) -> None:
    guilty = {person for person in drawn if person < people}
    calls = sent(people, guilty, silent)
    assert set(calls.refused_alone) <= guilty
    assert not guilty.intersection(calls.accepted)
    assert len(calls.accepted) == len(set(calls.accepted))


@given(st.integers(0, 99))
def test_one_guilty_contact_of_a_hundred_takes_nine_calls_at_most_and_four_for_who_dropped_out(guilty: int) -> None:
    assert sent(100, {guilty}).made <= 1 + 8 + 4


def test_where_all_are_guilty_it_takes_less_than_two_calls_each() -> None:
    assert sent(500, set(range(500))).made < 2 * 500
