"""Supervision: a run whose processes died goes on by itself when any instance is there."""

from __future__ import annotations

import logging

from shared.adapters.storage import Queue
from shared.app import App
from shared.ledger import NoSuchRun
from shared.reasons import TryLater
from shared.run import Run
from shared.steps.busy import is_stranded
from shared.steps.finish import finish_run
from shared.steps.plan import issue
from shared.steps.start import message

log = logging.getLogger(__name__)


def supervise(app: App) -> None:
    """Look after every run that is going."""
    for name in list(app.registry.exports()):
        active = app.ledger.head(name).active
        if active is not None:
            supervise_run(app, name, active)


def supervise_run(app: App, export: str, run_id: str) -> None:
    """Take up a run that shows no life: its messages again, or its end. Harmless if it is only slow."""
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
    elif is_stranded(run, app.now()):
        _issue_again(app, run)


def _issue_again(app: App, run: Run) -> None:
    log.warning("no life, issued again: export=%s run=%s", run.export, run.id)
    now = app.now()
    app.ledger.change(run.export, run.id, lambda run: run.model_copy(update={"progress_at": now}))
    if run.plan is None:
        app.storage.send(Queue.RUNS, message(run))
    else:
        issue(app, run)
