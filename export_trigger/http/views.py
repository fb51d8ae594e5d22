"""What the API answers with, as types: the served OpenAPI document is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from export_trigger.http.access import Role, RoleName
from shared.erasure.requests import Progress
from shared.exports.audit import AuditEntry
from shared.exports.configuration import Connection, Consent, Export, ListStrategy, SegmentTarget
from shared.reasons.codes import Reason, Status, WaitsFor
from shared.reasons.errors import ExportError
from shared.runs.counts import Counts, Findings
from shared.runs.head import LastRun
from shared.runs.run import Run, Trigger, Verification


class View(BaseModel):
    """An answer's body. What is not set is left out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def content(self) -> dict[str, Any]:
        """Return it as JSON would hold it."""
        return self.model_dump(mode="json", exclude_unset=True)


class Page[Item](View):
    """One page of a list; `next` is what to pass as `after` for the following page, or null."""

    items: tuple[Item, ...]
    next: str | None


class FieldError(View):
    """What is wrong with one field of a body: its path, such as `mapping.FirstName`, never the value that was sent."""

    field: str
    code: str
    detail: str


class ProblemView(View):
    """What is wrong and what to do (RFC 9457). Some problems name more: the run or export that is in the way."""

    model_config = ConfigDict(extra="allow")

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str
    errors: tuple[FieldError, ...] = ()


class DamagedView(View):
    """What is known of a thing whose stored document cannot be read, and what to do."""

    name: str
    damaged: Literal[True]
    code: str
    detail: str

    @classmethod
    def of(cls, name: str, damage: ExportError) -> DamagedView:
        """Return the view of a thing whose stored document, or what is known of it, cannot be read."""
        return cls(name=name, damaged=True, code=damage.reason, detail=f"{damage.detail} {damage.reason.advice}")


class ConnectionView(View):
    """A connection. Contributors and viewers see its name and kind; the rest is for administrators."""

    name: str
    display_name: str
    kind: str
    region: str | None = None
    secret_name: str = ""
    access: str = ""
    rate_limit: float = 0
    list_strategy: ListStrategy = "auto"
    consent: Consent | None = None
    account: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    updated_by: str = ""
    secret: Literal["readable", "missing", "forbidden", "unreachable"] | None = None

    @classmethod
    def of(cls, name: str, connection: Connection, role: Role, **more: str) -> ConnectionView:
        """Return a connection as a caller of a role may see it."""
        if role is not Role.ADMIN:
            return cls(name=name, display_name=connection.display_name, kind=connection.kind)
        return cls.model_validate({"name": name, **connection.model_dump(), **more})


class ConnectionPage(Page[ConnectionView | DamagedView]):
    """A page of connections."""


class KeyTested(View):
    """Whether Autopilot accepts a connection's key, and whose account it opens; else why not."""

    accepted: bool
    account: str = ""
    code: str = ""
    detail: str = ""


class SegmentView(View):
    """A segment as the source has it. `members` is null while it is not counted, `not_counted` says why it cannot be."""

    name: str
    columns: tuple[str, ...]
    members: int | None
    not_counted: str | None
    refreshed_at: datetime | None
    eligible: bool
    suggested_mapping: Mapping[str, str]
    why_not: str | None


class SegmentPage(Page[SegmentView]):
    """A page of segments."""


Action = Literal["preview", "run", "verify", "explain", "edit", "delete", "duplicate", "cancel"]
"""What can be done with an export."""


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
        return cls.model_validate({**run.model_dump(), "advice": run.reason.advice if run.reason else ""})


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


class ExportView(Export):
    """An export: its settings, how it stands, and what the caller may do with it.

    `last_run` is the one that ended last, beside `current_run`, which is going; `last_delivered` is the last one after which
    the lists held what a whole refresh said. `next_run` is null if the schedule is off. When it was just saved, `members` of
    its segments and what to know.
    """

    name: str
    active_run: str | None
    current_run: GoingRun | None
    last_run: EndedRun | None
    last_delivered: EndedRun | None
    next_run: NextRun | None
    may: tuple[Action, ...]
    members: Mapping[str, int | None] = {}
    warnings: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str, export: Export, **more: object) -> ExportView:
        """Return the view of an export as stored, with `more` fields."""
        return cls.model_validate({"name": name, **export.model_dump(), **more})

    def content(self) -> dict[str, Any]:
        """Return it as JSON would hold it: every setting, and what saving showed only where it was saved."""
        only_if_set = {"members", "warnings"} - self.model_fields_set
        return self.model_dump(mode="json", exclude=only_if_set)


class ExportPage(Page[ExportView | DamagedView]):
    """A page of exports."""

    def content(self) -> dict[str, Any]:
        """Return it as JSON would hold it."""
        return {"items": [item.content() for item in self.items], "next": self.next}


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
    """A run's rejected rows, and values left out, in groups; `other_rows` are in smaller groups that are not shown."""

    export: str
    run: str
    rows: int
    groups: tuple[RejectedGroup, ...]
    other_rows: int


class ErasedAt(View):
    """What came of an erasure at one connection's account."""

    connection: str
    erased: bool
    code: str
    detail: str


class RunOf(View):
    """A run of an export."""

    export: str
    run: str


class ErasureView(View):
    """A request to erase: `erased` only once every account was read back and every run that might undo it is over.

    `accounts` counts those that held the person, `states` the states that did; `states_unread` names those that could not be
    read, `waiting_for` the runs that may still deliver the person.
    """

    id: str
    erased: bool
    progress: Progress
    detail: str
    requested_at: datetime
    tried_at: datetime | None
    done_at: datetime | None
    accounts: int
    states: int
    connections: tuple[ErasedAt, ...]
    waiting_for: tuple[RunOf, ...]
    states_unread: tuple[str, ...]


class RoleView(View):
    """What a role may do, by the `operationId`s of this document; `app_role` is its value in Microsoft Entra."""

    role: RoleName
    app_role: str
    may: tuple[str, ...]


class Me(View):
    """Who is calling: the id that the audit trail knows them by, and their role.

    With `mode` `keys` whoever has a function key is an administrator. `may` names what the caller's role allows; an
    export says for itself what they may do with it. `roles` shows which role would be needed for something else.
    """

    id: str
    role: RoleName
    mode: Literal["keys", "entra"]
    may: tuple[str, ...]
    roles: tuple[RoleView, ...]


class AuditPage(Page[AuditEntry]):
    """A page of the audit trail."""


class Reach(View):
    """Whether one part can be reached, and if not, which setting or role to mend."""

    reachable: bool
    code: str = ""
    detail: str = ""


class DigestKeyReach(Reach):
    """Whether the digest key can be read, and its fingerprint (null while there is none)."""

    fingerprint: str | None = None


class Damage(View):
    """A stored connection or export that cannot be read."""

    connection: str = ""
    export: str = ""
    detail: str


class Health(View):
    """Whether everything that the app stands on can be reached, and which version of the app answers."""

    version: str
    healthy: bool
    storage: Reach
    vault: Reach
    digest_key: DigestKeyReach
    source: Reach
    damaged: tuple[Damage, ...]
