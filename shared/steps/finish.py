"""Finish a run: outcomes merged into state, counts that add up, a report and the rejected rows, one status."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import polars as pl

from shared.adapters.storage import Container
from shared.app import App
from shared.domain.state import RECEIPTS, merge, rewire, without
from shared.ledger import NoSuchRun
from shared.reasons import Reason, RunEnded, Status
from shared.run import Entry, Run
from shared.steps.files import (
    load_state,
    read_table,
    rejected_path,
    report_path,
    run_folder,
    state_path,
    write_table,
)
from shared.steps.notify import announce
from shared.steps.rejected import write_rejected

log = logging.getLogger(__name__)

FINISH_SECONDS: Final = 90.0
"""Seconds one worker may take to finish a run before another may try."""


def end_run(app: App, run: Run, end: RunEnded) -> Run:
    """End a run before anything was sent."""
    ended = _close(app, run, end.reason, end.detail, state_of=None)
    log.warning("ended export=%s run=%s reason=%s", run.export, run.id, end.reason)
    return ended


def finish_run(app: App, export: str, run_id: str) -> Run:
    """Finish a run whose chunks all have their outcome. May be repeated, by anybody, at any time.

    Raises TryLater while somebody else is finishing it.
    """
    run = app.ledger.run(export, run_id)
    if run.status.is_final or not run.is_delivered:
        return run
    with app.accounts.exclusive(export, f"finish {run_id}", FINISH_SECONDS):
        run = app.ledger.run(export, run_id)
        return run if run.status.is_final else _finish(app, run)


def _finish(app: App, run: Run) -> Run:
    export, run_id = run.export, run.id
    entries = app.ledger.entries(export, run_id)
    rejected = _rejected_rows(app, run, entries)
    if rejected.height:
        table = write_rejected(rejected, [target.segment for target in run.targets])
        app.storage.put(Container.REJECTED, rejected_path(export, run_id), table)
    connection = str(run.connection)
    before = app.ledger.head(export).states.get(connection)
    changed = any(entry.receipts for entry in entries)
    if changed:
        _save_state(app, run, entries, before)
    ended = _close(app, run, _reason(run), "", state_of=connection if changed else None)
    if changed and before and before != run_id:
        app.storage.delete(Container.STATE, state_path(export, connection, before))
    log.info("finished export=%s run=%s status=%s reason=%s", export, run_id, ended.status, ended.reason)
    return ended


def clear_run(app: App, run: Run) -> None:
    """Delete a finished run's chunks and outcomes: they are in its state and report by now."""
    for container in (Container.CHUNKS, Container.OUTCOMES):
        app.storage.delete_all(container, run_folder(run.export, run.id))
    app.ledger.forget_entries(run.export, run.id)


def _close(app: App, run: Run, reason: Reason | None, detail: str, *, state_of: str | None) -> Run:
    """Write the report, then give the run its final status and free its export, then clear up."""
    now = app.now()

    def ended(run: Run) -> Run:
        return run.model_copy(
            update={
                "status": reason.status if reason else Status.SUCCESSFUL,
                "reason": reason,
                "detail": detail,
                "ended_at": now,
            }
        )

    announce(app, run)
    report = ended(run).model_dump_json(indent=2, exclude={"plan", "progress_at", "busy_until", "unreachable_since"})
    app.storage.put(Container.REPORTS, report_path(run.export, run.id), report.encode())
    try:
        closed = app.ledger.finish(run.export, run.id, ended, state_of=state_of)
    except NoSuchRun:
        return ended(run)
    clear_run(app, run)
    return closed


def _reason(run: Run) -> Reason | None:
    """Why the run ends as it does: what stopped it, else what it left undone, else nothing to say."""
    if run.stop:
        return run.stop
    if run.counts.rejected or run.counts.removed < run.counts.leavers:
        return Reason.ROWS_REJECTED
    return None if run.operations else Reason.NOTHING_TO_DO


def _save_state(app: App, run: Run, entries: Sequence[Entry], before: str | None) -> None:
    """Merge what the chunks' receipts confirm into the state that the run started from."""
    connection = str(run.connection)
    names = [entry.receipts for entry in entries if entry.receipts]
    with ThreadPoolExecutor(8) as pool:
        tables = [read_table(data) for data in pool.map(lambda name: _outcome(app, name), names)]
    lists = tuple(dict.fromkeys(list_id for _, table_lists in tables for list_id in table_lists))
    receipts = [rewire(table, table_lists, lists) for table, table_lists in tables]
    state = load_state(app.storage, run.export, connection, before)
    merged = merge(state, pl.concat(receipts) if receipts else pl.DataFrame(schema=RECEIPTS), lists)
    path = state_path(run.export, connection, run.id)
    people = without(merged.people, app.tombstones.people())
    app.storage.put(Container.STATE, path, write_table(people, merged.lists))


def _outcome(app: App, name: str) -> bytes:
    found = app.storage.get(Container.OUTCOMES, name)
    if found is None:
        raise FileNotFoundError(f"outcomes/{name} is missing")
    return found[0]


def _rejected_rows(app: App, run: Run, entries: Sequence[Entry]) -> pl.DataFrame:
    """Gather the rejected rows: those of the plan first, then those of the chunks."""
    names = [f"{run_folder(run.export, run.id)}plan-{run.plan}.rejected.parquet"]
    names += [entry.rejected for entry in entries if entry.rejected]
    return pl.concat([read_table(_outcome(app, name))[0] for name in names])
