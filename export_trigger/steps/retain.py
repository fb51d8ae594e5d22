"""Retention: what is stored of runs goes when its time is over, whoever owned it, by the app itself.

A lifecycle rule of the storage account does not run where its network lets nobody in, so none is relied upon. Days count
from a run's start, which its id says.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import Final

from shared.azure.records import RecordDamaged, Unreadable
from shared.azure.storage import Container
from shared.composition.app import App
from shared.runs.run import Run
from shared.runs.run_id import moment_of

log = logging.getLogger(__name__)

PREVIEW_KEPT: Final = timedelta(hours=1)

MOST_AT_ONCE: Final = 200
"""Runs, and files of each kind, of one export that a tick deletes; the rest waits for the next one."""


def retain(app: App, export: str) -> None:
    """Delete rejected rows, reports and runs of an export that are older than the settings keep them."""
    now = app.now()
    runs_from = now - timedelta(days=app.settings.history_days)
    _expire(app, Container.REJECTED, export, now - timedelta(days=app.settings.rejected_days))
    _expire(app, Container.REPORTS, export, runs_from)
    for run_id, run in list(islice(app.ledger.each_row(export, older_than=runs_from), MOST_AT_ONCE)):
        if _is_over(run, runs_from):
            app.ledger.forget(export, run_id)
            log.info("history cleared: export=%s run=%s", export, run_id)
    app.locks.forget_finished(export)


def retain_audit(app: App) -> None:
    """Delete what is in the audit trail for longer than the settings keep it."""
    app.audit.forget(app.now() - timedelta(days=app.settings.audit_days), most=MOST_AT_ONCE)


def retain_previews(app: App) -> None:
    """Delete what previews came to that took long, an hour after they were asked for."""
    is_over = _is_older(app.now() - PREVIEW_KEPT)
    for name in [name for name in app.storage.names(Container.PREVIEWS) if is_over(name)][:MOST_AT_ONCE]:
        app.storage.delete(Container.PREVIEWS, name)


def _expire(app: App, container: Container, export: str, before: datetime) -> None:
    """Delete an export's files of runs that were started before a moment: they come in the order of their runs' ids."""
    names = app.storage.names(container, f"{export}/")
    for turn, name in enumerate(takewhile(_is_older(before), names)):
        if turn == MOST_AT_ONCE:
            return
        app.storage.delete(container, name)
        log.info("expired %s/%s", container, name)


def _is_over(run: Run | Unreadable, before: datetime) -> bool:
    """Return whether a run that was started before a moment had ended by then; nobody ends one that is damaged."""
    if isinstance(run, Unreadable):
        return isinstance(run, RecordDamaged)
    return run.ended_at is not None and run.ended_at < before


def _is_older(moment: datetime) -> Callable[[str], bool]:
    """Return what tells whether a file's run was started before a moment; what names no run is as old as can be."""

    def older(name: str) -> bool:
        started = moment_of(name.rpartition("/")[2])
        return started is None or started < moment

    return older
