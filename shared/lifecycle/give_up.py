"""Giving up what failed, however often it was tried: nothing stays in a poison queue that nobody looks at."""

from __future__ import annotations

import logging
from typing import Final

from shared.azure.storage import Container, TooLarge
from shared.composition.app import App
from shared.delivery.chunks import UnreadableChunk, decode
from shared.lifecycle.finish import end_run, finish_run
from shared.lifecycle.record import Outcome, record, record_lost
from shared.lifecycle.undone import left
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.runs.files import chunk_path
from shared.runs.ledger import NoSuchRun
from shared.runs.run import Run
from shared.telemetry import metering

log = logging.getLogger(__name__)


def end_unplanned(app: App, export: str, run_id: str) -> None:
    """End a run that cannot be planned because of a fault of this app."""
    try:
        run = app.ledger.run(export, run_id)
    except NoSuchRun:
        return
    if not run.status.is_final and run.plan is None:
        end_run(app, run, ExportError(Reason.INTERNAL_ERROR))


def record_undelivered(app: App, export: str, run_id: str, chunk: str) -> None:
    """Record a chunk as undelivered, stop its run with INTERNAL_ERROR, and finish the run if it was the last."""
    try:
        run = app.ledger.run(export, run_id)
    except NoSuchRun:
        return
    if run.status.is_final:
        return
    if app.ledger.entry(export, run_id, chunk) is None:
        run = _give_up(app, run, chunk)
    if run.is_delivered:
        finish_run(app, export, run_id)


def _give_up(app: App, run: Run, chunk: str) -> Run:
    """Record a chunk that always failed: its operations are left, or it is lost if even its content cannot be read."""
    try:
        outcome = _left(app, run, chunk)
    except (UnreadableChunk, TooLarge) as damage:
        return record_lost(app, run, chunk, str(damage))
    log.error("a chunk failed however often it was tried: export=%s run=%s chunk=%s", run.export, run.id, chunk)
    metering.given_up(run, chunk)
    return record(app, run, chunk, outcome)


def _left(app: App, run: Run, chunk: str) -> Outcome:
    """Return what a chunk comes to whose operations are not done; raise UnreadableChunk or TooLarge if nobody knows them."""
    found = app.storage.get(Container.CHUNKS, chunk_path(run.export, run.id, str(run.plan), chunk))
    if found is None:
        raise UnreadableChunk("it is missing")
    return _LIST if run.verification else left(app, run, Reason.INTERNAL_ERROR, decode(found[0]))


_LIST: Final = Outcome(stop=Reason.INTERNAL_ERROR, left=1)
"""What comes of a list that could not be read back."""
