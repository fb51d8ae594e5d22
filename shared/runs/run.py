"""A run: one execution of an export, and the only ways in which it changes (drawn in docs/run.md)."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal, Unpack

from shared.azure.records import Record
from shared.exports.configuration import NewPeople, SegmentTarget
from shared.reasons.codes import Reason, Status, WaitsFor
from shared.runs.counts import Counts, Findings
from shared.runs.entry import Entry
from shared.runs.plan_summary import PlanSummary
from shared.runs.run_changes import RunChanges

Trigger = Literal["refresh", "cron", "on_demand", "run_all", "rejected_rows", "verify", "repair"]
"""What started a run."""

Verification = Literal["report", "repair"]
"""What a run that reads lists back does with what it finds."""

DECIDED: Final = {Reason.OVER_LIMIT, Reason.EMPTY_SEGMENT, Reason.MASS_REMOVAL, Reason.CANCELED_BY_USER}
"""Ends before a plan is carried out that somebody decided, or has to: the refresh was read, and is not tried again."""


class IllegalTransition(Exception):
    """A run or a head cannot change in this way now: a fault of this app, never of its input."""


class Run(Record):
    """One execution of an export.

    A transition returns the run as it is afterwards. It raises IllegalTransition where the run cannot change so: nothing
    changes a run that has ended, a plan is recorded once, a chunk's outcome only while chunks are open, and counts only grow.
    """

    export: str
    """The export's name."""

    id: str
    """Its time and four letters: see `shared.runs.run_id`."""

    trigger: Trigger
    """What started it."""

    requested_by: str
    """Who asked for it; `schedule` where nobody did."""

    connection: str | None = None
    """The connection that it delivers through; None until planning begins."""

    account: str | None = None
    """The account that the connection leads to, by its name among ours; None until planning begins."""

    status: Status = Status.QUEUED
    """Queued, Processing, or how it ended."""

    reason: Reason | None = None
    """Why it ended as it did; None where there is nothing to say."""

    detail: str = ""
    """What else is to be said: while it goes on, what it waits for; then, of its end. It names nobody."""

    queued_at: datetime
    """When it was started."""

    started_at: datetime | None = None
    """When planning first began."""

    planned_at: datetime | None = None
    """When its plan was recorded."""

    ended_at: datetime | None = None
    """When it ended."""

    rejected_of: str | None = None
    """The run whose rejected rows alone this one tries again."""

    targets: tuple[SegmentTarget, ...] = ()
    """The segments and their lists, as the plan took them from the export."""

    plan: str | None = None
    """The attempt at a plan that was recorded first: the folder of its chunks."""

    chunks: int = 0
    """How many chunks there are, those that continue another included."""

    done: int = 0
    """How many of them have an outcome."""

    operations: int = 0
    """How many operations were planned: people to be handled, or lists to be read back."""

    settled: int = 0
    """How many of them are handled."""

    counts: Counts = Counts()
    """What it came to so far."""

    stop: Reason | None = None
    """Why what has not begun is not sent any more; the run ends with this reason once every chunk has an outcome."""

    begun: tuple[str, ...] = ()
    """Chunks of which something may have been sent that is not recorded yet; twice if by more than one attempt."""

    short: bool = False
    """Whether its calls left lists short, or nobody could be asked whether they did."""

    progress_at: datetime | None = None
    """When something was last recorded of it."""

    busy_until: datetime | None = None
    """Until when it may well be silent."""

    unreachable_since: datetime | None = None
    """When what it waits for stopped answering; None while it answers."""

    waits_for: WaitsFor | None = None
    """What it waits for, as users see it."""

    waits_until: datetime | None = None
    """Until when; past that it waits no more."""

    refreshed_at: datetime | None = None
    """When the refresh of the source that it takes up was published."""

    traceparent: str | None = None
    """The trace that it belongs to (W3C)."""

    verification: Verification | None = None
    """A run with this sends nothing: it reads the lists back."""

    findings: tuple[Findings, ...] = ()
    """How the lists compare that it read back."""

    remarks: str = ""
    """What the plan had to say."""

    new_people: NewPeople | None = None
    """Whether those whom it creates may be mailed; None where the destination asks nothing."""

    create_suppressed: bool = False
    """Whether it creates those, too, whose address is on the account's suppression list."""

    refresh: str | None = None
    """The refresh of the source that it takes up, by its etag; None if no refresh started it."""

    as_of: datetime | None = None
    """When the refresh of the source was published that its plan read; None until it is planned, or if nobody says."""

    digests: str | None = None
    """The scheme by which its plan knows people; None until it is planned, and where an older version of the app planned it."""

    def is_waiting(self, now: datetime) -> bool:
        """Return whether it waits for something at this moment."""
        return not self.status.is_final and self.waits_until is not None and self.waits_until > now

    @property
    def is_delivered(self) -> bool:
        """Whether every chunk has its outcome, so that the run can be finished."""
        return self.plan is not None and self.done >= self.chunks

    @property
    def has_taken_up_refresh(self) -> bool:
        """Whether it took its refresh up: it got beyond the plan, or somebody decided that it shall not."""
        return self.refresh is not None and (self.plan is not None or self.reason in DECIDED)

    @property
    def has_delivered_refresh(self) -> bool:
        """Whether it ended well and was about everybody, so that the lists are what its refresh said."""
        ended_well = self.status in {Status.SUCCESSFUL, Status.COMPLETED_WITH_WARNINGS}
        return ended_well and self.verification is None and self.rejected_of is None

    @property
    def tells_of_delivery(self) -> bool:
        """Whether its end says how a delivery went: it read no lists back, nor found only that the source was not settled."""
        return self.verification is None and self.reason is not Reason.SOURCE_NOT_SETTLED

    def planning(self, at: datetime, connection: str, account: str) -> Run:
        """Begin to plan, for the first time or again: the run is processing."""
        self._check("be planned", self.plan is None)
        return self._with(
            status=Status.PROCESSING,
            started_at=self.started_at or at,
            progress_at=at,
            connection=connection,
            account=account,
        )

    def planned(self, plan: PlanSummary, at: datetime) -> Run:
        """Record the plan; the first one counts."""
        self._check("record a plan", self.status is Status.PROCESSING and self.plan is None and plan.counts.are_sound)
        return self._with(
            plan=plan.id,
            connection=plan.connection,
            account=plan.account,
            targets=plan.targets,
            chunks=plan.chunks,
            operations=plan.operations,
            counts=self.counts + plan.counts,
            planned_at=at,
            progress_at=at,
            unreachable_since=None,
            detail="",
            digests=plan.digests,
            remarks=plan.remarks,
            new_people=plan.new_people,
            create_suppressed=plan.create_suppressed,
            as_of=plan.as_of,
            refresh=plan.refresh if self.refresh else None,
        )

    def held(self, as_of: datetime | None) -> Run:
        """Note which refresh it read before a guard held it."""
        self._check("be held", self.status is Status.PROCESSING and self.plan is None)
        return self._with(as_of=as_of)

    def sending(self, chunk: str) -> Run:
        """Note that something of a chunk may be sent from now on; once the run is stopped, only of one that has begun."""
        may = self.stop is None or chunk in self.begun
        self._check("send a chunk", may and self.plan is not None and not self.is_delivered)
        return self if self.begun.count(chunk) > 1 else self._with(begun=(*self.begun, chunk))

    def is_begun_by_others(self, chunk: str, *, here: bool) -> bool:
        """Return whether something of a chunk may have been sent by another attempt than the one `here`, if that has begun."""
        return self.begun.count(chunk) > here

    def recorded(self, entry: Entry, counts: Counts, stop: Reason | None, at: datetime) -> Run:
        """Count a chunk's outcome; one that is continued adds a chunk, and whatever was done ends an outage."""
        self._check("record a chunk", self.plan is not None and not self.is_delivered and counts.are_sound)
        return self._with(
            done=self.done + 1,
            chunks=self.chunks + (entry.continued_by is not None),
            settled=self.settled + (entry.settled or 0),
            counts=self.counts + counts,
            stop=self.stop or stop,
            begun=tuple(name for name in self.begun if name != entry.chunk),
            progress_at=at,
            unreachable_since=None if entry.settled or entry.result else self.unreachable_since,
        )

    def called(self, calls: Counts) -> Run:
        """Count calls of an attempt whose outcome is not recorded: they were made all the same."""
        self._check("count calls", calls.are_sound)
        return self._with(counts=self.counts + calls)

    def stopped(self, reason: Reason) -> Run:
        """Stop it: nothing begins any more. The first reason counts."""
        self._check("be stopped")
        return self if self.stop else self._with(stop=reason)

    def busy(self, until: datetime) -> Run:
        """Note that it may be silent until then."""
        self._check("be busy")
        return self if self.busy_until is not None and self.busy_until >= until else self._with(busy_until=until)

    def waiting(self, waits_for: WaitsFor, until: datetime) -> Run:
        """Note what it waits for, and until when."""
        self._check("wait")
        return self._with(waits_for=waits_for, waits_until=until)

    def unreachable(self, since: datetime, detail: str) -> Run:
        """Note that what it needs does not answer; an outage began when that was first seen."""
        self._check("be unreachable")
        return self._with(unreachable_since=self.unreachable_since or since, detail=detail)

    def issued_again(self, at: datetime) -> Run:
        """Note that its messages were put on the queue again: that counts as progress."""
        self._check("be issued again")
        return self._with(progress_at=at)

    def ended(
        self,
        at: datetime,
        reason: Reason | None,
        detail: str = "",
        *,
        short: bool = False,
        findings: tuple[Findings, ...] = (),
        calls: Counts | None = None,
    ) -> Run:
        """End before the plan, for a reason, or once every chunk has its outcome; rows nobody accounts for are undelivered."""
        self._check("end", self.is_delivered or (self.plan is None and reason is not None))
        return self._with(
            status=reason.status if reason else Status.SUCCESSFUL,
            reason=reason,
            detail=" ".join(text for text in (detail, self.remarks) if text),
            ended_at=at,
            counts=(self.counts + (calls or Counts())).closed(),
            short=short,
            findings=findings,
        )

    def _check(self, what: str, may: bool = True) -> None:
        """Raise IllegalTransition for a run that has ended, and where `may` is false."""
        if self.status.is_final or not may:
            raise IllegalTransition(f"run {self.id} cannot {what}: {self.status}, {self.done} of {self.chunks} done")

    def _with(self, **changes: Unpack[RunChanges]) -> Run:
        return self.model_copy(update={**changes})
