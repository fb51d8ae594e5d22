"""Postpone work: requeue its message with a delay and complete the original, so that dequeue counts only count failures."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import timedelta
from typing import Final

from shared.azure.records import NewerVersion
from shared.azure.storage import Queue
from shared.composition.app import App
from shared.lifecycle.liveness import keep_busy
from shared.reasons.errors import TryLater
from shared.runs.ledger import NoSuchRun
from shared.runs.work import RunWork

log = logging.getLogger(__name__)


NEWER_PAUSE: Final = 60.0
"""Seconds after which work is taken up again that a newer version of the app has to do: it may be about to."""


def postpone(app: App, queue: Queue, work: RunWork, later: TryLater | NewerVersion) -> None:
    """Requeue a message, to be seen when `later` says; its run says what it waits for, so that supervision leaves it alone."""
    if isinstance(later, NewerVersion):
        log.error("left to a newer version: export=%s run=%s %s", work.export, work.run, later.detail)
        with suppress(NewerVersion, NoSuchRun):
            keep_busy(app, work.export, work.run, NEWER_PAUSE)
        app.storage.send(queue, work.model_dump(), delay=NEWER_PAUSE)
        return
    try:
        run = keep_busy(app, work.export, work.run, later.seconds)
        if (waits_for := later.waits_for) is not None:
            until = app.now() + timedelta(seconds=later.lasts)
            run = app.ledger.change(work.export, work.run, lambda run: run.waiting(waits_for, until))
    except NoSuchRun:
        return
    if not run.status.is_final:
        app.storage.send(queue, work.model_dump(), delay=later.seconds)
