"""Books that close: what a run read and planned is held against what became of it, and a run that lost something says so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import polars as pl
import pytest

from export_worker.deliver_chunk import deliver_chunk
from shared.azure.storage import Container
from shared.composition.app import App
from shared.delivery.chunks import Operation, encode
from shared.lifecycle.finish import finish_run
from shared.lifecycle.give_up import record_undelivered
from shared.lifecycle.record import Outcome, record
from shared.reasons.codes import Reason, Status
from shared.runs.books import discrepancies
from shared.runs.counts import Counts
from shared.runs.entry import Entry
from shared.runs.files import chunk_path, load_state, state_path, write_table
from shared.runs.head import Head
from shared.runs.run import Run, Verification
from shared.state.state import Receipt, tabulate
from tests.lifecycle.planned import planned

LISTS = ("list-a",)


def came_to(people: Sequence[int], *, left: int = 0) -> Outcome:
    receipts = [Receipt(person, f"person_{person}", person, added=LISTS) for person in people]
    return Outcome(
        receipts=write_table(tabulate(receipts, LISTS), LISTS),
        counts=Counts(delivered=len(people), undelivered=left),
        settled=len(people),
        left=left,
    )


def people(app: App, run: Run) -> list[int]:
    return sorted(load_state(app.storage, run.export, "main", run.id).people["person"])


def contact(person: int) -> Operation:
    return Operation(person, f"c{person}", 0, None, person, True, (0,), (), {"Email": f"p{person}@example.com"})


def test_a_run_whose_sums_add_up_says_nothing() -> None:
    entries = [Entry(chunk="000001", settled=3, left=1), Entry(chunk="000002", settled=2, left=0)]
    assert discrepancies(_run(entries, operations=6, settled=5), entries) == ""


@pytest.mark.parametrize(
    ("entries", "operations", "settled", "what"),
    [
        ([Entry(chunk="000001", settled=3, left=0)], 4, 3, "Of 4 operations planned, 3 were handled and 0 left"),
        ([Entry(chunk="000001", settled=3, left=2)], 4, 3, "Of 4 operations planned, 3 were handled and 2 left"),
        ([Entry(chunk="000001", settled=3, left=0)], 3, 2, "2 were counted"),
    ],
)
def test_operations_that_nobody_accounts_for_are_told(
    entries: list[Entry], operations: int, settled: int, what: str
) -> None:
    assert what in discrepancies(_run(entries, operations=operations, settled=settled), entries)


@pytest.mark.parametrize(("chunks", "done"), [(2, 2), (2, 1), (1, 2)])
def test_chunks_that_are_not_each_recorded_and_counted_once_are_told(chunks: int, done: int) -> None:
    entries = [Entry(chunk="000001", settled=3, left=0)]
    run = _run(entries, operations=3, settled=3).model_copy(update={"chunks": chunks, "done": done})
    assert discrepancies(run, entries) == f"Of {chunks} chunks, 1 are recorded and {done} counted."


def test_what_an_older_version_recorded_is_not_held_against_the_plan() -> None:
    """Its entries do not say how many operations were left: a run that goes on over an upgrade ends as it should."""
    entries = [Entry(chunk="000001"), Entry(chunk="000002", settled=2, left=0)]
    assert discrepancies(_run(entries, operations=9, settled=5), entries) == ""


def test_a_chunk_that_lost_operations_ends_its_run_by_name_with_all_else_recorded(app: App) -> None:
    run = planned(app, chunks=2, operations=5)
    record(app, run, "000001", came_to([1, 2, 3]))
    record(app, run, "000002", came_to([4]))  # its blob was cut short between two lines
    ended = finish_run(app, run.export, run.id)
    assert (ended.status, ended.reason) == (Status.FAILED, Reason.BOOKS_DO_NOT_CLOSE)
    assert "Of 5 operations planned, 4 were handled" in ended.detail
    assert (ended.counts.delivered, ended.counts.undelivered, ended.counts.add_up) == (4, 1, True)
    assert people(app, run) == [1, 2, 3, 4]


def test_a_verification_that_lost_a_list_ends_by_name(app: App) -> None:
    run = planned(app, chunks=1, operations=1, verification="report", counts=Counts())
    app.ledger.change(run.export, run.id, lambda run: run.stopped(Reason.CANCELED_BY_USER))
    record(app, run, "000001", Outcome())  # it was neither read nor left
    assert finish_run(app, run.export, run.id).reason is Reason.BOOKS_DO_NOT_CLOSE


def test_rows_that_were_counted_twice_end_the_run_by_name(app: App) -> None:
    run = planned(app, chunks=1, operations=1, counts=Counts(rows_read=1, unchanged=1))
    record(app, run, "000001", came_to([1]))
    ended = finish_run(app, run.export, run.id)
    assert ended.reason is Reason.BOOKS_DO_NOT_CLOSE
    assert "Of 1 rows read, 2 are accounted for." in ended.detail


@pytest.mark.parametrize("damage", ["missing", "garbage", "other columns", "empty"])
def test_an_outcome_that_was_damaged_is_named_and_the_others_are_recorded(app: App, damage: str) -> None:
    run = planned(app, chunks=2, operations=2)
    record(app, run, "000001", came_to([1]))
    record(app, run, "000002", came_to([2]))
    entry = app.ledger.entry(run.export, run.id, "000001")
    assert entry is not None
    assert entry.result is not None
    if damage == "missing":
        app.storage.delete(Container.OUTCOMES, entry.result)
    else:
        spoiled = {
            "garbage": b"PAR1 nonsense PAR1",
            "empty": b"",
            "other columns": write_table(pl.DataFrame({"a": [1]})),
        }
        app.storage.put(Container.OUTCOMES, entry.result, spoiled[damage])
    ended = finish_run(app, run.export, run.id)
    assert ended.reason is Reason.BOOKS_DO_NOT_CLOSE
    assert entry.result in ended.detail
    assert people(app, run) == [2]


@pytest.mark.parametrize(
    "spoiled",
    [
        None,
        b"",
        b"nonsense",
        encode([contact(2)]).replace(b'"add":1', b'"add":null'),
        encode([contact(2)]).replace(b'"content":2', b'"content":1e999'),
        b"[" * 100_000,
    ],
    ids=["missing", "emptied", "nonsense", "null", "1e999", "deep"],
)
@pytest.mark.parametrize("take_up", [deliver_chunk, record_undelivered])
def test_a_chunk_that_was_damaged_ends_its_run_by_name_at_once(
    app: App, spoiled: bytes | None, take_up: object
) -> None:
    run = planned(app, chunks=2, operations=3)
    record(app, run, "000001", came_to([1]))
    if spoiled is not None:
        app.storage.put(Container.CHUNKS, chunk_path(run.export, run.id, "p", "000002"), spoiled)
    assert callable(take_up)
    take_up(app, run.export, run.id, "000002")
    ended = app.ledger.run(run.export, run.id)
    assert (ended.status, ended.reason) == (Status.FAILED, Reason.CHUNK_DAMAGED)
    assert (ended.counts.delivered, ended.counts.undelivered, ended.counts.add_up) == (1, 2, True)
    assert people(app, run) == [1]
    assert list(app.storage.names(Container.CHUNKS, f"{run.export}/")) == []


@pytest.mark.parametrize("take_up", [deliver_chunk, record_undelivered])
@pytest.mark.parametrize("name", ["000009", "000001-1-abcd", "nonsense"])
def test_a_chunk_that_the_run_does_not_have_ends_nothing(app: App, name: str, take_up: object) -> None:
    run = planned(app, chunks=1, operations=1)
    assert callable(take_up)
    take_up(app, run.export, run.id, name)
    going = app.ledger.run(run.export, run.id)
    assert (going.status, going.stop, going.done) == (Status.PROCESSING, None, 0)


@pytest.mark.parametrize("verification", [None, "report"])
def test_a_state_that_is_lost_ends_its_run_at_once_and_is_named(app: App, verification: Verification | None) -> None:
    lost = "20260101t000000000-dead"
    run = planned(app, chunks=1, operations=1, verification=verification)
    app.ledger.change_head(run.export, lambda _: Head(active=run.id, states={"main": lost}))
    record(app, run, "000001", came_to([1]) if verification is None else Outcome(settled=1))
    ended = finish_run(app, run.export, run.id)
    assert (ended.status, ended.reason) == (Status.FAILED, Reason.STATE_LOST)
    assert state_path(run.export, "main", lost) in ended.detail
    head = app.ledger.head(run.export)
    assert (head.active, head.states) == (None, {"main": lost})  # a restore finds its place again


def _run(entries: Sequence[Entry], *, operations: int, settled: int) -> Run:
    now = datetime.now(UTC)
    return Run(
        export="e",
        id="r",
        trigger="on_demand",
        requested_by="me",
        queued_at=now,
        chunks=len(entries),
        done=len(entries),
        operations=operations,
        settled=settled,
    )
