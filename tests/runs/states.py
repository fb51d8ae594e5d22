"""A run in each of its states."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from shared.exports.configuration import SegmentTarget
from shared.reasons.codes import Reason, WaitsFor
from shared.runs.counts import Counts
from shared.runs.entry import Entry
from shared.runs.plan_summary import PlanSummary
from shared.runs.run import Run

NOW: Final = datetime(2026, 11, 29, 12, tzinfo=UTC)


LATER: Final = NOW + timedelta(minutes=1)


TARGETS: Final = (SegmentTarget(segment="VIP", list="VIP"),)


def plan(chunks: int = 1, counts: Counts | None = None) -> PlanSummary:
    return PlanSummary("p", "main", "acc", TARGETS, chunks, 3, counts or Counts(rows_read=3), "remark", "etag")


def entry(chunk: str = "000001", **fields: object) -> Entry:
    return Entry.model_validate({"chunk": chunk, "settled": 3, "left": 0, **fields})


QUEUED: Final = Run(
    export="e", id="r", trigger="refresh", requested_by="schedule", queued_at=NOW, refresh="etag", refreshed_at=NOW
)


OTHER: Final = Run(export="e", id="s", trigger="cron", requested_by="schedule", queued_at=NOW)


PLANNING: Final = QUEUED.planning(NOW, "main", "acc")


SENDING: Final = PLANNING.planned(plan(), NOW)


STOPPED: Final = SENDING.sending("000001").stopped(Reason.CANCELED_BY_USER)


DELIVERED: Final = SENDING.recorded(entry(), Counts(delivered=3), None, NOW)


ENDED: Final = DELIVERED.ended(NOW, None)


STEPS: Final[dict[str, Callable[[Run], Run]]] = {
    "planning": lambda run: run.planning(LATER, "twin", "acc"),
    "planned": lambda run: run.planned(plan(), LATER),
    "sending": lambda run: run.sending("000002"),
    "sending again": lambda run: run.sending("000001"),
    "held": lambda run: run.held(LATER),
    "recorded": lambda run: run.recorded(entry(), Counts(delivered=1), None, LATER),
    "stopped": lambda run: run.stopped(Reason.KEY_REFUSED),
    "busy": lambda run: run.busy(LATER),
    "waiting": lambda run: run.waiting(WaitsFor.PACE, LATER),
    "unreachable": lambda run: run.unreachable(LATER, "away"),
    "issued_again": lambda run: run.issued_again(LATER),
    "called": lambda run: run.called(Counts(requests=1)),
    "ended": lambda run: run.ended(LATER, Reason.CANCELED_BY_USER),
    "ended well": lambda run: run.ended(LATER, None),
}
