"""Erase a person: at Autopilot, from our state, and from what later runs may bring back."""

from __future__ import annotations

from typing import Final

from shared.adapters.storage import Container
from shared.app import App
from shared.domain.answers import ContactGone
from shared.domain.state import State, without
from shared.reasons import TryLater
from shared.steps.files import load_state, state_path, write_table

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
    states = sum(_forget(app, name, person) for name in list(app.registry.exports()))
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


def _forget(app: App, export: str, person: int) -> bool:
    """Take a person out of an export's states; False if none held them."""
    head = app.ledger.head(export)
    found = False
    for connection, run_id in head.states.items():
        state = load_state(app.storage, export, connection, run_id)
        kept = without(state.people, [person])
        if kept.height == state.people.height:
            continue
        found = True
        _save(app, State(state.lists, kept), state_path(export, connection, run_id))
    return found


def _save(app: App, state: State, path: str) -> None:
    app.storage.put(Container.STATE, path, write_table(state.people, state.lists))
