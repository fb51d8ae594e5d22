"""Postpone work: requeue its message with a delay and complete the original, so that dequeue counts only count failures."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import timedelta

from shared.azure.records import NewerVersion
from shared.azure.storage import Queue
from shared.composition.app import App
from shared.lifecycle.liveness import keep_busy
from shared.reasons.errors import TryLater
from shared.retry.policy import NEWER_VERSION
from shared.runs.ledger import NoSuchRun
from shared.runs.work import RunWork

log = logging.getLogger(__name__)


def requeue(app: App, queue: Queue, work: RunWork, later: TryLater) -> None:
    """Requeue a message, to be seen when `later` says."""
    app.storage.send(queue, work.model_dump(), delay=later.seconds)


def leave_to_newer_version(app: App, queue: Queue, work: RunWork, newer: NewerVersion) -> None:
    """Requeue a message of work that a newer version of the app has to do: it may be about to."""
    log.error("left to a newer version: export=%s run=%s %s", work.export, work.run, newer.detail)
    later = TryLater(NEWER_VERSION.pause(), newer.detail)
    with suppress(NewerVersion, NoSuchRun):
        keep_busy(app, work.export, work.run, later.seconds)
    requeue(app, queue, work, later)


def postpone(app: App, queue: Queue, work: RunWork, later: TryLater) -> None:
    """Requeue a message of a run that is going; the run says what it waits for, so that supervision leaves it alone."""
    try:
        run = keep_busy(app, work.export, work.run, later.seconds)
        if (waits_for := later.waits_for) is not None:
            until = app.now() + timedelta(seconds=later.lasts)
            run = app.ledger.change(work.export, work.run, lambda run: run.waiting(waits_for, until))
    except NoSuchRun:
        return
    if not run.status.is_final:
        requeue(app, queue, work, later)
