"""What lies about: whatever is not the active run's goes at each end and each tick, whoever left it there."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from export_trigger.steps.retain import retain, retain_audit
from export_trigger.steps.tick import tick
from shared.azure.storage import Container, Storage
from shared.composition.app import App
from shared.exports.audit import Audit
from shared.lifecycle.finish import end_run
from shared.lifecycle.sweep import disown, owners, sweep
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.runs.entry import Entry
from shared.runs.files import chunk_path, planned_rejected_path, rejected_path, report_path, state_path
from shared.runs.head import RunInProgress
from shared.runs.ledger import Ledger
from shared.runs.run import Run
from shared.runs.run_id import new_run_id
from tests.conftest import publish
from tests.delivery.accounts import ManualClock
from tests.runs.lives import canceled

EVERYTHING = (Container.CHUNKS, Container.OUTCOMES, Container.STATE, Container.REPORTS, Container.REJECTED)
DAY = timedelta(days=1).total_seconds()


def stored(app: App, export: str) -> list[str]:
    return [f"{container}/{name}" for container in EVERYTHING for name in app.storage.names(container, f"{export}/")]


def leave(app: App, run: Run) -> None:
    """Leave what a run works with: a chunk, an outcome, rows of a plan that came too late."""
    app.storage.put(Container.CHUNKS, chunk_path(run.export, run.id, "p", "000001"), b"a contact in clear")
    app.storage.put(Container.OUTCOMES, planned_rejected_path(run.export, run.id, "late"), b"rejected")


def end(app: App, run: Run) -> None:
    app.ledger.finish(run.export, run.id, lambda run: canceled(run, app.now()), state_of=None)


def another(app: App, run: Run) -> Run:
    """Return a run of the same export that is about to start."""
    return Run(export=run.export, id=new_run_id(app.now()), trigger="cron", requested_by="me", queued_at=app.now())


def test_what_a_dead_finisher_left_is_swept_by_the_next_tick(timed: App, run: Run) -> None:
    """It died between the run's end and the clearing up, as chaos found it."""
    timed.ledger.record(run.export, run.id, Entry(chunk="000001"), lambda run: run)
    leave(timed, run)
    end(timed, run)
    sweep(timed, run.export)
    assert stored(timed, run.export) == []
    assert timed.ledger.entries(run.export, run.id) == []


def test_what_comes_after_the_end_of_its_run_is_swept_at_the_next_end(timed: App, run: Run, clock: ManualClock) -> None:
    """A worker and a planner that were paused write when their run is long over."""
    end_run(timed, run, ExportError(Reason.CANCELED_BY_USER))
    leave(timed, run)
    clock.sleep(60)
    following = another(timed, run)
    timed.ledger.start(following)
    end_run(timed, following, ExportError(Reason.CANCELED_BY_USER))
    assert [name.partition("/")[0] for name in stored(timed, run.export)] == ["reports", "reports"]


def test_what_the_active_run_works_with_stays(timed: App, run: Run) -> None:
    timed.ledger.record(run.export, run.id, Entry(chunk="000001"), lambda run: run)
    leave(timed, run)
    timed.storage.put(Container.STATE, state_path(run.export, "main", run.id), b"about to be named")
    before = stored(timed, run.export)
    sweep(timed, run.export)
    assert stored(timed, run.export) == before
    assert [entry.chunk for entry in timed.ledger.entries(run.export, run.id)] == ["000001"]


