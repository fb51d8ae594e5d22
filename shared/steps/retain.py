"""Retention: runs and rejected rows go when their time is over."""

from __future__ import annotations

import logging
from datetime import timedelta

from shared.adapters.storage import Container
from shared.app import App
from shared.steps.files import rejected_path, report_path

log = logging.getLogger(__name__)

MOST_AT_ONCE = 200
"""Runs of one export that a tick looks at; the rest waits for the next one."""


def retain(app: App, export: str) -> None:
    """Delete rejected rows and runs of an export that are older than the settings keep them."""
    now = app.now()
    rows_from = now - timedelta(days=app.settings.rejected_days)
    runs_from = now - timedelta(days=app.settings.history_days)
    for run in app.ledger.runs(
        export, older_than=min(rows_from, runs_from, key=lambda moment: now - moment), most=MOST_AT_ONCE
    ):
        if run.ended_at is None:
            continue
        if run.ended_at < rows_from:
            app.storage.delete(Container.REJECTED, rejected_path(export, run.id))
        if run.ended_at < runs_from:
            app.storage.delete(Container.REPORTS, report_path(export, run.id))
            app.ledger.forget(export, run.id)
            log.info("history cleared: export=%s run=%s", export, run.id)
