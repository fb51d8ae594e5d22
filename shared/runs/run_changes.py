"""The fields of a run that its transitions change, typed: a misspelt name or a wrong value is an error of mypy's."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from shared.exports.configuration import NewPeople, SegmentTarget
from shared.reasons.codes import Reason, Status, WaitsFor
from shared.runs.counts import Counts, Findings


class RunChanges(TypedDict, total=False):
    """Any of a run's fields that may change, with their new values."""

    connection: str | None
    account: str | None
    status: Status
    reason: Reason | None
    detail: str
    started_at: datetime | None
    planned_at: datetime | None
    ended_at: datetime | None
    targets: tuple[SegmentTarget, ...]
    plan: str | None
    chunks: int
    done: int
    operations: int
    settled: int
    counts: Counts
    stop: Reason | None
    begun: tuple[str, ...]
    short: bool
    progress_at: datetime | None
    busy_until: datetime | None
    unreachable_since: datetime | None
    waits_for: WaitsFor | None
    waits_until: datetime | None
    findings: tuple[Findings, ...]
    remarks: str
    new_people: NewPeople | None
    create_suppressed: bool
    refresh: str | None
    as_of: datetime | None
    digests: str | None
