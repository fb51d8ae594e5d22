"""Finishing a run: by anybody, again, at any moment; and a run that cannot be finished."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from export_trigger.steps.erase_states import _forget
from export_trigger.steps.supervise import supervise
from export_worker.deliver_chunk import deliver_chunk
from shared.azure.storage import Container
from shared.composition.app import App
from shared.lifecycle import finish
from shared.lifecycle.finish import finish_run
from shared.lifecycle.sweep import sweep
from shared.planning.survey import REJECTED
from shared.reasons.codes import Reason, Status
from shared.reasons.errors import TryLater
from shared.runs.counts import Counts
from shared.runs.entry import Entry
from shared.runs.files import load_state, planned_rejected_path, run_folder, state_path, write_state, write_table
from shared.runs.ledger import Ledger
from shared.runs.run import Run
from shared.runs.run_id import new_run_id
from shared.state.state import Receipt, State, tabulate
from tests.conftest import publish
from tests.runs.lives import planned

LISTS = ("list-a",)
Make = Callable[..., Run]


@pytest.fixture
def name() -> str:
    return f"e-{secrets.token_hex(4)}"


@pytest.fixture
def delivered(app: App, name: str) -> Make:
    """Return a maker of runs that delivered one person, so that only their end is missing."""

    def make(person: int = 1, *, export: str = name, progress_at: datetime | None = None) -> Run:
        now = datetime.now(UTC)
        run = Run(export=export, id=new_run_id(now), trigger="on_demand", requested_by="me", queued_at=now)
        app.ledger.start(run)
        app.storage.put(
            Container.OUTCOMES, planned_rejected_path(export, run.id, "p"), write_table(pl.DataFrame(schema=REJECTED))
        )
        app.storage.put(Container.OUTCOMES, f"{export}/{run.id}/receipts.parquet", receipts(person))
        entry = Entry(chunk="000001", attempt="a", result=f"{export}/{run.id}/receipts.parquet")
        at = progress_at or now
        app.ledger.change(export, run.id, lambda run: planned(run, at, operations=1, counts=Counts(rows_read=1)))
        return app.ledger.record(export, run.id, entry, lambda run: run.recorded(entry, Counts(delivered=1), None, at))[
            0
        ]

    return make


def receipts(person: int) -> bytes:
    receipt = Receipt(person, f"person_{person}", person, added=LISTS)
    return write_table(tabulate([receipt], LISTS), LISTS)


def test_receipts_of_an_older_version_say_nothing_of_values_without_an_answer_and_count(
    app: App, delivered: Make
) -> None:
    run = delivered()
    path = f"{run.export}/{run.id}/receipts.parquet"
    of_before = tabulate([Receipt(1, "person_1", 1, added=LISTS)], LISTS).drop("unconfirmed")
    app.storage.put(Container.OUTCOMES, path, write_table(of_before, LISTS))
    assert finish_run(app, run.export, run.id).status is Status.SUCCESSFUL
    assert people(app, run) == [1]


def states(app: App, export: str) -> list[str]:
    return list(app.storage.names(Container.STATE, f"{export}/"))


def people(app: App, run: Run) -> list[int]:
    return load_state(app.storage, run.export, "main", run.id).people["person"].to_list()


def test_a_finisher_that_died_after_it_wrote_the_state_is_followed_by_another(
    app: App, delivered: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = delivered()
    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "finish", _die)
        with pytest.raises(_Killed):
            finish_run(app, run.export, run.id)
    assert states(app, run.export) == [state_path(run.export, "main", run.id)]
    assert app.ledger.head(run.export).states == {}
    ended = finish_run(app, run.export, run.id)
    assert ended.status is Status.SUCCESSFUL
    assert ended.counts.delivered == 1
    assert people(app, run) == [1]


def test_of_the_states_only_the_one_that_holds_is_left(app: App, delivered: Make) -> None:
    """A finisher that died after its ledger was written, and one that wrote again when it was too late, leave some."""
    first = delivered(1)
    finish_run(app, first.export, first.id)
    stray = state_path(first.export, "main", "20260101t000000000-dead")
    app.storage.put(Container.STATE, stray, receipts(7))
    second = delivered(2)
    finish_run(app, second.export, second.id)
    assert states(app, first.export) == [state_path(first.export, "main", second.id)]
    assert sorted(people(app, second)) == [1, 2]


def test_the_state_that_a_going_run_is_about_to_leave_is_not_cleared_away(app: App, delivered: Make) -> None:
    first = delivered(1)
    finish_run(app, first.export, first.id)
    second = delivered(2)
    written = state_path(first.export, "main", second.id)
    app.storage.put(Container.STATE, written, receipts(2))
    sweep(app, first.export)  # by a finisher of the first run that was paused
    assert written in states(app, first.export)


def test_a_person_is_forgotten_by_every_state_even_of_an_export_that_is_gone(app: App, name: str) -> None:
    path = state_path(name, "main", "20260101t000000000-dead")
    app.storage.put(Container.STATE, path, receipts(7))
    assert _forget(app, path, [7])
    assert not _forget(app, path, [7])


def test_a_run_that_cannot_be_finished_ends_at_last_and_frees_its_export(
    app: App, delivered: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours must not keep an export from ever running again: the state before holds, the next run repeats."""
    export = f"e-{secrets.token_hex(4)}"
    publish(app, export)
    patience = timedelta(minutes=app.settings.outage_minutes)
    run = delivered(export=export, progress_at=datetime.now(UTC) - patience - timedelta(minutes=1))
    monkeypatch.setattr("shared.lifecycle.finish.merge", _fail)
    with pytest.raises(ExceptionGroup):
        supervise(app)
    ended = app.ledger.run(export, run.id)
    assert (ended.status, ended.reason) == (Status.FAILED, Reason.INTERNAL_ERROR)
    assert (app.ledger.head(export).active, app.ledger.head(export).states) == (None, {})
    app.registry.delete_export(export)


