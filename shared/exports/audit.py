"""The audit trail: who did what, when. Names of connections, exports and runs, never a person's data."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Mapping
from datetime import datetime
from itertools import islice
from typing import Final

from shared.azure.records import Record
from shared.azure.tables import Change, Lost, Table

_PARTITION: Final = "audit"
_LAST: Final = 10**17

MOST_LOOKED_AT: Final = 5_000
"""Entries that are looked at in one go for those of an export: five calls."""


class AuditEntry(Record):
    """One thing that was done: `by` is an object id, `function-key` or `schedule`; `of` names what it was done to."""

    at: datetime
    by: str
    what: str
    of: str


class Audit:
    """Writes the trail and reads it, newest first."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def note(self, at: datetime, by: str, what: str, of: Mapping[str, str]) -> None:
        """Note that `by` did `what`.

        The entry's key is nobody else's: where it is there already, the SDK has repeated what was done.
        """
        key = f"{_LAST - int(at.timestamp() * 1_000_000):017d}-{secrets.token_hex(3)}"
        named = " ".join(f"{kind}={name}" for kind, name in of.items())
        with contextlib.suppress(Lost):
            self._table.write(_PARTITION, [Change(key, AuditEntry(at=at, by=by, what=what, of=named), None)])

    def forget(self, before: datetime, *, most: int) -> None:
        """Delete the oldest entries, those from before a moment, at most `most`."""
        start = f"{_LAST - int(before.timestamp() * 1_000_000):017d}~"
        self._table.delete(_PARTITION, self._table.keys(_PARTITION, start, "~", most=most))

    def entries(self, *, after: str = "", most: int = 50) -> list[tuple[str, AuditEntry]]:
        """Return entries with their keys, newest first, those after the key `after`."""
        start = after + "~" if after else "0"
        return list(islice(self._table.between(_PARTITION, start, "~", AuditEntry), most))

    def of_export(self, export: str, *, after: str = "", most: int = 50) -> tuple[list[AuditEntry], str | None]:
        """Return what was done with an export, newest first, and the key to go on after, None if there is no more.

        MOST_LOOKED_AT entries are looked at, so that there may be fewer than `most` although there are more.
        """
        found: list[AuditEntry] = []
        start = after + "~" if after else "0"
        for looked, (key, entry) in enumerate(self._table.between(_PARTITION, start, "~", AuditEntry), start=1):
            if f"export={export}" in entry.of.split(" "):
                found.append(entry)
            if len(found) == most or looked == MOST_LOOKED_AT:
                return found, key
        return found, None
