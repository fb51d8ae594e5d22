"""What the API answers about runs: planned, going, ended, and their rejected rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from export_trigger.http.view import Page, View
from shared.exports.configuration import SegmentTarget
from shared.reasons.codes import Reason, Status, WaitsFor
from shared.runs.counts import Counts, Findings
from shared.runs.head import LastRun
from shared.runs.run import Run, Trigger, Verification


class EndedRun(View):
    """How a run ended; `as_of` is when the refresh of the segments was published that it read."""

    id: str
    trigger: Trigger
    status: Status
    reason: Reason | None
    advice: str
    queued_at: datetime
    ended_at: datetime
    as_of: datetime | None
    counts: Counts

    @classmethod
    def of(cls, run: LastRun) -> EndedRun:
        """Return the view of a run as its export's head keeps it."""
        kept = run.model_dump(include=set(cls.model_fields))
        return cls.model_validate({**kept, "advice": run.reason.advice if run.reason else ""})


class GoingRun(View):
    """A run that is going: how many of its operations are settled."""

    id: str
    trigger: Trigger
    status: Status
    queued_at: datetime
    settled: int
    operations: int

    @classmethod
    def of(cls, run: Run) -> GoingRun:
        """Return the view of a run."""
        return cls.model_validate(run.model_dump(include=set(cls.model_fields)))


class NextRun(View):
    """When an export runs next by itself: with the next refresh of the segments, or `at` a moment."""

    on: Literal["refresh", "cron"]
    at: datetime | None


class Preview(View):
    """Everything a run would do. `would_be_skipped` is the reason that a guard would end it with; `calls` take `minutes`."""

    settled: bool
    rows_read: int
    members: Mapping[str, int]
    profiles: int
    duplicates: int
    joiners: int
    changed: int
    unchanged: int
    leavers: int
    held_back: int
    kept: int
    remarks: str
    rejected: Mapping[str, int]
    omitted: Mapping[str, int]
    placeholders: Mapping[str, int]
    calls: int
    minutes: float
    would_be_skipped: Reason | None
    examples: tuple[Mapping[str, Any], ...]


class RunStarted(View):
    """The id of a run that was started."""

    run: str


class ExportStarted(View):
    """A run that was started of one export."""

    export: str
    run: str


class ExportSkipped(View):
    """An export whose run was not started, why, and the run that is in the way, if one is."""

    export: str
    code: str
    run: str = ""


class AllStarted(View):
    """What starting every export came to."""

    started: tuple[ExportStarted, ...]
    skipped: tuple[ExportSkipped, ...]


class ProgressView(View):
    """How far a run is: operations settled of all, and when it may end by its speed so far."""

    settled: int
    operations: int
    percent: float
    expected_end: datetime | None


class RunView(View):
    """A run: status, reason and what to do, counts, progress, what it waits for, and what reading lists back showed."""

    export: str
    id: str
    trigger: Trigger
    requested_by: str
    connection: str | None
    account: str | None
    status: Status
    reason: Reason | None
    detail: str
    advice: str
    queued_at: datetime
    started_at: datetime | None
    planned_at: datetime | None
    ended_at: datetime | None
    refreshed_at: datetime | None
    as_of: datetime | None
    unreachable_since: datetime | None
    rejected_of: str | None
    counts: Counts
    waits_for: WaitsFor | None
    waits_until: datetime | None
    verification: Verification | None
    findings: tuple[Findings, ...]
    segments: tuple[SegmentTarget, ...]
    canceling: bool
    progress: ProgressView

    def content(self) -> dict[str, Any]:
        """Return it as JSON would hold it, every count too that was never set."""
        return self.model_dump(mode="json")


class RunPage(Page[RunView]):
    """A page of runs."""

    def content(self) -> dict[str, Any]:
        """Return it as JSON would hold it."""
        return self.model_dump(mode="json")


class RejectedRow(View):
    """Whose row it is, by CustomerId, in which segment, and of a malformed row where it stands."""

    customer_id: str
    segment: str
    where: str


class RejectedGroup(View):
    """Rows that are rejected alike, and what to do about them.

    With `delivered` the contacts went out without the value. `since` is the start of the first run in a row that rejected
    rows for this reason and field, `or_earlier` where nobody can tell any more whether those before it did.
    """

    reason: str
    field: str
    advice: str
    delivered: bool
    rows: int
    segments: Mapping[str, int]
    examples: tuple[RejectedRow, ...]
    since: datetime
    since_run: str
    or_earlier: bool


class RejectedSummary(View):
    """A run's rejected rows, and values left out, in groups; `other_rows` are in smaller groups that are not shown.

    The file is deleted soon after `kept_until`.
    """

    export: str
    run: str
    rows: int
    groups: tuple[RejectedGroup, ...]
    other_rows: int
    kept_until: datetime