def test_an_export_that_fails_keeps_supervision_from_no_other(
    app: App, delivered: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    suffix = secrets.token_hex(4)
    broken, sound = f"a-{suffix}", f"b-{suffix}"
    for export in (broken, sound):
        publish(app, export)
    lost, kept = delivered(export=broken), delivered(export=sound)
    monkeypatch.setattr(finish, "load_state", lambda *asked: _fail() if broken in asked else load_state(*asked))
    with pytest.raises(ExceptionGroup):
        supervise(app)
    assert not app.ledger.run(broken, lost.id).status.is_final  # it may be mended yet
    assert app.ledger.run(sound, kept.id).status is Status.SUCCESSFUL
    for export in (broken, sound):
        app.registry.delete_export(export)


def test_a_chunk_whose_run_ended_a_moment_ago_is_no_fault(
    app: App, name: str, delivered: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second copy of the last message looks for its blob just when the first one has cleared everything away."""
    run = delivered()
    read = app.ledger.run
    finish_run(app, name, run.id)
    ended = read(name, run.id)
    snapshots = iter([run])
    monkeypatch.setattr(app.ledger, "run", lambda *asked: next(snapshots, None) or read(*asked))
    deliver_chunk(app, name, run.id, "000001")
    assert next(snapshots, None) is None
    assert read(name, run.id) == ended
    assert list(app.storage.names(Container.OUTCOMES, run_folder(name, run.id))) == []


def test_a_finisher_that_was_paused_writes_no_state_over_what_holds_by_now(
    app: App, delivered: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It wakes up when another one has finished the run, and somebody was erased from the state that it left."""
    run = delivered()
    path = state_path(run.export, "main", run.id)
    monkeypatch.setattr(finish, "FINISH_SECONDS", 0)

    def paused(state: State) -> bytes:
        monkeypatch.setattr(finish, "write_state", write_state)
        finish_run(app, run.export, run.id)
        assert _forget(app, path, [1])
        return write_state(state)

    monkeypatch.setattr(finish, "write_state", paused)
    with pytest.raises(TryLater):
        finish_run(app, run.export, run.id)
    assert people(app, run) == []
    assert finish_run(app, run.export, run.id).status is Status.SUCCESSFUL


class _Killed(BaseException):
    """The process is gone."""


def _fail(*_: Any) -> Any:
    raise RuntimeError("a fault of ours")


def _die(*_: Any, **__: Any) -> Run:
    raise _Killed
