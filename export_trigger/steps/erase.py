"""Erase a person: at every account, from every state, and from what runs may still bring back; repeated until it is done."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import Final

from export_trigger.steps.erase_states import delivered_at, forget_all
from shared.azure.locks import INSTALLATION
from shared.azure.records import Unreadable
from shared.azure.vault import VaultUnavailable
from shared.composition.app import Account, App
from shared.delivery.errors import DestinationError, KeyRefused, NoAnswer, Refused
from shared.delivery.sending import Sender
from shared.erasure.requests import Erasure, Progress, Reached
from shared.lifecycle.each import each
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError, TryLater
from shared.retry.policy import ERASURE
from shared.runs.ledger import NoSuchRun
from shared.state.former_digests import former_person

log = logging.getLogger(__name__)

SECONDS: Final = 60.0
"""Seconds for all accounts together, of one look at a request: its caller waits for the first."""

TICK_SECONDS: Final = 180.0
"""Seconds after which a tick begins no further request: the function's timeout would take its other chores with it."""

ACCOUNT_SECONDS: Final = 20.0

LOCK_SECONDS: Final = 600.0

GRACES: Final = 2
"""How many times the grace a call of a run that was stopped may still be on its way when the run is over."""

LATEST_RUNS: Final = 5
"""Runs of an export that are looked at for calls on their way."""

FIRST_PAUSE: Final = timedelta(minutes=2)
"""Before the tick takes up a request at which nobody seems to be."""

CREATION: Final = timedelta(minutes=10)
"""How long a request may be without its address: whoever made it is about to write it."""

ADDRESS_LOST: Final = "address_lost"
CONNECTION_DELETED: Final = "connection_deleted"
OUT_OF_REACH: Final = frozenset({CONNECTION_DELETED, Reason.ACCOUNT_CHANGED})
"""What keeps an account from being asked for good: nobody has a key of it any more."""

STILL_THERE: Final = "still_there"
NOT_TRIED: Final = "not_tried_yet"


def erase(app: App, address: str, by: str = "schedule") -> Erasure:
    """Take up a request to erase whoever has this normalised address; return how far it came at once.

    The tombstone comes first: no run that is planned from now on delivers the person. Those that were going before may,
    so they are remembered, and all is done again when they are over.
    """
    person = app.digest_key().of_person(address)
    app.tombstones.put(person, app.now())
    erasure = app.erasures.begin(address, app.now(), by, tuple(_unfinished(app)), person)
    app.audit.note(app.now(), by, "post_erasure", {"erasure": erasure.id})
    try:
        return advance(app, erasure.id) or erasure
    except TryLater:  # a tick is at it already
        return app.erasures.get(erasure.id) or erasure


def advance_all(app: App) -> None:
    """Work at the requests that are due, forget those that are over for long, and delete addresses that nobody needs.

    Those that were tried longest ago come first; for which there is no time now, the next tick has some.
    """
    now, latest = app.now(), app.clock.now() + TICK_SECONDS
    kept = app.erasures.all()
    due = sorted(
        (erasure for erasure in kept if _is_due(erasure, now)), key=lambda erasure: erasure.tried_at or erasure.at
    )
    refused: set[str] = set()
    in_time = takewhile(lambda _: app.clock.now() < latest, (erasure.id for erasure in due))
    each(in_time, lambda name: _try_again(app, name, refused))
    for erasure in kept:
        if erasure.done_at and now - erasure.done_at > timedelta(days=app.settings.history_days):
            app.locks.forget(INSTALLATION, f"erase {erasure.id}")
            app.erasures.forget(erasure.id)
    app.erasures.sweep()


def _try_again(app: App, erasure_id: str, refused: set[str]) -> None:
    try:
        advance(app, erasure_id, refused)
    except TryLater:
        log.info("somebody else is at it: erasure=%s", erasure_id)


