"""A restored state believes nothing that the state of before the restore says otherwise, and denies nothing that it knows."""

from __future__ import annotations

from typing import Final

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from shared.state.digests import SCHEME
from shared.state.restored import doubting
from shared.state.state import State, compact, known_or_doubted

LISTS: Final = ("a", "b", "c")
PEOPLE: Final = range(1, 5)
MASK: Final = st.integers(0, 7)
PERSON: Final = st.tuples(st.sampled_from(("id", None)), st.sampled_from((10, 20, None)), MASK, MASK)


def state(people: dict[int, tuple[str | None, int | None, int, int]]) -> State:
    rows = [
        (person, known and f"{known}-{person}", content, lists, attempted & ~lists)
        for person, (known, content, lists, attempted) in sorted(people.items())
    ]
    table = pl.DataFrame(rows, State.empty().people.schema, orient="row")
    return compact(State(LISTS, known_or_doubted(table), SCHEME))


STATES: Final = st.dictionaries(st.sampled_from(PEOPLE), PERSON).map(state)


def said(of: State) -> dict[tuple[int, str], str]:
    """Return what a state says of each person and list, if anything."""
    found: dict[tuple[int, str], str] = {}
    for person, lists, attempted in of.on_lists(LISTS).select("person", "lists", "attempted").iter_rows():
        for number, name in enumerate(LISTS):
            if (lists | attempted) >> number & 1:
                found[person, name] = "on" if lists >> number & 1 else "doubted"
    return found


def contents(of: State) -> dict[int, int | None]:
    return dict(of.people.select("person", "content").iter_rows())


@given(restored=STATES, present=STATES)
def test_what_the_two_say_differently_is_in_doubt(restored: State, present: State) -> None:
    both, before, now = said(doubting(restored, present)), said(restored), said(present)
    assert set(both) == set(before) | set(now)
    known_now = set(contents(present))
    believed = {place for place, what in both.items() if what == "on"}
    assert believed == {
        place
        for place, what in before.items()
        if what == "on" and (now.get(place) == "on" or place[0] not in known_now)
    }


@given(restored=STATES, present=STATES)
def test_a_value_is_known_where_both_say_the_same_and_where_only_the_restored_state_knows(
    restored: State, present: State
) -> None:
    now = contents(present)
    expected = {person: value for person, value in contents(restored).items() if now.get(person, value) == value}
    found = contents(doubting(restored, present))
    assert {person: value for person, value in found.items() if value is not None} == {
        person: value for person, value in expected.items() if value is not None
    }


@given(STATES)
def test_a_state_that_is_restored_over_itself_stays_as_it_is(same: State) -> None:
    assert said(doubting(same, same)) == said(same)
    assert contents(doubting(same, same)) == contents(same)
