"""A plan: one reading, whatever the size; contacts wait in the spool, and go to chunks with what is to be done."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import shared.planning.survey
from shared.delivery.chunks import Operation, decode
from shared.exports.configuration import Guards
from shared.planning.plan import Plan, check_guards, chunks, plan
from shared.planning.spool import Spool, pack, unpack
from shared.planning.survey import Scope
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.state.state import Receipt, State, merge, tabulate
from tests.planning.tables import KEY, LISTS, RECIPE, People, Table


def carry_out(operations: Sequence[Operation], state: State) -> State:
    receipts = [
        Receipt(
            operation.person,
            operation.contact_id or f"person_{operation.person}",
            operation.content,
            added=tuple(LISTS[place] for place in operation.add),
            removed=tuple(LISTS[place] for place in operation.remove),
        )
        for operation in operations
    ]
    return merge(state, tabulate(receipts, LISTS), LISTS)


def planned(segments: Sequence[People], state: State, spool: Spool) -> Plan:
    tables = [Table(f"Segment {place}", people, []) for place, people in enumerate(segments)]
    found = plan(tables, RECIPE, KEY, state, LISTS[: len(tables)], Scope(remove_leavers=True), spool)
    assert all(len(table.reads) == 1 for table in tables)
    return found


def operations_of(found: Plan) -> list[Operation]:
    return [operation for chunk in chunks(found) for operation in decode(chunk)]


_people = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), max_size=12)


@given(st.lists(st.tuples(_people, _people), min_size=1, max_size=3))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
def test_however_many_parts_a_difference_is_taken_in_it_is_the_same(
    monkeypatch: pytest.MonkeyPatch, history: list[tuple[People, People]]
) -> None:
    state = State.empty()
    for segments in history:
        seen = []
        for part in (1, 3, 1_000):
            monkeypatch.setattr(shared.planning.survey, "PART", part)
            with Spool() as spool:
                found = planned(segments, state, spool)
                operations = operations_of(found)
                whole = found.difference
                counts = (whole.profiles, whole.duplicates, whole.joiners, whole.changed, whole.leavers, whole.current)
                assert found.rows_read == tuple(map(len, segments))
                assert sum(found.rows_read) == whole.profiles + whole.duplicates + found.rejected.height
            seen.append((counts, whole.leaving, sorted(operations, key=lambda operation: operation.person)))
        assert seen[0] == seen[1] == seen[2]
        state = carry_out(operations, state)
        with Spool() as spool:
            assert planned(segments, state, spool).difference.operations.is_empty()


def test_each_operation_has_the_contact_of_its_own_row() -> None:
    with Spool() as spool:
        operations = operations_of(planned([[(n, n) for n in range(1, 40)]], State.empty(), spool))
    assert len(operations) == 39
    for operation in operations:
        assert operation.fields
        assert operation.person == KEY.of_person(str(operation.fields["Email"]))
        assert operation.customer == "customer-" + str(operation.fields["Email"]).split("@")[0][1:]


def test_the_spool_gives_back_what_it_took_by_segment_and_in_order() -> None:
    frames = [pl.DataFrame({"fields": [f"{n}" * n]}) for n in range(20)]
    with Spool(in_memory=100) as spool:
        for n, frame in enumerate(frames):
            spool.append(n % 2, pack(frame))
        for segment in (1, 0):
            given_back = [unpack(packed) for packed in spool.packed(segment)]
            assert [frame["fields"][0] for frame in given_back] == [f"{n}" * n for n in range(segment, 20, 2)]


def test_a_full_disk_ends_the_run_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with Spool() as spool:
        monkeypatch.setattr(spool._file, "write", full)
        with pytest.raises(ExportError, match="temporary disk") as end:
            spool.append(0, b"contacts")
    assert end.value.reason is Reason.INTERNAL_ERROR


def test_a_segment_whose_rows_name_nobody_any_more_is_empty() -> None:
    """A line of totals in place of the members: with rows, but without one that has an address."""
    guards = Guards(max_removed_percent=100)
    with Spool() as spool:
        state = carry_out(operations_of(planned([[(1, 1), (2, 1)]], State.empty(), spool)), State.empty())
        found = planned([[(0, 1)]], state, spool)
    assert found.difference.leaving == (2,)
    with pytest.raises(ExportError, match="None of the 1 rows") as end:
        check_guards(found, ["VIP"], guards, max_profiles=10)
    assert end.value.reason is Reason.EMPTY_SEGMENT
    check_guards(found, ["VIP"], Guards(max_removed_percent=100, allow_empty=True), max_profiles=10)


def test_members_that_are_all_in_doubt_do_not_leave_unguarded() -> None:
    receipts = [
        Receipt(KEY.of_person(f"p{person}@example.com"), f"person_{person}", attempted=LISTS[:1])
        for person in range(1, 9)
    ]
    state = merge(State.empty(), tabulate(receipts, LISTS), LISTS)
    with Spool() as spool:
        found = planned([[(1, 1)]], state, spool)
    with pytest.raises(ExportError, match="7 of 8 members") as end:
        check_guards(found, ["VIP"], Guards(), max_profiles=10)
    assert end.value.reason is Reason.MASS_REMOVAL
