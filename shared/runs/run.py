"""A run: one execution of an export, its counts, and the head that keeps runs of one export apart."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Final, Literal

from pydantic import Field

from shared.azure.records import Record
from shared.exports.configuration import SegmentTarget
from shared.reasons.codes import Reason, Status, WaitsFor

Trigger = Literal["refresh", "cron", "on_demand", "run_all", "rejected_rows", "verify", "repair"]

Verification = Literal["report", "repair"]
"""What a run that reads lists back does with what it finds."""


Owed = Literal["report", "repair", "run"]
"""What follows a run by itself: lists read back to report or to repair, or a run that delivers what was found missing."""


class Counts(Record):
    """What a run came to. `rows_read` = delivered + unchanged + duplicates + rejected + undelivered.

    Rows: `rows_read`, `duplicates` (rows whose address another row already brought), `unchanged`, `delivered`,
    `rejected`, `undelivered` (planned, but the run ended first). Distinct addresses: `profiles`. Memberships: `joiners`,
    `leavers`, `removed` (leavers done), `held_back` (leavers not made, since too much of their segment could not be read),
    `kept` (members without a valid address in their row). Profiles with new values: `changed`. Values that contacts go
    without, since their field cannot take them: `values_omitted`. Calls: `requests`, `throttled`, `retried`.
    """

    rows_read: int = 0
    profiles: int = 0
    duplicates: int = 0
    joiners: int = 0
    changed: int = 0
    leavers: int = 0
    unchanged: int = 0
    delivered: int = 0
    rejected: int = 0
    removed: int = 0
    held_back: int = 0
    kept: int = 0
    undelivered: int = 0
    values_omitted: int = 0
    requests: int = 0
    throttled: int = 0
    retried: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(**{name: getattr(self, name) + getattr(other, name) for name in Counts.model_fields})

    @property
    def unaccounted(self) -> int:
        """Rows that were read and that no other count accounts for; negative if some were counted twice."""
        return self.rows_read - (self.delivered + self.unchanged + self.duplicates + self.rejected + self.undelivered)

    @property
    def add_up(self) -> bool:
        """Whether every row that was read is accounted for, once."""
        return self.unaccounted == 0


class Findings(Record):
    """What reading one list back showed, in members.

    `expected` we know to be delivered, `found` are on the list. `missing` are expected and not there, `extra` there and
    not ours, `drifted` there with other values, or under another id, than we delivered.
    """

    list: str
    exists: bool
    expected: int = 0
    found: int = 0
    missing: int = 0
    extra: int = 0
    drifted: int = 0

    @property
    def is_equal(self) -> bool:
        """Whether the list holds exactly what we delivered."""
        return self.exists and not (self.missing or self.extra or self.drifted)


class Run(Record):
    """One execution of an export.

    `plan` names the folder of the chunks that were planned first; `stop` is why the rest is not sent. `operations`
    counts people to be handled, `settled` those handled; a run is delivered when `done` chunks are all its `chunks`.
    `waits_for` says what it waits for, `waits_until` then; past that it waits no more.
    `begun` names the chunks of which something may have been sent that is not recorded yet, and `short` says that its calls
    left lists short, or that nobody could be asked whether they did. `busy_until` is until when it may well be silent, `unreachable_since` when Autopilot last stopped answering; `rejected_of` names the run whose rejected rows alone
    this one tries again. A run with a `verification` sends nothing: it reads the lists back, and its `findings` say
    how they compare. `remarks` is what the plan had to say. `account` is the account's own name among ours, whichever
    connection led there. `refresh` names the refresh of the source that it takes up (by its etag), `refreshed_at` is when
    that happened, and `traceparent` (W3C) the trace it
    belongs to. `digests` is the scheme by which its plan knows people (absent: not noted yet).
    """

    export: str
    id: str
    trigger: Trigger
    requested_by: str
    connection: str | None = None
    account: str | None = None
    status: Status = Status.QUEUED
    reason: Reason | None = None
    detail: str = ""
    queued_at: datetime
    started_at: datetime | None = None
    planned_at: datetime | None = None
    ended_at: datetime | None = None
    rejected_of: str | None = None
    targets: tuple[SegmentTarget, ...] = ()
    plan: str | None = None
    chunks: int = 0
    done: int = 0
    operations: int = 0
    settled: int = 0
    counts: Counts = Counts()
    stop: Reason | None = None
    begun: tuple[str, ...] = ()
    short: bool = False
    progress_at: datetime | None = None
    busy_until: datetime | None = None
    unreachable_since: datetime | None = None
    waits_for: WaitsFor | None = None
    waits_until: datetime | None = None
    refreshed_at: datetime | None = None
    traceparent: str | None = None
    verification: Verification | None = None
    findings: tuple[Findings, ...] = ()
    remarks: str = ""
    refresh: str | None = None
    digests: str | None = None

    def is_waiting(self, now: datetime) -> bool:
        """Return whether it waits for something at this moment."""
        return not self.status.is_final and self.waits_until is not None and self.waits_until > now

    @property
    def is_delivered(self) -> bool:
        """Whether every chunk has its outcome, so that the run can be finished."""
        return self.plan is not None and self.done >= self.chunks


class Head(Record):
    """What is true of an export across its runs.

    `active` is the run that is going, `states` the run whose state holds for each connection,
    `accounts` which account that connection led to then (absent: written before accounts were told apart), `refresh` the last
    refresh of the source that a run took up, `tried` the one that was tried last, how many `tries` were made and when
    the last was (`tried_at`), `cron_at` is when a cron schedule was last looked at, `unverified`
    counts the runs that ended since the lists were last read back, `doubted` says that calls left lists short and
    nobody has repaired them yet, and `owed` is what has to follow the last run. `deleted` says that somebody deleted the
    export, and `began_at` is when one of its name began with nothing: runs from before were another export's.
    """

    active: str | None = None
    states: dict[str, str] = Field(default_factory=dict)
    accounts: dict[str, str] = Field(default_factory=dict)
    refresh: str = ""
    tried: str = ""
    tries: int = 0
    tried_at: datetime | None = None
    cron_at: datetime | None = None
    unverified: int = 0
    doubted: bool = False
    owed: Owed | None = None
    deleted: bool = False
    began_at: datetime | None = None


class Entry(Record):
    """What is recorded of one chunk.

    By which attempt, where its receipts and rejected rows lie, the chunk that continues it, and whether it was lost.
    Of its operations `settled` are handled and `left` are not sent any more; those of its continuation are counted there.
    Both are None in what an older version of the app recorded, and `left` is where the chunk was lost.
    """

    chunk: str
    attempt: str = ""
    receipts: str | None = None
    rejected: str | None = None
    continued_by: str | None = None
    lost: bool = False
    settled: int | None = None
    left: int | None = None


DECIDED: Final = {Reason.OVER_LIMIT, Reason.EMPTY_SEGMENT, Reason.MASS_REMOVAL, Reason.CANCELED_BY_USER}
"""Ends before a plan is carried out that somebody decided, or has to: the refresh was read, and is not tried again."""


def _took_up(run: Run) -> bool:
    """Whether a run took its refresh up: it got beyond the plan, or somebody decided that it shall not."""
    return run.refresh is not None and (run.plan is not None or run.reason in DECIDED)


def state_before(head: Head, connection: str, account: str | None) -> tuple[str, str | None]:
    """Return under which connection, and by which run, the state of an export at an account was left; no run if none was.

    The state of another account is none of this one's. One that another connection left at the same account holds.
    """
    if connection in head.states and (account is None or head.accounts.get(connection, account) == account):
        return connection, head.states[connection]
    moved = [(name, run) for name, run in head.states.items() if account and head.accounts.get(name) == account]
    return moved[0] if moved else (connection, None)


def with_state(head: Head, connection: str, run: Run) -> Head:
    """Return a head whose state at the run's account is the one that the run left."""
    moved = {name for name, account in head.accounts.items() if account == run.account and name != connection}
    states = {name: left for name, left in head.states.items() if name not in moved}
    accounts = {name: account for name, account in head.accounts.items() if name not in moved}
    if run.account:
        accounts[connection] = run.account
    return head.model_copy(update={"states": {**states, connection: run.id}, "accounts": accounts})


def after(head: Head, ended: Run) -> Head:
    """Give the head of an export after a run has ended: free, and with what the run says about its lists."""
    mended = bool(ended.findings) and (ended.verification == "repair" or all(item.is_equal for item in ended.findings))
    fell_short = ended.verification is None and (ended.short or ended.reason is Reason.LISTS_DIFFER)
    return head.model_copy(
        update={
            "active": None if head.active == ended.id else head.active,
            "refresh": ended.refresh if _took_up(ended) else head.refresh,
            "unverified": 0 if ended.findings else head.unverified + (ended.verification is None),
            "doubted": fell_short or (head.doubted and not mended),
        }
    )


def moment_of(run_id: str) -> datetime | None:
    """Return when a run with this id was started, to the millisecond; None for what is no run's id."""
    try:
        return datetime.strptime(run_id.partition("-")[0], "%Y%m%dt%H%M%S%f").replace(tzinfo=UTC)
    except ValueError:
        return None


def new_run_id(now: datetime) -> str:
    """Make a run's id: its time, to the millisecond, and four letters against a clash."""
    moment = now.astimezone(UTC)
    return f"{moment:%Y%m%dt%H%M%S}{moment.microsecond // 1000:03d}-{secrets.token_hex(2)}"
