"""What every queue trigger does: read the message, do the work that it names, and postpone what cannot go on now.

What is postponed goes back on its queue with a delay and its message is completed: so dequeue counts only count failures.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import shared.composition.app as composition
from shared.azure.away import StorageError, is_away
from shared.azure.records import NewerVersion
from shared.azure.storage import Queue
from shared.composition.app import App
from shared.lifecycle.liveness import keep_busy
from shared.reasons.errors import TryLater
from shared.retry.policy import NEWER_VERSION, STORAGE_AWAY
from shared.runs.ledger import NoSuchRun
from shared.runs.work import RunWork, read_work
from shared.telemetry import tracing

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


def handle[W: RunWork](
    message: bytes,
    kind: type[W],
    step: Callable[[App, W], None],
    queue: Queue,
    again: Callable[[App, Queue, W, TryLater], None] = postpone,
) -> None:
    """Do what a message asks for: `step`, with the work that it names, of the type `kind`.

    A message that names no work is dropped. Work that cannot go on now goes back on `queue` by `again`, and counts as no
    failure, as does work that a newer version of the app has to do, or in which the app's storage did not answer. Whatever
    else the step raises is a failure, and the host repeats the message.
    """
    tracing.listen()
    work = read_work(message, kind)
    if work is None:
        return
    app = composition.app()
    try:
        _carry_out(app, work, step, queue, again)
    except StorageError as error:
        if not is_away(error):
            raise
        log.warning("storage did not answer: export=%s run=%s %s", work.export, work.run, type(error).__name__)
        requeue(app, queue, work, TryLater(STORAGE_AWAY.pause(), "storage does not answer"))


def _carry_out[W: RunWork](
    app: App,
    work: W,
    step: Callable[[App, W], None],
    queue: Queue,
    again: Callable[[App, Queue, W, TryLater], None],
) -> None:
    try:
        step(app, work)
    except TryLater as later:
        again(app, queue, work, later)
    except NewerVersion as newer:
        leave_to_newer_version(app, queue, work, newer)
