"""What every queue trigger does: read the message, do the work that it names, and postpone what cannot go on now."""

from __future__ import annotations

from collections.abc import Callable

import shared.composition.app as composition
from shared.azure.records import NewerVersion
from shared.azure.storage import Queue
from shared.composition.app import App
from shared.lifecycle.postpone import leave_to_newer_version, postpone
from shared.reasons.errors import TryLater
from shared.runs.work import RunWork, read_work


def handle[W: RunWork](
    message: bytes,
    kind: type[W],
    step: Callable[[App, W], None],
    queue: Queue,
    again: Callable[[App, Queue, W, TryLater], None] = postpone,
) -> None:
    """Do what a message asks for: `step`, with the work that it names, of the type `kind`.

    A message that names no work is dropped. Work that cannot go on now goes back on `queue` by `again`, and counts as no
    failure, as does work that a newer version of the app has to do. Whatever else the step raises is a failure, and the
    host repeats the message.
    """
    work = read_work(message, kind)
    if work is None:
        return
    app = composition.app()
    try:
        step(app, work)
    except TryLater as later:
        again(app, queue, work, later)
    except NewerVersion as newer:
        leave_to_newer_version(app, queue, work, newer)
