"""Recording what came of a chunk: the first attempt counts, whole, whatever the others found."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from azure.data.tables import TableClient

from shared.azure.storage import Container
from shared.composition.app import App
from shared.delivery.chunks import Operation, decode, encode
from shared.lifecycle.record import Outcome, open_chunks, record
from shared.reasons.codes import Reason
from shared.runs.counts import Counts
from shared.runs.files import chunk_path, next_name, write_table
from shared.runs.run import Run
from shared.runs.run_id import new_run_id
from shared.state.state import Receipt, tabulate
from shared.verification.comparison import OBSERVED
from shared.verification.observed import ObservedList
from tests.runs.lives import planned


@pytest.fixture
def run(app: App) -> Run:
    now = datetime.now(UTC)
    started = Run(export="e", id=new_run_id(now), trigger="on_demand", requested_by="me", queued_at=now)
    app.ledger.start(started)
    return app.ledger.change("e", started.id, lambda run: planned(run, now))


def operation(person: int) -> Operation:
    return Operation(person, f"c{person}", 0, None, person, True, (0,), (), {"Email": f"p{person}@example.com"})


def outcome(delivered: list[int], later: list[int]) -> Outcome:
    receipts = [Receipt(person, f"person_{person}", person, added=("list-a",)) for person in delivered]
    return Outcome(
        receipts=write_table(tabulate(receipts, ("list-a",)), ("list-a",)) if receipts else None,
        rest=encode([operation(person) for person in later]),
        counts=Counts(delivered=len(delivered)),
        settled=len(delivered),
    )


def stored(app: App, container: Container, run: Run) -> list[str]:
    return list(app.storage.names(container, f"e/{run.id}/"))


def test_two_attempts_with_different_rests_leave_the_first_ones_rest(app: App, run: Run) -> None:
    record(app, run, "000001", outcome(delivered=[1, 2], later=[3]))
    final = record(app, run, "000001", outcome(delivered=[1], later=[2, 3]))
    assert (final.done, final.chunks, final.counts.delivered) == (1, 2, 2)
    entry = app.ledger.entry("e", run.id, "000001")
    assert entry is not None
    rest = chunk_path("e", run.id, "p", str(entry.continued_by))
    assert stored(app, Container.CHUNKS, run) == [rest]
    found = app.storage.get(Container.CHUNKS, rest)
    assert found is not None
    assert [operation.person for operation in decode(found[0])] == [3]
    assert stored(app, Container.OUTCOMES, run) == [entry.result]


def test_a_chunk_with_a_rest_leaves_its_run_undelivered(app: App, run: Run) -> None:
    record(app, run, "000001", outcome(delivered=[], later=[1]))
    entry = app.ledger.entry("e", run.id, "000001")
    assert entry is not None
    assert entry.continued_by is not None
    assert entry.continued_by.startswith("000001-1-")
    assert app.ledger.run("e", run.id).is_delivered is False


def test_an_outcome_whose_answer_was_lost_stays_ours(app: App, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Storage wrote the outcome, then said 500; the client asked again and is told that it comes too late."""
    submit = TableClient.submit_transaction

    def twice(client: TableClient, operations: Any, **options: Any) -> Any:
        submit(client, operations, **options)
        return submit(client, operations, **options)

    monkeypatch.setattr(TableClient, "submit_transaction", twice)
    final = record(app, run, "000001", outcome(delivered=[1, 2], later=[3]))
    assert (final.done, final.chunks, final.counts.delivered) == (1, 2, 2)
    entry = app.ledger.entry("e", run.id, "000001")
    assert entry is not None
    assert stored(app, Container.OUTCOMES, run) == [entry.result]
    assert stored(app, Container.CHUNKS, run) == [chunk_path("e", run.id, "p", str(entry.continued_by))]


def test_a_list_that_is_read_on_ends_an_outage(app: App, run: Run) -> None:
    """A part of a long list settles nothing yet, but Autopilot answers again."""
    away = datetime.now(UTC)
    page = ObservedList(0, "list-a", "", pl.DataFrame(schema=OBSERVED))
    app.ledger.change("e", run.id, lambda run: run.unreachable(away, "away"))
    assert record(app, run, "000001", Outcome(observed=page, rest=b"the next one")).unreachable_since is None


def test_names_of_continuations_count_up() -> None:
    assert next_name("000007", "ab") == "000007-1-ab"
    assert next_name("000007-1-ab", "cd") == "000007-2-cd"


def test_what_comes_after_the_end_of_its_run_is_not_recorded(app: App, run: Run) -> None:
    """A worker that was paused wakes up when its run has ended, and the records of its chunks are cleared away."""
    record(app, run, "000001", outcome(delivered=[1], later=[2]))
    rest = open_chunks(app.ledger.run("e", run.id), app.ledger.entries("e", run.id))
    record(app, run, rest[0], Outcome(stop=Reason.CANCELED_BY_USER, left=1))
    app.ledger.finish("e", run.id, lambda run: run.ended(app.now(), run.stop), state_of=None)
    app.ledger.forget_entries("e", run.id)
    before = stored(app, Container.OUTCOMES, run)
    final = record(app, run, "000001", outcome(delivered=[1, 2], later=[3]))
    assert (final.done, final.counts.delivered) == (2, 1)
    assert stored(app, Container.OUTCOMES, run) == before
