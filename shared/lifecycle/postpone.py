"""Give work back for a while: a delayed message and a success, so that dequeue counts mean real faults."""

from __future__ import annotations

from shared.azure.storage import Queue
from shared.composition.app import App
from shared.lifecycle.liveness import busy_until, waits
from shared.reasons.errors import TryLater
from shared.runs.ledger import NoSuchRun
from shared.runs.work import RunWork


def postpone(app: App, queue: Queue, work: RunWork, later: TryLater) -> None:
    """Put a message back, to be seen when `later` says; supervision knows that its run is only waiting."""
    try:
        run = busy_until(app, work.export, work.run, later.seconds)
        if later.waits_for is not None:
            run = waits(app, run, later)
    except NoSuchRun:
        return
    if not run.status.is_final:
        app.storage.send(queue, work.model_dump(), delay=later.seconds)