def advance(app: App, erasure_id: str, refused: set[str] | None = None) -> Erasure | None:
    """Do what can be done now for one request; return how far it is, None if there is none.

    `refused` gathers connections whose key was refused just now: it is not tried again for each request. Raise
    TryLater while somebody else is at it.
    """
    with app.locks.exclusive(INSTALLATION, f"erase {erasure_id}", LOCK_SECONDS):
        erasure = app.erasures.get(erasure_id)
        if erasure is None or erasure.progress is not Progress.OPEN:
            return erasure
        address = app.erasures.address(erasure_id)
        if address is not None:
            done = _carry_out(app, erasure, address, set() if refused is None else refused)
        elif app.now() - erasure.at > CREATION:
            done = erasure.done(app.now(), Progress.INCOMPLETE, ADDRESS_LOST)
        else:
            return erasure
        app.erasures.save(done)
    _tell(app, erasure, done)
    return done


def _carry_out(app: App, erasure: Erasure, address: str, refused: set[str]) -> Erasure:
    waits_for = tuple(run for run in erasure.waits_for if _may_send(app, *run.split("/")))
    again = bool(erasure.waits_for) and not waits_for  # a run may have brought them back where they were gone
    key = app.digest_key()
    person = [key.of_person(address), former_person(key, address)]
    erasure = _note_former(app, erasure, person)
    known = {item.connection: item for item in erasure.accounts if not item.account}
    names = sorted({*app.registry.connections(), *known})
    reached = _reach_all(app, names, {} if again else known, address, refused)
    accounts = [*reached, *_former(app, erasure, reached)]
    states, unread = forget_all(app, person)
    tried = erasure.tried(app.now(), accounts, states, unread, waits_for)
    if waits_for or not all(item.gone or item.code in OUT_OF_REACH for item in accounts):
        return tried
    left = [item.code for item in accounts if not item.gone]
    return tried.done(app.now(), Progress.INCOMPLETE if left else Progress.ERASED, left[0] if left else "")


def _note_former(app: App, erasure: Erasure, person: Sequence[int]) -> Erasure:
    """Note the accounts that a state names the person at and that no connection leads to: once it is taken out nothing does.

    Nor does it for another request about the same person, so what an earlier one could not carry out counts as well.
    """
    names = set(app.registry.connections())
    led = names | {_leads_to(app, name) for name in names}
    former = [
        Reached(connection=place.connection, account=place.account or place.connection, held=True, code=NOT_TRIED)
        for place in delivered_at(app, person)
        if (place.account not in led if place.account else place.connection not in names)
    ]
    former += [] if erasure.tried_at else [it for it in app.erasures.left_by_others(erasure) if it.account not in led]
    owing = erasure.owing(sorted(former, key=lambda item: (item.connection, item.account)))
    if owing is not erasure:
        app.erasures.save(owing)
    return owing


def _former(app: App, erasure: Erasure, reached: Sequence[Reached]) -> list[Reached]:
    """Return how far the request is at accounts that connections led to: another connection may lead there by now."""
    gone = {_leads_to(app, item.connection) for item in reached if item.gone}
    there = {_leads_to(app, item.connection) for item in reached if not item.gone and item.code != CONNECTION_DELETED}
    names = set(app.registry.connections())
    found = []
    for item in [item for item in erasure.accounts if item.account]:
        out_of_reach = Reason.ACCOUNT_CHANGED if item.connection in names else CONNECTION_DELETED
        code = "" if item.account in gone else NOT_TRIED if item.account in there else out_of_reach
        found.append(item.judged(code))
    return found


def _leads_to(app: App, connection: str) -> str:
    return app.accounts.identities.home(connection) or connection


def _unfinished(app: App) -> Iterable[str]:
    """Return the runs that may still deliver somebody, those of deleted exports too."""
    for export in list(app.ledger.exports()):
        for run_id, _ in islice(app.ledger.each_row(export), LATEST_RUNS):
            if _may_send(app, export, run_id):
                yield f"{export}/{run_id}"


