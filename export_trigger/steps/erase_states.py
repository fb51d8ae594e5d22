"""A person in the states that runs left: at which accounts they were delivered, and how they are taken out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import polars as pl

from shared.azure.records import NewerVersion
from shared.azure.storage import Conflict, Container
from shared.composition.app import App
from shared.reasons.errors import ExportError
from shared.runs.files import Damaged, parse_state, write_state
from shared.runs.ledger import NoSuchRun
from shared.state.state import State, without


@dataclass(frozen=True, slots=True)
class DeliveredAt:
    """Where a state says that somebody was delivered: through which connection, and to which account if that is known."""

    connection: str
    account: str | None


def delivered_at(app: App, person: Sequence[int]) -> set[DeliveredAt]:
    """Return where a person, by each of their digests, was delivered, as far as states can be read."""
    return {_whose(app, path) for path in list(app.storage.names(Container.STATE)) if _holds(app, path, person)}


def forget_all(app: App, person: Sequence[int]) -> tuple[int, list[str]]:
    """Take a person, by each of their digests, out of every state, be its export deleted.

    Return how many held them, and which cannot be read.

    One that cannot be read holds nobody up: whoever mends it from a backup meets the tombstone at the next run's end.
    """
    held, unread = 0, []
    for path in list(app.storage.names(Container.STATE)):
        try:
            held += _forget(app, path, person)
        except (Damaged, NewerVersion):
            unread.append(path)
    return held, unread


def _holds(app: App, path: str, person: Sequence[int]) -> bool:
    try:
        found = _read(app, path)
    except (Damaged, NewerVersion):
        return False
    return found is not None and _without(found[0], person) is not None


def _whose(app: App, path: str) -> DeliveredAt:
    """Return to which account a state belongs: its run knows, or else the export's head."""
    export, connection, run_id = path.removesuffix(".parquet").split("/")
    account = None
    with suppress(NoSuchRun, ExportError):
        account = app.ledger.run(export, run_id).account
    with suppress(ExportError):
        account = account or app.ledger.head(export).left.get((connection, run_id))
    return DeliveredAt(connection, account)


def _forget(app: App, path: str, person: Sequence[int]) -> bool:
    """Take a person out of one state; False if it did not hold them, or is gone."""
    while True:
        found = _read(app, path)
        kept = _without(found[0], person) if found else None
        if found is None or kept is None:
            return False
        try:
            app.storage.put(Container.STATE, path, write_state(kept), if_match=found[1])
        except Conflict:
            continue
        return True


def _read(app: App, path: str) -> tuple[State, str] | None:
    """Return a state with its ETag, None if it is gone."""
    found = app.storage.get(Container.STATE, path)
    return (parse_state(path, found[0]), found[1]) if found else None


def _without(state: State, person: Sequence[int]) -> State | None:
    """Return a state without a person, None if it does not hold them."""
    kept: pl.DataFrame = without(state.people, person)
    return replace(state, people=kept) if kept.height < state.people.height else None
