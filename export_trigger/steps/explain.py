"""Explain why a person is, or is not, on an export's lists: from their rows, over erasure and our record, to the destination itself.

Nothing is changed, and nothing of the person is kept or logged. What could not be asked is unknown, and said to be.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import polars as pl

from export_trigger.steps.find_person import Person, find_person
from export_trigger.steps.rejecting import rejecting_runs
from export_trigger.steps.standing import Known, OnList, Recorded, There
from shared.azure.storage import Container
from shared.azure.vault import VaultUnavailable
from shared.cleaning.addresses import normalise
from shared.composition.app import Account, App
from shared.delivery.contacts import Seen
from shared.delivery.errors import AccountRefused, DestinationError, KeyRefused, Refused
from shared.delivery.sending import Sender
from shared.exports.configuration import Export
from shared.lifecycle.segments import recipe_of
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.runs.files import load_state, rejected_path
from shared.runs.rejected import rejected_customers
from shared.runs.run import Run
from shared.state.digests import DigestKey
from shared.state.former_digests import former_person
from shared.state.recognition import is_settled
from shared.state.state import CUSTOMER

ASK_SECONDS: Final = 10.0
"""Seconds for the calls to the destination, waiting for the account's pace included."""


OTHER_ADDRESS: Final = "other_address"
OTHER_ADDRESS_TEXT: Final = "The contact that was delivered has another e-mail address there by now."


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that is known of why a person is on an export's lists, or is not."""

    person: Person
    erased_at: datetime | None
    recorded: Recorded | None
    record_fault: ExportError | None
    there: There
    lists: tuple[OnList, ...]
    rejected_since: Run | None
    or_earlier: bool


def explain(app: App, name: str, export: Export, address: str) -> Explanation:
    """Explain how whoever has this normalised address stands to an export's lists.

    Raise ExportError, VaultUnavailable and TryLater where the digest key cannot be read: nobody is known without it.
    """
    key, recipe = app.digest_key(), recipe_of(app, export)
    account, there = _account(app, export)
    left = app.ledger.head(name).state_before(*_whose(export, account))
    held, record_fault = _held(app, name, left, key, address)
    customer = held.customer if held else None
    person = find_person(app, [target.segment for target in export.segments], recipe, key, address, customer)
    recorded = held.with_content(person.content) if held else None
    if account is not None:
        there = _ask(app, account, address, recorded)
    known = Known(_erased_at(app, key, address), recorded, there, person.waits)
    lists = tuple(
        known.on_list(export, target, looked, app.accounts.list_id(account.id, target.list) if account else None)
        for target, looked in zip(export.segments, person.segments, strict=True)
    )
    since, or_earlier = _rejected_since(app, name, person)
    return Explanation(person, known.erased_at, recorded, record_fault, there, lists, since, or_earlier)


def _account(app: App, export: Export) -> tuple[Account | None, There]:
    """Open the account; if that cannot be, say why it is not asked."""
    try:
        return app.account(export.connection), There()
    except ExportError as end:
        return None, There(code=end.reason, detail=end.detail or end.reason.advice)
    except VaultUnavailable as error:
        return None, There(code="vault_unavailable", detail=f"{error}.")


def _whose(export: Export, account: Account | None) -> tuple[str, str | None]:
    """Return the connection whose state counts, and its account if that is known."""
    if account is None:
        return str(export.connection), None
    return account.name, account.id if account.is_known else None


def _held(
    app: App, name: str, left: tuple[str, str | None], key: DigestKey, address: str
) -> tuple[Recorded | None, ExportError | None]:
    """Return what the state says of the person, or why it cannot be read. One of before may know people by former digests."""
    try:
        state = load_state(app.storage, name, *left)
    except ExportError as end:
        return None, end
    digests = [key.of_person(address), *([] if is_settled(state) else [former_person(key, address)])]
    own = state.on_lists(state.lists).filter(pl.col("person").is_in(pl.Series(digests, dtype=pl.Int128).implode()))
    if own.is_empty():
        return None, None
    row = own.row(0, named=True)
    bits = {list_id: 1 << list_index for list_index, list_id in enumerate(state.lists)}
    return Recorded(
        run=str(left[1]),
        contact_id=row["contact_id"],
        customer=row[CUSTOMER],
        content=row["content"] if is_settled(state) else None,
        lists=frozenset(list_id for list_id, mask in bits.items() if row["lists"] & mask),
        attempted=frozenset(list_id for list_id, mask in bits.items() if row["attempted"] & mask),
    ), None


def _erased_at(app: App, key: DigestKey, address: str) -> datetime | None:
    return app.tombstones.erased_at(key.of_person(address), former_person(key, address))


def _ask(app: App, account: Account, address: str, recorded: Recorded | None) -> There:
    """Ask the destination for the contact that we know, or whether there is anybody with the address."""
    sender = app.sender(account, seconds=ASK_SECONDS)
    try:
        seen = _look(account, sender, recorded)
        if seen is not None and seen.address is not None and normalise(seen.address) == address:
            return There(exists=True, lists=seen.lists)
        exists = not account.api.is_erased(address, sender)
        lists = None if exists else frozenset[str]()
        return There(exists, lists, *((OTHER_ADDRESS, OTHER_ADDRESS_TEXT) if seen else ("", "")))
    except KeyRefused:
        return There(code=Reason.KEY_REFUSED, detail=Reason.KEY_REFUSED.advice)
    except (Refused, AccountRefused):
        return There(code=Reason.AUTOPILOT_REFUSED, detail=Reason.AUTOPILOT_REFUSED.advice)
    except DestinationError:
        return There(code=Reason.AUTOPILOT_UNAVAILABLE, detail="It gave no answer that can be believed. Try again.")
    except ExportError as end:
        return There(code=end.reason, detail=end.detail or end.reason.advice)
    except VaultUnavailable as error:
        return There(code="vault_unavailable", detail=f"{error}.")


def _look(account: Account, sender: Sender, recorded: Recorded | None) -> Seen | None:
    contact_id = recorded.contact_id if recorded else None
    if contact_id is None:
        return None
    (seen,) = sender.one(lambda: account.api.look([contact_id]))
    return seen


def _rejected_since(app: App, name: str, person: Person) -> tuple[Run | None, bool]:
    """Return the first run of those without a break that rejected a row of the person, and whether it may have begun before."""
    rows = [row for looked in person.segments for row in looked.rows]
    customers = {row.customer for row in rows if row.customer and (row.reason or row.omitted)}
    first: Run | None = None
    if not customers:
        return None, False
    for run in rejecting_runs(app, name):
        named = _names(app, run, customers) if run else None
        if named is None:
            return first, True
        if not named:
            return first, False
        first = run
    return first, False


def _names(app: App, run: Run, customers: set[str]) -> bool | None:
    """Return whether a run's rejected-rows file names one of these CustomerIds; None if it has expired, or cannot be read."""
    try:
        path = rejected_path(run.export, run.id)
        if app.storage.etag(Container.REJECTED, path) is None:
            return None
        return not customers.isdisjoint(rejected_customers(app.storage, path))
    except ExportError:
        return None
