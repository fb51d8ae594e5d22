"""The head of an export: what is true of it across its runs, and the only ways in which that changes."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypedDict, Unpack

from pydantic import ConfigDict, Field

from shared.azure.records import Record
from shared.reasons.codes import Reason, Status
from shared.runs.counts import Counts
from shared.runs.run import IllegalTransition, Run, Trigger

FollowUp = Literal["report", "repair", "run"]
"""What follows a run by itself: lists read back to report or to repair, or a run that delivers what was found missing."""


class RunInProgress(Exception):
    """Another run of the export is going; `run_id` is its id."""

    def __init__(self, run_id: str) -> None:
        super().__init__(f"run {run_id} is going")
        self.run_id = run_id


class FollowUpTaken(Exception):
    """What a run should follow up is not pending any more: somebody else has started it meanwhile."""


class _Changes(TypedDict, total=False):
    """The fields that transitions change: so mypy checks their names and types."""

    active: str | None
    states: dict[str, str]
    accounts: dict[str, str]
    former: dict[str, tuple[str, str]]
    refresh: str
    tried: str
    tries: int
    tried_at: datetime | None
    cron_at: datetime | None
    unverified: int
    lists_suspect: bool
    pending_follow_up: FollowUp | None
    deleted: bool
    last: LastRun | None
    last_delivery: LastRun | None
    last_delivered: LastRun | None


class LastRun(Record):
    """How a run ended, as its export's head keeps it, so that a list of exports costs no look at their runs."""

    id: str
    trigger: Trigger
    status: Status
    reason: Reason | None = None
    queued_at: datetime
    ended_at: datetime
    as_of: datetime | None = None
    """When the refresh of the source was published that it read."""

    rejected_of: str | None = None
    """The run whose rejected rows alone it tried again."""

    counts: Counts = Counts()

    @classmethod
    def of(cls, run: Run) -> LastRun:
        """Return what is kept of a run that has ended."""
        return cls.model_validate(run.model_dump(include=set(cls.model_fields)))


