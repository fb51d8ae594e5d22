"""Supervision: a run whose processes died goes on by itself when any instance is there."""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial

from export_trigger.steps.plan_run import issue
from shared.azure.records import NewerVersion
from shared.azure.storage import Queue
from shared.composition.app import App
from shared.lifecycle.each import each
from shared.lifecycle.finish import abandon_run, finish_run
from shared.lifecycle.follow_up import follow_up
from shared.lifecycle.liveness import is_stranded
from shared.lifecycle.start import message
from shared.reasons.errors import TryLater
from shared.runs.ledger import NoSuchRun
from shared.runs.run import Run
from shared.telemetry import tracing
from shared.telemetry.names import Span

log = logging.getLogger(__name__)


def supervise(app: App) -> None:
    """Look after every run that is going, of exports that were deleted meanwhile too."""
    each(list(app.ledger.exports()), partial(_look_after, app))


def _look_after(app: App, export: str) -> None:
    head = app.ledger.head(export)
    if head.active is not None:
        supervise_run(app, export, head.active)
    elif head.pending_follow_up is not None:
        follow_up(app, export)


def supervise_run(app: App, export: str, run_id: str) -> None:
    """Take up a run that shows no life: its messages again, or its end. Harmless if it is only slow."""
    try:
        run = app.ledger.run(export, run_id)
    except NoSuchRun:
        app.ledger.release(export, run_id)
        return
    if run.is_delivered:
        _finish(app, run)
    elif is_stranded(app, run):
        with tracing.span(Span.SUPERVISE, run):
            _issue_again(app, run)


def _finish(app: App, run: Run) -> None:
    """Finish a run whose finisher died. One that fails for as long as an outage may last ends without."""
    try:
        finish_run(app, run.export, run.id)
    except TryLater:
        log.info("somebody else is finishing export=%s run=%s", run.export, run.id)
    except NewerVersion as newer:
        log.error("left to a newer version: export=%s run=%s %s", run.export, run.id, newer.detail)
    except Exception:
        delivered_at = run.progress_at or run.queued_at
        if app.now() - delivered_at > timedelta(minutes=app.settings.outage_minutes):
            abandon_run(app, run)
        raise


def _issue_again(app: App, run: Run) -> None:
    log.warning("no life, issued again: export=%s run=%s", run.export, run.id)
    now = app.now()
    run = app.ledger.change(run.export, run.id, lambda run: run.issued_again(now))
    if run.plan is None:
        app.storage.send(Queue.RUNS, message(run))
    else:
        issue(app, run)
