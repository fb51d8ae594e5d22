"""An export's past: runs as they would have left it."""

from __future__ import annotations

from datetime import timedelta

from shared.composition.app import App
from shared.reasons.codes import Reason
from shared.runs.counts import Counts
from shared.runs.run import Run
from shared.runs.run_id import new_run_id
from tests.runs.lives import planned


def a_run(app: App, export: str, minutes_ago: float, reason: Reason | None = None) -> Run:
    """Return a run that was started some minutes ago and delivered something."""
    at = app.now() - timedelta(minutes=minutes_ago)
    run = Run(export=export, id=new_run_id(at), trigger="cron", requested_by="schedule", queued_at=at)
    counts = Counts(rows_read=3, delivered=3)
    summary = planned(run, at, chunks=0, counts=counts).model_copy(update={"as_of": at})
    return summary.ended(at + timedelta(seconds=30), reason)
