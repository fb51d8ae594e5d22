"""Runs at some point of their life, for tests of what comes then."""

from __future__ import annotations

from datetime import datetime

from shared.exports.configuration import SegmentTarget
from shared.reasons.codes import Reason
from shared.runs.counts import Counts
from shared.runs.plan_summary import PlanSummary
from shared.runs.run import Run


def planned(
    run: Run,
    at: datetime,
    *,
    chunks: int = 1,
    operations: int = 0,
    counts: Counts | None = None,
    targets: tuple[SegmentTarget, ...] = (),
) -> Run:
    """Return a queued run once its plan `p`, through the connection `main`, is recorded."""
    plan = PlanSummary("p", "main", "main", targets, chunks, operations, counts or Counts())
    return run.planning(at, "main", "main").planned(plan, at)


def canceled(run: Run, at: datetime) -> Run:
    """Return a run that has no plan once somebody canceled it."""
    return run.stopped(Reason.CANCELED_BY_USER).ended(at, Reason.CANCELED_BY_USER)