def _may_send(app: App, export: str, run_id: str) -> bool:
    """Return whether a run is going, or was stopped so shortly ago that a call of it may still be on its way.

    One that cannot be read may be going under a newer version of the app, unless its export's head knows better.
    """
    try:
        run = app.ledger.run(export, run_id)
    except NoSuchRun:
        return False
    except Unreadable:
        return _is_active(app, export, run_id)
    if not run.status.is_final or run.ended_at is None:
        return True
    return run.stop is not None and app.now() - run.ended_at < GRACES * app.settings.grace


def _is_active(app: App, export: str, run_id: str) -> bool:
    """Return whether a run is its export's active one; true too where that cannot be read."""
    try:
        return app.ledger.head(export).active == run_id
    except Unreadable:
        return True


def _reach_all(
    app: App, names: Sequence[str], known: dict[str, Reached], address: str, refused: set[str]
) -> list[Reached]:
    """Go through all accounts; what fails at one keeps nobody from the others."""
    latest = app.clock.now() + SECONDS
    found = []
    for name in names:
        before = known.get(name)
        if before is not None and before.gone:
            found.append(before)
        elif app.clock.now() >= latest:
            found.append(Reached(connection=name, code=before.code if before and before.code else NOT_TRIED))
        elif name in refused:
            found.append(Reached(connection=name, code=Reason.KEY_REFUSED))
        else:
            found.append(_reach(app, name, address, refused))
    return found


def _reach(app: App, name: str, address: str, refused: set[str]) -> Reached:
    """Delete the contact at one account, and read whether it is gone: nothing else is believed."""
    sender: Sender | None = None
    try:
        account = app.account(name)
        sender = app.sender(account, seconds=ACCOUNT_SECONDS)
        held = _delete(account, sender, address)
        gone = account.api.is_erased(address, sender)
        return Reached(connection=name, held=held, gone=gone, code="" if gone else STILL_THERE)
    except KeyRefused:
        refused.add(name)
        return Reached(connection=name, code=Reason.KEY_REFUSED)
    except ExportError as end:
        return Reached(connection=name, code=_deleted_or(end.reason))
    except Refused:
        return Reached(connection=name, code=Reason.AUTOPILOT_REFUSED)
    except VaultUnavailable:
        return Reached(connection=name, code="vault_unavailable")
    except DestinationError:
        asked = sender is not None and sender.tally.requests
        return Reached(connection=name, code=Reason.AUTOPILOT_UNAVAILABLE if asked else NOT_TRIED)
    except Exception as error:  # noqa: BLE001 - such as a connection's document that cannot be read: the others go on
        log.error("an account cannot be opened: connection=%s error=%s", name, type(error).__name__)
        return Reached(connection=name, code=Reason.INTERNAL_ERROR)


def _deleted_or(reason: Reason) -> str:
    return CONNECTION_DELETED if reason is Reason.CONNECTION_DETACHED else reason


def _delete(account: Account, sender: Sender, address: str) -> bool:
    """Ask for the contact to be deleted; False if there was none. An answer that did not come is read back by the caller."""
    try:
        return account.api.erase(address, sender)
    except NoAnswer:
        if not sender.tally.requests:
            raise
    return True


def _is_due(erasure: Erasure, now: datetime) -> bool:
    if erasure.progress is not Progress.OPEN:
        return False
    tried = erasure.tried_at
    if tried is None:  # whoever made it is at it, unless it died
        return now - erasure.at >= FIRST_PAUSE
    return (now - tried).total_seconds() >= ERASURE.pause_after((tried - erasure.at).total_seconds())


def _tell(app: App, before: Erasure, now: Erasure) -> None:
    """Note in the audit trail what is new: a key that is refused, and the end."""
    known = {(item.connection, item.code) for item in before.accounts}
    for item in now.accounts:
        if item.code == Reason.KEY_REFUSED and (item.connection, item.code) not in known:
            named = {"erasure": now.id, "connection": item.connection}
            app.audit.note(app.now(), now.by, "erasure: key refused", named)
    if now.progress is not Progress.OPEN:
        app.audit.note(app.now(), now.by, f"erasure: {now.progress}", {"erasure": now.id})
    log.info("erasure=%s progress=%s", now.id, now.progress)
