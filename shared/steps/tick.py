"""The tick: starts what is due, and takes up what a dead process left lying."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final

from shared.adapters.storage import Queue
from shared.app import App
from shared.configuration import Export, OnCron, OnRefresh
from shared.domain.schedule import is_due
from shared.ledger import NoSuchRun, RunInProgress
from shared.reasons import Reason, RunEnded, TryLater
from shared.run import Head, Run
from shared.source.catalogue import Catalogue
from shared.steps.finish import finish_run
from shared.steps.plan import issue
from shared.steps.retain import retain
from shared.steps.start import message, start_run

log = logging.getLogger(__name__)

PATIENCE: Final = timedelta(minutes=10)
"""How long a run may show no progress before its messages are put on the queue again."""


def tick(app: App) -> None:
    """Look after every export: its run that is going, and whether a new one is due."""
    refreshed = _refreshed(app)
    for name in list(app.registry.exports()):
        found = app.registry.export(name)
        head = app.ledger.head(name)
        retain(app, name)
        if head.active is not None:
            supervise(app, name, head.active)
        elif found is not None:
            _start_if_due(app, name, found[0], head, refreshed)


def supervise(app: App, export: str, run_id: str) -> None:
    """Take up a run that shows no progress: its messages again, or its end. Harmless if it is only slow."""
    try:
        run = app.ledger.run(export, run_id)
    except NoSuchRun:
        app.ledger.mark(export, {"active": None})
        return
    if run.is_delivered:
        try:
            finish_run(app, export, run_id)
        except TryLater:
            log.info("somebody else is finishing export=%s run=%s", export, run_id)
    elif app.now() - (run.progress_at or run.queued_at) > PATIENCE:
        _issue_again(app, run)


def _issue_again(app: App, run: Run) -> None:
    log.warning("no progress, issued again: export=%s run=%s", run.export, run.id)
    now = app.now()
    app.ledger.change(run.export, run.id, lambda run: run.model_copy(update={"progress_at": now}))
    if run.plan is None:
        app.storage.send(Queue.RUNS, message(run))
    else:
        issue(app, run)


def _refreshed(app: App) -> Catalogue | None:
    """Read the source's catalogue; None if it cannot be read now, which every affected run will say by itself."""
    try:
        return app.source.catalogue()
    except RunEnded as end:
        log.warning("the source cannot be read: reason=%s detail=%s", end.reason, end.detail)
        return None


def _start_if_due(app: App, name: str, export: Export, head: Head, refreshed: Catalogue | None) -> None:
    match export.schedule:
        case OnRefresh() if refreshed is not None and refreshed.etag != head.refresh:
            if not head.refresh:
                app.ledger.mark(name, {"refresh": refreshed.etag})
            elif _is_settled(app, export, refreshed):
                _start(app, name, "refresh", {"refresh": refreshed.etag})
        case OnCron() as cron:
            now = app.now()
            since: datetime = max(head.cron_at or export.updated_at, export.updated_at)
            if is_due(cron.cron, cron.time_zone, since, now):
                _start(app, name, "cron", {"cron_at": now})


def _is_settled(app: App, export: Export, refreshed: Catalogue) -> bool:
    """Say whether the refresh is written to its end; if not, the next tick looks again."""
    quiet = timedelta(seconds=app.settings.settle_seconds)
    try:
        app.source.verify_settled(refreshed, [target.segment for target in export.segments], now=app.now(), quiet=quiet)
    except RunEnded as end:
        return end.reason is not Reason.SOURCE_NOT_SETTLED
    return True


def _start(app: App, name: str, trigger: str, mark: dict[str, object]) -> None:
    try:
        run = start_run(
            app, name, trigger="refresh" if trigger == "refresh" else "cron", requested_by="schedule", mark=mark
        )
        log.info("started export=%s run=%s trigger=%s", name, run.id, trigger)
    except RunInProgress as going:
        log.info("already going: export=%s run=%s", name, going.run_id)