def test_a_run_that_begins_while_somebody_sweeps_keeps_what_it_writes(
    timed: App, run: Run, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    end(timed, run)
    clock.sleep(60)
    following = another(timed, run)
    read = Ledger.head

    def head(ledger: Ledger, export: str) -> Any:
        monkeypatch.setattr(Ledger, "head", read)
        ledger.start(following)
        leave(timed, following)
        end(timed, following)  # even if it is over before the head is read
        return ledger.head(export)

    monkeypatch.setattr(Ledger, "head", head)
    sweep(timed, run.export)
    assert len(stored(timed, run.export)) == 2  # not what it found; the next look takes it


def test_entries_of_many_ended_runs_are_found_without_reading_those_of_the_active_one(timed: App, run: Run) -> None:
    for chunk in ("000001", "000002"):
        timed.ledger.record(run.export, run.id, Entry(chunk=chunk), lambda run: run)
    assert timed.ledger.recorded(run.export) == [run.id]
    assert timed.ledger.recorded("another") == []


def test_owners_are_found_wherever_anything_of_theirs_is_stored(timed: App, run: Run) -> None:
    names = [f"e-{secrets.token_hex(4)}" for _ in EVERYTHING]
    for name, container in zip(names, EVERYTHING, strict=True):
        timed.storage.put(container, f"{name}/x", b"x")
    publish(timed, configured := f"e-{secrets.token_hex(4)}")
    assert {run.export, configured, *names} <= set(owners(timed))
    for name in names:
        sweep(timed, name)
        retain(timed, name)
        assert stored(timed, name) == []
    timed.registry.delete_export(configured)


@pytest.fixture
def old(timed: App, run: Run, clock: ManualClock) -> Run:
    """Return a run that ended, with its report and its rejected rows."""
    timed.storage.put(Container.REJECTED, rejected_path(run.export, run.id), b"rows")
    end_run(timed, run, ExportError(Reason.CANCELED_BY_USER))
    return run


def test_rejected_rows_and_history_go_in_their_time_whoever_owned_them(
    timed: App, old: Run, clock: ManualClock
) -> None:
    """Nobody configures this export any more: what is stored of it goes all the same."""
    clock.sleep(29 * DAY)
    retain(timed, old.export)
    assert len(stored(timed, old.export)) == 2
    clock.sleep(2 * DAY)
    retain(timed, old.export)
    assert stored(timed, old.export) == [f"reports/{report_path(old.export, old.id)}"]
    clock.sleep(60 * DAY)
    retain(timed, old.export)
    disown(timed, old.export)
    assert stored(timed, old.export) == []
    assert old.export not in set(timed.ledger.exports())


def test_many_young_runs_keep_no_old_one_from_being_cleared(timed: App, old: Run, clock: ManualClock) -> None:
    clock.sleep(40 * DAY)
    for _ in range(3):
        clock.sleep(1)
        young = another(timed, old)
        timed.ledger.start(young)
        end(timed, young)
    clock.sleep(51 * DAY)
    retain(timed, old.export)
    assert old.id not in {run.id for run in timed.ledger.runs(old.export)}
    assert len(timed.ledger.runs(old.export)) == 3


def test_the_state_of_a_deleted_export_goes_at_once_and_one_of_its_name_begins_with_nothing(
    timed: App, run: Run
) -> None:
    path = state_path(run.export, "main", run.id)
    timed.storage.put(Container.STATE, path, b"members")
    timed.ledger.change_head(run.export, lambda head: head.with_state("main", run).marked_deleted())
    with pytest.raises(RunInProgress):
        timed.ledger.start_over(run.export, timed.now(), only_if=lambda head: head.deleted)
    disown(timed, run.export)
    assert timed.ledger.head(run.export).states == {"main": run.id}  # its last run is still going
    end(timed, run)
    disown(timed, run.export)
    sweep(timed, run.export)
    assert stored(timed, run.export) == []
    assert timed.ledger.head(run.export).began_at == timed.now()


def test_a_state_whose_export_is_only_lost_waits_as_long_as_its_history(
    timed: App, run: Run, clock: ManualClock
) -> None:
    """The container of settings may have been lost: who saves the export again takes its members over."""
    timed.storage.put(Container.STATE, state_path(run.export, "main", run.id), b"members")
    timed.ledger.change_head(run.export, lambda head: head.with_state("main", run))
    end(timed, run)
    disown(timed, run.export)
    sweep(timed, run.export)
    assert timed.ledger.head(run.export).states == {"main": run.id}
    assert stored(timed, run.export) != []
    clock.sleep(91 * DAY)
    retain(timed, run.export)
    disown(timed, run.export)
    sweep(timed, run.export)
    assert stored(timed, run.export) == []


def test_an_export_that_is_configured_is_never_disowned(timed: App, run: Run) -> None:
    publish(timed, run.export)
    timed.ledger.change_head(run.export, lambda head: head.with_state("main", run).marked_deleted())
    end(timed, run)
    disown(timed, run.export)
    assert timed.ledger.head(run.export).states == {"main": run.id}
    timed.registry.delete_export(run.export)


def test_a_tick_sweeps_what_deleted_exports_left(timed: App, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    end(timed, run)
    leave(timed, run)
    app = dataclasses.replace(
        timed,
        source=cast("Any", SimpleNamespace(catalogue=_unreachable)),
        audit=cast("Any", SimpleNamespace(forget=lambda *_, **__: None, note=lambda *_: None)),
    )
    monkeypatch.setattr("export_trigger.steps.tick.sweep_keys", lambda _: None)
    tick(app)
    assert stored(timed, run.export) == []


def test_the_audit_trail_goes_in_its_time(timed: App, tables: Callable[[], Any], clock: ManualClock) -> None:
    audit = Audit(tables())
    app = dataclasses.replace(timed, audit=audit)
    audit.note(app.now(), "me", "put_export", {"export": "old"})
    clock.sleep((app.settings.audit_days - 1) * DAY)
    audit.note(app.now(), "me", "put_export", {"export": "young"})
    retain_audit(app)
    assert len(audit.entries()) == 2
    clock.sleep(2 * DAY)
    retain_audit(app)
    assert [entry.of for _, entry in audit.entries()] == ["export=young"]


def test_folders_of_a_container_that_was_never_made_are_none(timed: App) -> None:
    assert Storage.folders(timed.storage, cast("Any", "never-made")) == []


def _unreachable() -> None:
    raise ExportError(Reason.SOURCE_UNREACHABLE)
