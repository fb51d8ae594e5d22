"""The law of the source, as a plan holds it: a member leaves only because a table that was understood says so.

What a row is: sound; with a value that is none; with an address that is none, or empty; without anything that names a
person; broken, with its CustomerId still to be made out, or without.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.delivery.chunks import Operation, decode
from shared.planning.plan import Plan, chunks, plan, remarks
from shared.planning.spool import Spool
from shared.planning.survey import Scope
from shared.sources.source import KEY as ROW_KEY
from shared.sources.source import MALFORMED, OWN_COLUMNS, ROW, Declared
from shared.state.digests import DigestKey
from shared.state.state import CUSTOMERS, SCHEMA, Receipt, State, identify, merge, tabulate
from tests.cleaning.recipes import recipe_for
from tests.sources.batches import batch

KEY = DigestKey(b"k" * 32)
RECIPE = recipe_for({"Email": "Email", "integer--Points": "Points"}, on_bad_value="reject")
LIST = "list-a"
PEOPLE = {person: KEY.of_person(f"p{person}@example.com") for person in range(1, 31)}

Kind = Literal["sound", "bad value", "invalid address", "damaged address", "no address", "nameless", "broken", "torn"]

_ADDRESS: dict[Kind, str | None] = {
    "invalid address": "nobody",
    "damaged address": "p\ufffd@example.com",
    "no address": None,
    "nameless": None,
}


@dataclass(frozen=True)
class Table:
    """A segment in memory: of each row, whose it is and what has become of it."""

    rows: Sequence[tuple[int, Kind]]
    name: str = "VIP"
    columns: Sequence[str] = ("CustomerId", "Email", "Points")
    declared: Mapping[str, Declared] = field(default_factory=dict)

    def read(self, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        table = pl.DataFrame(
            [
                (
                    None if kind in {"nameless", "torn"} else f"customer-{person}",
                    _ADDRESS.get(kind, f"p{person}@example.com"),
                    "many" if kind == "bad value" else "7",
                    number,
                    kind in {"broken", "torn"},
                )
                for number, (person, kind) in enumerate(self.rows)
            ],
            schema={**dict.fromkeys(self.columns, pl.String), ROW: pl.UInt64, MALFORMED: pl.Boolean},
            orient="row",
        )
        yield batch(table).select(*OWN_COLUMNS, *columns)


@dataclass(frozen=True)
class Outcome:
    """What a refresh came to."""

    found: Plan
    state: State
    operations: int

    @property
    def members(self) -> set[int]:
        """Who is on the list: of the people 1 to 30."""
        held = set(self.state.on_lists([LIST]).filter(pl.col("lists") != 0)["person"])
        return {person for person, digest in PEOPLE.items() if digest in held}

    @property
    def said(self) -> str:
        return remarks(self.found, ["VIP"])


def planned(state: State, rows: Sequence[tuple[int, Kind]], limit: float) -> tuple[Plan, list[Operation], pl.DataFrame]:
    """Plan a refresh; return the plan, its operations, and whose rows stand for whom."""
    with Spool() as spool:
        scope = Scope(remove_leavers=True, max_unread_percent=limit)
        found = plan([Table(rows)], RECIPE, KEY, state, [LIST], scope, spool)
        operations = [operation for chunk in chunks(found) for operation in decode(chunk)]
        return found, operations, pl.concat([pl.DataFrame(schema=CUSTOMERS), *found.identities()])


def refresh(state: State, rows: Sequence[tuple[int, Kind]], limit: float = 0.1) -> Outcome:
    """Plan a refresh and carry it out."""
    found, operations, identities = planned(state, rows, limit)
    receipts = [
        Receipt(
            operation.person,
            operation.contact_id or f"person_{operation.person}",
            operation.content,
            added=(LIST,) * len(operation.add),
            removed=(LIST,) * len(operation.remove),
        )
        for operation in operations
    ]
    after = identify(merge(state, tabulate(receipts, [LIST]), [LIST]), identities)
    return Outcome(found, after, len(operations))


def everybody(*but: int) -> list[tuple[int, Kind]]:
    return [(person, "sound") for person in range(1, 31) if person not in but]


@pytest.fixture(scope="module")
def delivered() -> State:
    return refresh(State.empty(), everybody()).state


@pytest.mark.parametrize("kind", ["bad value", "invalid address", "damaged address", "no address", "broken"])
def test_a_member_whose_own_row_is_rejected_stays(delivered: State, kind: Kind) -> None:
    after = refresh(delivered, [*everybody(7), (7, kind)], limit=100)
    assert after.members == set(range(1, 31))
    assert after.operations == 0


@pytest.mark.parametrize("kind", ["invalid address", "no address", "broken"])
def test_the_run_says_how_many_stay_without_a_valid_address(delivered: State, kind: Kind) -> None:
    after = refresh(delivered, [*everybody(7, 8, 9), (7, kind), (8, kind)], limit=100)
    assert after.members == set(range(1, 31)) - {9}
    assert (after.found.difference.kept, after.found.difference.leavers) == (2, 1)
    assert "Members kept: 2" in after.said
    assert "take the profile out of the segment" in after.said


def test_who_was_kept_leaves_when_her_row_does(delivered: State) -> None:
    kept = refresh(delivered, [*everybody(7), (7, "no address")])
    assert 7 in kept.members
    assert 7 not in refresh(kept.state, everybody(7)).members


def test_too_many_unread_rows_hold_all_removals_back_and_the_next_clean_refresh_makes_them(delivered: State) -> None:
    rows: list[tuple[int, Kind]] = [(31, "sound"), *everybody(7, 8), (7, "torn")]
    doubtful = refresh(delivered, rows)
    difference = doubtful.found.difference
    assert (difference.leavers, difference.held_back, difference.joiners) == (0, (2,), 1)
    assert doubtful.said.startswith("Removals held back: 2, from 'VIP', of whose 30 rows 1 (3.3%) could not be read.")
    clean = refresh(doubtful.state, everybody(8))
    assert clean.members == set(range(1, 31)) - {8}
    assert (clean.found.difference.leavers, clean.said) == (2, "")  # 8, and 31 who only came with the doubtful refresh


def test_a_file_without_addresses_where_they_should_be_holds_removals_back(delivered: State) -> None:
    """Such as one whose columns stand in another order than its header says, or that is no table at all."""

    class Shifted(Table):
        def read(self, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
            for rows in super().read(columns):
                yield rows.head(25)
                yield rows.tail(5).with_columns(pl.lit("Name").alias("Email"), pl.col("Email").alias(ROW_KEY))

    with Spool() as spool:
        found = plan([Shifted(everybody())], RECIPE, KEY, delivered, [LIST], Scope(remove_leavers=True), spool)
        assert (found.difference.leavers, found.difference.held_back, found.in_doubt[0].unread) == (0, (5,), 5)


@pytest.mark.parametrize("kind", ["nameless", "torn"])
def test_a_row_that_names_nobody_may_be_anybodys(delivered: State, kind: Kind) -> None:
    assert refresh(delivered, [*everybody(7), (7, kind)]).members == set(range(1, 31))


def test_below_the_share_leavers_go_and_a_broken_row_keeps_whom_it_names(delivered: State) -> None:
    after = refresh(delivered, [*everybody(7, 8), (7, "broken")], limit=5)
    assert after.members == set(range(1, 31)) - {8}


@pytest.mark.parametrize(("rows", "held_back"), [(1000, 0), (999, 1)])
def test_the_share_is_one_in_a_thousand_by_default(delivered: State, rows: int, held_back: int) -> None:
    others: list[tuple[int, Kind]] = [(person, "sound") for person in range(31, rows + 1)]
    table: list[tuple[int, Kind]] = [*everybody(7), *others, (0, "torn")]
    assert len(table) == rows
    assert sum(refresh(delivered, table).found.difference.held_back) == held_back


def test_a_state_of_before_customers_were_kept_goes_on_and_learns_them(delivered: State) -> None:
    old = State(delivered.lists, delivered.people.select(SCHEMA.names()))
    again = refresh(old, everybody())
    assert (again.operations, again.found.difference.operations.is_empty()) == (0, True)
    assert again.state.people.sort("person").equals(delivered.people.sort("person"))


def test_someone_with_a_new_customer_id_is_known_by_the_new_one(delivered: State) -> None:
    """Customer Insights gives profiles new ids when its unification changes."""

    class Renamed(Table):
        def read(self, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
            for rows in super().read(columns):
                yield rows.with_columns(("new-" + pl.col(ROW_KEY)).alias(ROW_KEY))

    with Spool() as spool:
        found = plan([Renamed(everybody())], RECIPE, KEY, delivered, [LIST], Scope(remove_leavers=True), spool)
        assert found.difference.operations.is_empty()
        known = identify(delivered, pl.concat(found.identities()))
    with Spool() as spool:
        rows: list[tuple[int, Kind]] = [*everybody(7), (7, "no address")]
        found = plan([Renamed(rows)], RECIPE, KEY, known, [LIST], Scope(remove_leavers=True), spool)
        assert (found.difference.leavers, found.difference.kept) == (0, 1)


def test_someone_whose_rejected_row_is_in_one_segment_leaves_the_other_with_nobodys_contact() -> None:
    """The operation stands for no row: it must not go along with the contact of a neighbour."""
    lists = [LIST, "list-b"]
    with Spool() as spool:
        tables = [Table(everybody(), "A"), Table(everybody(), "B")]
        found = plan(tables, RECIPE, KEY, State.empty(), lists, Scope(remove_leavers=True), spool)
        receipts = [
            Receipt(o.person, f"person_{o.person}", o.content, added=tuple(lists[place] for place in o.add))
            for chunk in chunks(found)
            for o in decode(chunk)
        ]
    state = merge(State.empty(), tabulate(receipts, lists), lists)
    for place in (7, 30):
        rows: list[tuple[int, Kind]] = [*everybody(place), (place, "bad value")]
        with Spool() as spool:
            tables = [Table(rows, "A"), Table(everybody(place), "B")]
            found = plan(tables, RECIPE, KEY, state, lists, Scope(remove_leavers=True), spool)
            operations = [operation for chunk in chunks(found) for operation in decode(chunk)]
        assert [(o.remove, o.fields, o.customer, o.segment) for o in operations] == [((1,), None, None, None)]


_row = st.tuples(st.integers(1, 12), st.sampled_from(get_args(Kind)))
_segment = st.lists(_row, max_size=14, unique_by=lambda row: row[0])


@given(st.lists(_segment, min_size=2, max_size=3), st.sampled_from([0.1, 30, 100]))
@settings(deadline=None, max_examples=60)
def test_after_any_history_only_those_left_who_were_understood_to_leave(
    history: list[list[tuple[int, Kind]]], limit: float
) -> None:
    state, before = State.empty(), set[int]()
    for rows in history:
        after = refresh(state, rows, limit)
        count = Counter(kind for _, kind in rows)
        unread = count["broken"] + count["torn"] + count["nameless"]
        invalid = count["invalid address"] + count["damaged address"]
        if invalid > count["sound"] + count["bad value"]:
            unread += invalid
        understood = unread * 100 <= len(rows) * limit
        standing = {person for person, kind in rows if kind not in {"nameless", "torn"}}
        gone = before - standing
        joined = {person for person, kind in rows if kind == "sound"}
        expected = joined | (before - gone if understood else before)
        difference = after.found.difference
        assert after.members == expected
        assert difference.leavers == (len(gone) if understood else 0)
        assert sum(difference.held_back) == (0 if understood else len(gone))
        assert not planned(after.state, rows, limit)[1]
        state, before = after.state, expected
