"""Give work back for a while: a delayed message and a success, so that dequeue counts mean real faults."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Final

from shared.azure.records import NewerVersion
from shared.azure.storage import Queue
from shared.composition.app import App
from shared.lifecycle.liveness import busy_until, waits
from shared.reasons.errors import TryLater
from shared.runs.ledger import NoSuchRun
from shared.runs.work import RunWork

log = logging.getLogger(__name__)


NEWER_PAUSE: Final = 60.0
"""Seconds after which work is taken up again that a newer version of the app has to do: it may be about to."""


def postpone(app: App, queue: Queue, work: RunWork, later: TryLater | NewerVersion) -> None:
    """Put a message back, to be seen when `later` says; supervision knows that its run is only waiting."""
    if isinstance(later, NewerVersion):
        log.error("left to a newer version: export=%s run=%s %s", work.export, work.run, later.detail)
        with suppress(NewerVersion, NoSuchRun):
            busy_until(app, work.export, work.run, NEWER_PAUSE)
        app.storage.send(queue, work.model_dump(), delay=NEWER_PAUSE)
        return
    try:
        run = busy_until(app, work.export, work.run, later.seconds)
        if later.waits_for is not None:
            run = waits(app, run, later)
    except NoSuchRun:
        return
    if not run.status.is_final:
        app.storage.send(queue, work.model_dump(), delay=later.seconds)
