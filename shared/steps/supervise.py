"""Supervision: a run whose processes died goes on by itself when any instance is there."""

from __future__ import annotations

import logging

from shared import tracing
from shared.adapters.storage import Queue
from shared.app import App
from shared.ledger import NoSuchRun
from shared.reasons import TryLater
from shared.run import Run
from shared.signals import Span
from shared.steps.busy import is_stranded
from shared.steps.finish import finish_run
from shared.steps.follow_up import follow_up
from shared.steps.plan import issue
from shared.steps.start import message

log = logging.getLogger(__name__)


def supervise(app: App) -> None:
    """Look after every run that is going."""
    for name in list(app.registry.exports()):
        head = app.ledger.head(name)
        if head.active is not None:
            supervise_run(app, name, head.active)
        elif head.owed is not None:
            follow_up(app, name)


def supervise_run(app: App, export: str, run_id: str) -> None:
    """Take up a run that shows no life: its messages again, or its end. Harmless if it is only slow."""
    try:
        run = app.ledger.run(export, run_id)
    except NoSuchRun:
        app.ledger.release(export, run_id)
        return
    if run.is_delivered:
        try:
            finish_run(app, export, run_id)
        except TryLater:
            log.info("somebody else is finishing export=%s run=%s", export, run_id)
    elif is_stranded(app, run):
        _issue_again(app, run)


@tracing.traced(Span.SUPERVISE)
def _issue_again(app: App, run: Run) -> None:
    log.warning("no life, issued again: export=%s run=%s", run.export, run.id)
    now = app.now()
    app.ledger.change(
        run.export,
        run.id,
        lambda run: run if run.status.is_final else run.model_copy(update={"progress_at": now}),
    )
    if run.plan is None:
        app.storage.send(Queue.RUNS, message(run))
    else:
        issue(app, run)
