"""Notices: tell the operator's webhook of a run's end."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from shared.azure.storage import Queue
from shared.composition.app import App
from shared.http import webhook
from shared.reasons.errors import TryLater
from shared.retry.policy import NOT_ENDED, WEBHOOK
from shared.runs.ledger import NoSuchRun
from shared.runs.run import Run

log = logging.getLogger(__name__)


def announce(app: App, run: Run) -> None:
    """Put a notice on the queue, before the run ends, so that no end goes untold; it waits until the run has ended."""
    if app.settings.notify_url:
        app.storage.send(Queue.NOTICES, {"export": run.export, "run": run.id}, delay=1)


def notify(app: App, export: str, run_id: str) -> None:
    """Send the notice; raise TryLater while the run has not ended, and where the webhook did not take it.

    It is offered again, with longer and longer pauses, for as long as an outage of a destination would be waited out.
    """
    url = app.settings.notify_url
    try:
        run = app.ledger.run(export, run_id)
    except NoSuchRun:
        return
    if url is None:
        return
    if not run.status.is_final:
        raise TryLater(NOT_ENDED.pause(), "the run has not ended yet")
    try:
        webhook.post(app.http, url, _notice(run))
    except webhook.WebhookFailed as failure:
        _offer_again(app, run, failure)


def _offer_again(app: App, run: Run, failure: webhook.WebhookFailed) -> None:
    """Raise TryLater, or give up on a webhook that has not taken the notice for too long."""
    waited = app.now() - (run.ended_at or run.queued_at)
    if waited > timedelta(minutes=app.settings.outage_minutes):
        give_up(run.export, run.id)
        return
    log.warning("%s: export=%s run=%s", failure, run.export, run.id)
    raise TryLater(WEBHOOK.pause_after(waited.total_seconds()), str(failure))


def _notice(run: Run) -> dict[str, Any]:
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
            "findings",
        },
    )
    return {**notice, "advice": run.reason.advice if run.reason else ""}


def give_up(export: str, run_id: str) -> None:
    """Note that the webhook never took the notice of a run's end."""
    log.error("the webhook did not take a notice: export=%s run=%s", export, run_id)
