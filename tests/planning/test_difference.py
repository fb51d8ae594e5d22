"""The difference between segments and state, and the state that a run leaves."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.planning.difference import Difference, difference
from shared.state.state import RECEIPTS, SCHEMA, Receipt, State, displaced, merge, tabulate
from shared.verification.comparison import OBSERVED, correct

LISTS = ("list-a", "list-b", "list-c")
ROWS = pl.Schema(
    {
        "person": pl.Int128(),
        "segment": pl.UInt8(),
        "row": pl.UInt32(),
        "customer": pl.UInt64(),
        "known_as": pl.Int64(),
        "content": pl.Int64(),
    }
)

Rows = list[tuple[int, int, int | None]]
"""Rows of a test: person, segment, content (None: cannot be delivered)."""


def compare(rows: Rows, state: State, removable: int = 0b111) -> Difference:
    table = pl.DataFrame(
        [(person, segment, row, person, person, content) for row, (person, segment, content) in enumerate(rows)],
        schema=ROWS,
        orient="row",
    )
    return difference(table, state.on_lists(LISTS), segments=3, removable=removable)


def carry_out(found: Difference) -> pl.DataFrame:
    """Return the receipts of a delivery in which everything went well."""
    receipts = [
        Receipt(
            person=person,
            contact_id=contact_id or f"person_{person}",
            content=content if upsert else None,
            added=tuple(LISTS[n] for n in range(3) if add >> n & 1),
            removed=tuple(LISTS[n] for n in range(3) if remove >> n & 1),
        )
        for person, contact_id, content, upsert, add, remove in found.operations.select(
            "person", "contact_id", "content", "upsert", "add", "remove"
        ).rows()
    ]
    return tabulate(receipts, LISTS)


def memberships(state: State) -> set[tuple[int, str]]:
    return {
        (person, list_id)
        for person, mask in state.people.select("person", "lists").rows()
        for n, list_id in enumerate(state.lists)
        if mask >> n & 1
    }


def only(found: Difference) -> dict[str, object]:
    return found.operations.row(0, named=True)


def test_someone_new_is_sent_and_put_on_the_list() -> None:
    found = compare([(1, 0, 11)], State.empty())
    assert (found.joiners, found.changed, found.leavers, found.unchanged) == (1, 0, 0, 0)
    assert (only(found)["upsert"], only(found)["add"]) == (True, 0b001)


def test_one_person_in_two_segments_is_one_contact_on_two_lists() -> None:
    found = compare([(1, 0, 11), (1, 2, 11)], State.empty())
    assert (found.profiles, found.duplicates, found.joiners) == (1, 1, 2)
    assert only(found)["add"] == 0b101


def test_nothing_is_done_again() -> None:
    first = compare([(1, 0, 11), (2, 1, 12)], State.empty())
    state = merge(State.empty(), carry_out(first), LISTS)
    again = compare([(2, 1, 12), (1, 0, 11)], state)
    assert again.operations.is_empty()
    assert again.unchanged == 2


def test_a_new_value_is_sent_without_touching_lists() -> None:
    state = merge(State.empty(), carry_out(compare([(1, 0, 11)], State.empty())), LISTS)
    found = compare([(1, 0, 99)], state)
    assert (found.changed, found.joiners) == (1, 0)
    assert (only(found)["upsert"], only(found)["add"]) == (True, 0)


def test_someone_who_left_is_taken_off_the_list_we_put_them_on() -> None:
    state = merge(State.empty(), carry_out(compare([(1, 0, 11), (2, 0, 12)], State.empty())), LISTS)
    found = compare([(1, 0, 11)], state)
    assert (found.leavers, found.current, found.leaving) == (1, (2, 0, 0), (1, 0, 0))
    assert (only(found)["person"], only(found)["remove"], only(found)["segment"]) == (2, 0b001, None)


def test_someone_who_moved_is_added_here_and_removed_there() -> None:
    state = merge(State.empty(), carry_out(compare([(1, 0, 11)], State.empty())), LISTS)
    found = compare([(1, 1, 11)], state)
    assert (only(found)["upsert"], only(found)["add"], only(found)["remove"]) == (False, 0b010, 0b001)


def test_leavers_stay_where_removal_is_not_allowed() -> None:
    state = merge(State.empty(), carry_out(compare([(1, 0, 11)], State.empty())), LISTS)
    assert compare([], state, removable=0).operations.is_empty()


def test_someone_whose_row_cannot_be_delivered_is_no_leaver() -> None:
    state = merge(State.empty(), carry_out(compare([(1, 0, 11)], State.empty())), LISTS)
    assert compare([(1, 0, None)], state).operations.is_empty()


@pytest.mark.parametrize("segment", [0, 1], ids=["one segment", "two segments"])
def test_a_contact_waits_while_one_of_its_rows_cannot_be_delivered(segment: int) -> None:
    state = merge(State.empty(), carry_out(compare([(1, 0, 11), (1, segment, 12)], State.empty())), LISTS)
    found = compare([(1, 0, None), (1, segment, 99), (2, 0, 20)], state)
    assert found.operations["person"].to_list() == [2]
    assert (found.profiles, found.leavers, sum(found.held_back)) == (1, 0, 0)


def test_among_rows_that_share_an_address_the_smallest_customer_speaks_in_any_order() -> None:
    rows = pl.DataFrame([(1, 0, 0, 7, 7, 70), (1, 0, 1, 3, 3, 30), (1, 0, 2, 5, 5, 50)], schema=ROWS, orient="row")
    held = State.empty().on_lists(LISTS)
    for order in (rows, rows.reverse()):
        assert difference(order, held, segments=1, removable=1).operations["content"].to_list() == [30]


def test_a_list_of_no_run_any_more_keeps_its_members() -> None:
    state = State(("old",), pl.DataFrame([(1, "person_1", 11, 1, 0)], schema=SCHEMA, orient="row"))
    found = compare([], state)
    assert found.operations.is_empty()
    assert memberships(merge(state, pl.DataFrame(schema=RECEIPTS), LISTS)) == {(1, "old")}


def test_an_addition_whose_answer_was_lost_is_undone_when_its_person_leaves() -> None:
    receipt = Receipt(1, "person_1", 11, attempted=("list-a",))
    state = merge(State.empty(), tabulate([receipt], LISTS), LISTS)
    assert memberships(state) == set()
    assert only(compare([], state))["remove"] == 0b001
    assert only(compare([(1, 0, 11)], state))["add"] == 0b001


def test_members_in_doubt_count_among_those_of_whom_some_leave() -> None:
    receipts = [Receipt(1, "person_1", 11, attempted=("list-a",)), Receipt(2, "person_2", 12, added=("list-a",))]
    found = compare([], merge(State.empty(), tabulate(receipts, LISTS), LISTS))
    assert (found.current, found.leaving) == ((2, 0, 0), (2, 0, 0))


def test_a_contact_made_anew_is_on_no_list_but_those_it_was_put_on() -> None:
    state = merge(State.empty(), carry_out(compare([(1, 0, 11), (1, 1, 11)], State.empty())), LISTS)
    again = Receipt(1, "person_new", 11, recreated=True, added=("list-c",))
    assert memberships(merge(state, tabulate([again], LISTS), LISTS)) == {(1, "list-c")}


def test_a_contact_that_is_gone_takes_what_was_confirmed_of_it_before_along() -> None:
    state = merge(State.empty(), carry_out(compare([(1, 0, 11)], State.empty())), LISTS)
    first = Receipt(1, "person_1", 12, added=("list-b",))
    then = Receipt(1, "person_new", 12, recreated=True, added=("list-c",))
    after = merge(state, tabulate([first, then], LISTS), LISTS)
    assert memberships(after) == {(1, "list-c")}
    assert after.people["contact_id"].to_list() == ["person_new"]
    assert displaced(state, after, tabulate([first, then], LISTS), LISTS) == 1
    assert only(compare([(1, 0, 12), (1, 1, 12), (1, 2, 12)], after))["add"] == 0b011


def test_a_contact_that_is_gone_and_not_made_again_holds_nothing() -> None:
    state = merge(State.empty(), carry_out(compare([(1, 0, 11), (1, 1, 11)], State.empty())), LISTS)
    after = merge(state, tabulate([Receipt(1, "person_1", recreated=True, removed=("list-a",))], LISTS), LISTS)
    assert memberships(after) == set()
    assert only(compare([(1, 1, 11)], after))["upsert"]


def test_who_loses_no_list_is_not_displaced() -> None:
    state = merge(State.empty(), carry_out(compare([(1, 0, 11), (2, 1, 12)], State.empty())), LISTS)
    receipts = [
        Receipt(1, "person_new", 11, recreated=True, added=("list-a",)),
        Receipt(2, "person_2", recreated=True, removed=("list-b",)),
    ]
    table = tabulate(receipts, LISTS)
    assert displaced(state, merge(state, table, LISTS), table, LISTS) == 0


def test_receipts_of_a_continued_chunk_count_together() -> None:
    receipts = tabulate([Receipt(1, "person_1", 11), Receipt(1, "person_1", None, added=("list-b",))], LISTS)
    state = merge(State.empty(), receipts, LISTS)
    assert memberships(state) == {(1, "list-b")}
    assert state.people["content"].to_list() == [11]


def test_who_was_sent_values_that_nobody_confirmed_is_sent_again_whatever_the_values_are_by_then() -> None:
    known = merge(State.empty(), tabulate([Receipt(1, "person_1", 11, added=("list-a",))], LISTS), LISTS)
    sent = Receipt(1, "person_1", unconfirmed=True)
    for receipts in ([sent], [Receipt(1, "person_1", 12), sent], [sent, Receipt(1, "person_1")]):
        after = merge(known, tabulate(receipts, LISTS), LISTS)
        assert after.people["content"].to_list() == [None]
        assert compare([(1, 0, 11)], after).operations["upsert"].to_list() == [True]
    assert merge(known, tabulate([sent, Receipt(1, "person_1", 12)], LISTS), LISTS).people["content"].to_list() == [12]


_masks = st.sets(st.sampled_from(LISTS)).map(lambda names: tuple(sorted(names)))
_receipt = st.builds(
    Receipt,
    person=st.integers(1, 3),
    contact_id=st.sampled_from([None, "one", "two"]),
    content=st.sampled_from([None, 11, 12]),
    unconfirmed=st.booleans(),
    recreated=st.booleans(),
    added=_masks,
    removed=_masks,
    attempted=_masks,
)


@given(st.lists(_receipt, max_size=4), st.lists(_receipt, max_size=8))
def test_receipts_together_come_to_what_they_come_to_one_after_the_other(
    before: list[Receipt], receipts: list[Receipt]
) -> None:
    known = [replace(receipt, contact_id=f"person_{receipt.person}", attempted=LISTS) for receipt in before]
    state = single = merge(State.empty(), tabulate(known, LISTS), LISTS)
    forgotten: set[int] = set()  # in between, since nothing was known of them: of these the first receipts do not count
    for receipt in receipts:
        single = merge(single, tabulate([receipt], LISTS), LISTS)
        if receipt.person not in single.people["person"]:
            forgotten.add(receipt.person)
    remembered = ~pl.col("person").is_in(forgotten)
    together = merge(state, tabulate(receipts, LISTS), LISTS).on_lists(LISTS).filter(remembered)
    told = ("person", "contact_id", "content", "lists")
    doubts = together.join(single.on_lists(LISTS), on="person", suffix="_single")
    assert together.select(told).rows() == single.on_lists(LISTS).filter(remembered).select(told).rows()
    assert doubts.filter((pl.col("attempted_single") & ~pl.col("attempted")) != 0).is_empty()


_row = st.tuples(st.integers(1, 6), st.integers(0, 2), st.one_of(st.none(), st.integers(1, 3)))


@given(st.lists(st.lists(_row, max_size=12), max_size=5))
def test_after_any_history_the_lists_equal_the_segments_and_nothing_is_left_to_do(history: list[Rows]) -> None:
    state = State.empty()
    for rows in history:
        found = compare(rows, state)
        waiting = {person for person, _, content in rows if content is None}
        deliverable = {(person, segment) for person, segment, _ in rows if person not in waiting}
        withheld = {(person, segment) for person, segment, _ in rows if person in waiting}
        before = memberships(state)
        state = merge(state, carry_out(found), LISTS)
        expected = {(person, LISTS[n]) for person, n in deliverable}
        kept = {(person, LISTS[n]) for person, n in withheld} & before
        assert memberships(state) == expected | kept
        assert compare(rows, state).operations.is_empty()
        assert len([1 for _, _, content in rows if content is not None]) == found.profiles + found.duplicates


@given(st.permutations([(1, 0, 5), (1, 0, 6), (2, 1, 7), (2, 0, None), (3, 2, 8)]))
def test_the_order_of_rows_does_not_matter(rows: Rows) -> None:
    columns = ["person", "content", "upsert", "add", "remove"]
    reference = compare([(1, 0, 5), (1, 0, 6), (2, 1, 7), (2, 0, None), (3, 2, 8)], State.empty())
    assert (
        compare(rows, State.empty())
        .operations.select(columns)
        .sort("person")
        .equals(reference.operations.select(columns).sort("person"))
    )


def test_who_may_be_on_a_list_without_a_known_id_is_kept_until_the_list_is_read_back() -> None:
    """Sent with a membership, never answered, and gone from the segment since: nobody can be taken off without an id."""
    state = merge(State.empty(), tabulate([Receipt(1, attempted=("list-a",))], LISTS), LISTS)
    assert state.has_unnamed
    assert compare([], state).operations.is_empty()
    assert only(compare([(1, 0, 11)], state))["add"] == 0b001
    there = pl.DataFrame([(1, "person_1")], schema=OBSERVED, orient="row")
    found = correct(state, ["list-a"], [there], pl.Series(dtype=pl.Int128))
    assert memberships(found) == {(1, "list-a")}
    assert only(compare([], found))["remove"] == 0b001
    nobody = correct(state, ["list-a"], [there.clear()], pl.Series(dtype=pl.Int128))
    assert nobody.people.is_empty()


def test_who_was_never_answered_and_asked_for_no_list_is_not_kept() -> None:
    assert merge(State.empty(), tabulate([Receipt(1)], LISTS), LISTS).people.is_empty()
