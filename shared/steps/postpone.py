"""Give work back for a while: a delayed message and a success, so that dequeue counts mean real faults."""

from __future__ import annotations

from collections.abc import Mapping

from shared.adapters.storage import Queue
from shared.app import App
from shared.ledger import NoSuchRun
from shared.reasons import TryLater
from shared.steps.busy import busy_until


def postpone(app: App, queue: Queue, work: Mapping[str, str], later: TryLater) -> None:
    """Put a message back, to be seen when `later` says; supervision knows that its run is only waiting."""
    try:
        busy_until(app, work["export"], work["run"], later.seconds)
    except NoSuchRun:
        return
    app.storage.send(queue, work, delay=later.seconds)
