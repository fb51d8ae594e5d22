"""Erase a person: at Autopilot, from our state, and from what later runs may bring back."""

from __future__ import annotations

from typing import Final

from shared.adapters.storage import Container
from shared.app import App
from shared.domain.answers import ContactGone
from shared.domain.state import without
from shared.reasons import TryLater
from shared.steps.files import read_table, write_table

SECONDS: Final = 60.0


def erase(app: App, address: str) -> dict[str, int]:
    """Erase whoever has this normalised address; gives how many accounts and states held them.

    The tombstone comes first, so that no run that begins meanwhile delivers them. Raises TryLater while any run is
    going, and the AutopilotError a call ended with; may be repeated.
    """
    person = app.digest_key().of_person(address)
    app.tombstones.put(person, app.now())
    running = [name for name in app.registry.exports() if app.ledger.head(name).active]
    if running:
        raise TryLater(60, f"the export {running[0]!r} is running and may still deliver this person")
    accounts = sum(_delete(app, name, address) for name in list(app.registry.connections()))
    states = sum(_forget(app, path, person) for path in list(app.storage.names(Container.STATE)))
    return {"accounts": accounts, "states": states}


def _delete(app: App, connection: str, address: str) -> bool:
    """Delete the contact at one account; False if there was none."""
    account = app.account(connection)
    sender = app.sender(account, seconds=SECONDS)
    try:
        sender.one(lambda: account.api.delete(address))
    except ContactGone:
        return False
    return True


def _forget(app: App, path: str, person: int) -> bool:
    """Take a person out of one state, be its export deleted; False if it did not hold them."""
    found = app.storage.get(Container.STATE, path)
    if found is None:
        return False
    people, lists = read_table(found[0])
    kept = without(people, [person])
    if kept.height == people.height:
        return False
    app.storage.put(Container.STATE, path, write_table(kept, lists))
    return True
