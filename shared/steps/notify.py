"""Tell the operator's webhook of a run's end."""

from __future__ import annotations

import logging

from shared.adapters import webhook
from shared.adapters.storage import Queue
from shared.app import App
from shared.ledger import NoSuchRun
from shared.reasons import TryLater
from shared.run import Run

log = logging.getLogger(__name__)


def announce(app: App, run: Run) -> None:
    """Put a notice on the queue, before the run ends, so that no end goes untold; it waits until the run has ended."""
    if app.settings.notify_url:
        app.storage.send(Queue.NOTICES, {"export": run.export, "run": run.id}, delay=1)


def notify(app: App, export: str, run_id: str) -> None:
    """Send the notice; raises TryLater while the run has not ended, WebhookFailed if it was not taken."""
    url = app.settings.notify_url
    try:
        run = app.ledger.run(export, run_id)
    except NoSuchRun:
        return
    if url is None:
        return
    if not run.status.is_final:
        raise TryLater(5, "the run has not ended yet")
    notice = run.model_dump(
        mode="json",
        include={
            "export",
            "id",
            "trigger",
            "status",
            "reason",
            "detail",
            "queued_at",
            "started_at",
            "ended_at",
            "counts",
        },
    )
    webhook.post(app.http, url, {**notice, "advice": run.reason.advice if run.reason else ""})


def give_up(export: str, run_id: str) -> None:
    """Note that the webhook never took the notice of a run's end."""
    log.error("the webhook did not take a notice: export=%s run=%s", export, run_id)
