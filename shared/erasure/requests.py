"""Erasures: requests to erase a person, and how far each is. The address is not here, only what is left to do.

What cannot be reached now is tried again, and for that the address is needed. It is kept in a container of its own, one blob
a request, which goes when the request is done: blobs of this account are not soft-deleted, as a vault's secrets are,
and unlike tables and queues they are in no log and no backup of ours.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from typing import Final

from shared.azure.records import FIRST, Record, Unreadable, check_version
from shared.azure.storage import Container, Storage, TooLarge
from shared.azure.tables import Change, Table

_PARTITION: Final = "requests"


class Progress(StrEnum):
    """How far an erasure is: being worked at, read back as gone everywhere, or as far as it can get."""

    OPEN = "open"
    ERASED = "erased"
    INCOMPLETE = "incomplete"


class Reached(Record):
    """What came of one connection's account: whether it held the person, whether they were read back as gone, or why not."""

    connection: str
    account: str = ""
    """An account to which the connection led when the person was delivered, and does no more; empty for the one it leads to."""

    held: bool = False
    gone: bool = False
    code: str = ""

    def judged(self, code: str) -> Reached:
        """Return that the person is gone there, or with a code why not."""
        return self.model_copy(update={"gone": not code, "code": code})

    def after(self, before: Reached | None) -> Reached:
        """Return what came of this try, after another one of the same account: one that held the person stays known to."""
        held = self.held or (before is not None and before.held)
        return self.model_copy(update={"held": held})


class Erasure(Record):
    """One request."""

    id: str
    at: datetime
    """When it was made."""

    by: str
    """Who made it."""

    person: str | None = None
    """Whom it is about, as a keyed digest; None in one of before."""

    progress: Progress = Progress.OPEN
    code: str = ""
    """What kept an incomplete one from its end."""

    accounts: tuple[Reached, ...] = ()
    """What came of each connection's account so far."""

    states: int = 0
    """How many states held the person."""

    unread: tuple[str, ...] = ()
    """States that could not be read."""

    waits_for: tuple[str, ...] = ()
    """Runs (export/run) that may still deliver the person; the accounts are tried again after them."""

    tried_at: datetime | None = None
    done_at: datetime | None = None

    def tried(
        self, at: datetime, accounts: Sequence[Reached], states: int, unread: Sequence[str], waits_for: tuple[str, ...]
    ) -> Erasure:
        """Return the request after one more try; `states` are those that held the person this time."""
        before = {(item.connection, item.account): item for item in self.accounts}
        return self.model_copy(
            update={
                "accounts": tuple(item.after(before.get((item.connection, item.account))) for item in accounts),
                "states": self.states + states,
                "unread": tuple(unread),
                "waits_for": waits_for,
                "tried_at": at,
            }
        )

    def owing(self, owed: Sequence[Reached]) -> Erasure:
        """Return the request with accounts that no connection leads to by now, beside those that it has."""
        known = {(item.connection, item.account) for item in self.accounts}
        new = [item for item in owed if (item.connection, item.account) not in known]
        return self.model_copy(update={"accounts": (*self.accounts, *new)}) if new else self

    def done(self, at: datetime, progress: Progress, code: str = "") -> Erasure:
        """Return the request once there is nothing more to do: erased, or incomplete for the reason in `code`."""
        return self.model_copy(update={"progress": progress, "code": code, "done_at": at})


class Erasures:
    """Keeps the requests, and each one's address until it is done."""

    def __init__(self, table: Table, storage: Storage) -> None:
        self._table = table
        self._storage = storage

    def begin(self, address: str, at: datetime, by: str, waits_for: tuple[str, ...], person: int) -> Erasure:
        """Keep a new request; the record comes first, so that no address lies about that nobody knows of."""
        erasure = Erasure(id=secrets.token_hex(16), at=at, by=by, waits_for=waits_for, person=str(person))
        self._table.write(_PARTITION, [Change(erasure.id, erasure, None)])
        self._storage.put(
            Container.ERASURES, _path(erasure.id), json.dumps({"version": FIRST, "email": address}).encode()
        )
        return erasure

    def get(self, erasure_id: str) -> Erasure | None:
        """Return a request, or None."""
        found = self._table.get(_PARTITION, erasure_id, Erasure)
        return found[0] if found else None

    def all(self) -> list[Erasure]:
        """Return every request that is kept, but those that this code cannot read: a newer one goes on with its own."""
        kept = []
        for erasure_id in self._table.keys(_PARTITION, "0", "~"):
            with suppress(Unreadable):
                found = self.get(erasure_id)
                kept += [found] if found else []
        return kept

    def left_by_others(self, erasure: Erasure) -> list[Reached]:
        """Return the accounts at which earlier requests about the same person could not be carried out."""
        others = [other for other in self.all() if other.id != erasure.id and other.person == erasure.person]
        is_known = erasure.person is not None
        return [item for other in others if is_known for item in other.accounts if item.account and not item.gone]

    def address(self, erasure_id: str) -> str | None:
        """Return the address that a request is about; None if it is not kept, or cannot be read. Raise NewerVersion."""
        try:
            found = self._storage.get(Container.ERASURES, _path(erasure_id))
            content = json.loads(found[0]) if found else {"email": None}
            check_version("An erasure's address", content.get("version"), FIRST)
            email = content["email"]
        except (ValueError, KeyError, TypeError, AttributeError, TooLarge):
            return None
        return email if isinstance(email, str) else None

    def save(self, erasure: Erasure) -> None:
        """Keep how far a request is; one that is over loses its address."""
        while True:
            found = self._table.get(_PARTITION, erasure.id, Erasure)
            if found is None:
                return
            if self._table.try_write(_PARTITION, [Change(erasure.id, erasure, found[1])]):
                break
        if erasure.progress is not Progress.OPEN:
            self._storage.delete(Container.ERASURES, _path(erasure.id))

    def forget(self, erasure_id: str) -> None:
        """Forget a request that is over."""
        self._table.delete(_PARTITION, [erasure_id])

    def sweep(self) -> None:
        """Delete addresses that no open request needs: of one whose process died when it was done."""
        for name in list(self._storage.names(Container.ERASURES)):
            with suppress(Unreadable):
                erasure = self.get(name.removesuffix(".json"))
                if erasure is None or erasure.progress is not Progress.OPEN:
                    self._storage.delete(Container.ERASURES, name)


def _path(erasure_id: str) -> str:
    return f"{erasure_id}.json"