class Head(Record):
    """What is true of an export across its runs. At most one run is active; a transition returns the head as it is afterwards."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    active: str | None = None
    """The run that is going."""

    states: dict[str, str] = Field(default_factory=dict)
    """For each connection the run whose state holds."""

    accounts: dict[str, str] = Field(default_factory=dict)
    """Which account each of these connections led to then; absent where that was written before accounts were told apart."""

    former: dict[str, tuple[str, str]] = Field(default_factory=dict)
    """For each account that a connection led to before it led to another one: under which connection, and by which run,
    the state there was left."""

    refresh: str = ""
    """The last refresh of the source that a run took up, by its etag."""

    tried: str = ""
    """The refresh that was tried last."""

    tries: int = 0
    """How many runs tried it."""

    tried_at: datetime | None = None
    """When the last of them started."""

    cron_at: datetime | None = None
    """When a cron schedule was last looked at."""

    unverified: int = 0
    """Runs that ended since the lists were last read back."""

    lists_suspect: bool = Field(default=False, validation_alias="doubted", serialization_alias="doubted")
    """Whether calls left lists short that nobody has repaired yet. Stored as `doubted`."""

    pending_follow_up: FollowUp | None = Field(default=None, validation_alias="owed", serialization_alias="owed")
    """What has to follow the last run. Stored as `owed`."""

    deleted: bool = False
    """Whether somebody deleted the export."""

    last: LastRun | None = None
    """The run that ended last; None if none did, or an older version of the app wrote this."""

    last_delivery: LastRun | None = None
    """The last run that tells how the delivery of a refresh went; None too where an older version of the app wrote this."""

    last_delivered: LastRun | None = None
    """The last run after which the lists held what a whole refresh said, but for what it rejected."""

    began_at: datetime | None = None
    """When an export of this name began with nothing: runs from before were another export's."""

    def state_before(self, connection: str, account: str | None) -> tuple[str, str | None]:
        """Return under which connection, and by which run, the state at an account was left; no run if none was.

        The state of another account is none of this one's. One that another connection left at the same account holds.
        """
        if connection in self.states and (account is None or self.accounts.get(connection, account) == account):
            return connection, self.states[connection]
        if account is None:
            return connection, None
        moved = [(name, run) for name, run in self.states.items() if self.accounts.get(name) == account]
        return moved[0] if moved else self.former.get(account, (connection, None))

    @property
    def left(self) -> dict[tuple[str, str], str | None]:
        """All states that hold, by connection and run, and which account each is of; None where nobody noted it."""
        former = {left: account for account, left in self.former.items()}
        return former | {(name, run): self.accounts.get(name) for name, run in self.states.items()}

    def started(self, run: Run, fulfils: FollowUp | None = None) -> Head:
        """Make a queued run the active one; with `fulfils` it is the follow-up that was pending.

        Raise RunInProgress while another is active, and FollowUpTaken if that follow-up is not pending any more.
        """
        if run.status is not Status.QUEUED:
            raise IllegalTransition(f"run {run.id} has started already: {run.status}")
        if self.active is not None:
            raise RunInProgress(self.active)
        if fulfils is not None and self.pending_follow_up != fulfils:
            raise FollowUpTaken
        return self._with(active=run.id, pending_follow_up=None if fulfils else self.pending_follow_up)

    def released(self, run_id: str) -> Head:
        """Free the export from a run that is gone; another that is active stays so."""
        return self._with(active=None) if self.active == run_id else self

    def ended(self, run: Run) -> Head:
        """Free the export from a run that has ended, and note what it says about its lists and its refresh."""
        if not run.status.is_final:
            raise IllegalTransition(f"run {run.id} has not ended: {run.status}")
        looked = bool(run.findings)
        repaired = looked and (run.verification == "repair" or all(item.is_equal for item in run.findings))
        last = LastRun.of(run)
        fell_short = run.verification is None and (run.short or run.reason is Reason.LISTS_DIFFER)
        return self._with(
            active=None if self.active == run.id else self.active,
            refresh=str(run.refresh) if run.has_taken_up_refresh else self.refresh,
            last=last,
            last_delivery=last if self._tells(run) else self.last_delivery,
            last_delivered=last if run.has_delivered_refresh else self.last_delivered,
            unverified=0 if looked else self.unverified + (run.verification is None),
            lists_suspect=fell_short or (self.lists_suspect and not repaired),
        )

    def _tells(self, run: Run) -> bool:
        """Return whether a run tells more than the last delivery does; one that tries rejected rows again, only of its rows."""
        before = self.last_delivery
        is_about_it = not before or not run.rejected_of or run.rejected_of in {before.id, before.rejected_of}
        return run.tells_of_delivery and is_about_it

    def with_state(self, connection: str, run: Run) -> Head:
        """Make the state that a run left the one that holds at its account, whichever connection led there before.

        What the connection left at another account holds there: whoever goes back goes on from it.
        """
        moved = {name for name, account in self.accounts.items() if account == run.account and name != connection}
        states = {name: left for name, left in self.states.items() if name not in moved}
        accounts = {name: account for name, account in self.accounts.items() if name not in moved}
        former = {account: left for account, left in self.former.items() if account != run.account}
        before = accounts.get(connection)
        if before and run.account not in {None, before} and connection in states:
            former[before] = (connection, states[connection])
        if run.account:
            accounts[connection] = run.account
        return self._with(states={**states, connection: run.id}, accounts=accounts, former=former)

    def keeping(self, connection: str, run_id: str, account: str | None) -> Head:
        """Keep the state that a run left at an account where this head, as it was restored from a backup, names none."""
        if self.deleted or self.state_before(connection, account)[1]:
            return self
        if account and connection in self.states:
            return self._with(former={**self.former, account: (connection, run_id)})
        accounts = {**self.accounts, connection: account} if account else self.accounts
        return self._with(states={**self.states, connection: run_id}, accounts=accounts)

    def followed_by(self, follow_up: FollowUp | None) -> Head:
        """Set what has to follow the last run."""
        return self._with(pending_follow_up=follow_up)

    def refresh_seen(self, etag: str) -> Head:
        """Count a refresh as taken up: an export that is new runs with the next one."""
        return self._with(refresh=etag)

    def refresh_tried(self, etag: str, at: datetime) -> Head:
        """Count one more try of a refresh."""
        return self._with(tried=etag, tries=self.tries + 1 if self.tried == etag else 1, tried_at=at)

    def cron_checked(self, at: datetime) -> Head:
        """Note that the cron schedule was looked at."""
        return self._with(cron_at=at)

    def marked_deleted(self) -> Head:
        """Note that somebody deleted the export."""
        return self._with(deleted=True)

    def marked_living(self) -> Head:
        """Note that the export is there."""
        return self._with(deleted=False)

    @classmethod
    def starting_over(cls, at: datetime) -> Head:
        """Return the head of an export that begins with nothing."""
        return cls(began_at=at)

    def _with(self, **changes: Unpack[_Changes]) -> Head:
        return self.model_copy(update={**changes})
