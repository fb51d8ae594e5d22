"""What every chunk's work at its destination keeps to: how long it may take, how long it waits, and what its calls count."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from shared.azure.vault import VaultUnavailable
from shared.composition.app import Account, App
from shared.delivery.errors import AnotherAccount, DestinationError, KeyRefused, Refused
from shared.delivery.sending import Sender
from shared.lifecycle.liveness import RunOver
from shared.lifecycle.outage import wait
from shared.lifecycle.record import note_calls
from shared.reasons.codes import Reason, WaitsFor
from shared.reasons.errors import ExportError, TryLater
from shared.retry.policy import NO_SLOT
from shared.runs.counts import Counts
from shared.runs.run import Run
from shared.telemetry import metering

DEADLINE: Final = 240.0
"""Seconds for one chunk: far below the function's timeout, which would take the whole worker with it."""

HORIZON: Final = 30.0
"""Seconds of backlog at which a worker gives its chunk back instead of waiting with it."""

IDENTIFY_SECONDS: Final = 30.0
"""Seconds for the one call that asks whose account a key opens."""

NO_CALLS: Final = Counts()


def open_account(app: App, run: Run) -> Account:
    """Open a run's account, with its key at hand and its pace not taken for too long.

    Raises ExportError if the run shall stop, and TryLater.
    """
    try:
        account = known_account(app, run, run.connection)
        account.key.current()
    except VaultUnavailable:
        raise ExportError(wait(app, run, Reason.KEY_MISSING)) from None
    except KeyRefused as refused:
        raise ExportError(refusal(refused)) from None
    except DestinationError:
        raise TryLater(NO_SLOT.pause(), "nobody said whose account a new key opens") from None
    if run.account and run.account != account.id:
        raise ExportError(Reason.ACCOUNT_CHANGED)
    backlog = account.slots.backlog()
    metering.paced(account.name, account.rate, backlog)
    if backlog > HORIZON:
        why = "the account's pace is taken for longer than a worker waits"
        raise TryLater(NO_SLOT.pause_after(backlog), why, waits_for=WaitsFor.PACE, lasts=backlog)
    return account


def known_account(app: App, run: Run, connection: str | None) -> Account:
    """Open a connection's account and see to it that it is known whose it is: a key that was never seen is asked about.

    Raises ExportError if the run shall stop, VaultUnavailable, and TryLater.
    """
    account = app.account(connection)
    if account.is_known:
        return account
    sender = app.sender(account, seconds=IDENTIFY_SECONDS)
    with postponed_calls(app, run, sender):
        try:
            app.identify(account, sender)
        except KeyRefused as refused:
            raise ExportError(refusal(refused)) from None
        except Refused as error:
            raise ExportError(Reason.AUTOPILOT_REFUSED, str(error)) from None
        except DestinationError:
            raise ExportError(nothing_done(app, run, account, sender)) from None
    note_calls(app, run, calls_of(sender))
    return app.account(connection)


def refusal(error: KeyRefused) -> Reason:
    """Return why a run shall stop whose key will not do."""
    return Reason.ACCOUNT_CHANGED if isinstance(error, AnotherAccount) else Reason.KEY_REFUSED


def nothing_done(app: App, run: Run, account: Account, sender: Sender) -> Reason:
    """Return why a run shall stop whose calls all came to nothing: the destination has been away for too long.

    Raises TryLater until then, and if no call was made at all: that the pace is taken is no outage.
    """
    if not sender.tally.requests:
        raise TryLater(NO_SLOT.pause_after(account.slots.backlog()), "no slot of the account's pace came in time")
    return wait(app, run, Reason.AUTOPILOT_UNAVAILABLE)


@contextmanager
def postponed_calls(app: App, run: Run, sender: Sender) -> Iterator[None]:
    """Count a sender's calls where its work ends without an outcome that counts them."""
    try:
        yield
    except (TryLater, RunOver, ExportError):
        note_calls(app, run, calls_of(sender))
        raise


def calls_of(sender: Sender) -> Counts:
    """Count a sender's calls."""
    return Counts(requests=sender.tally.requests, throttled=sender.tally.throttled, retried=sender.tally.retried)
