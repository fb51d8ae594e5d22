"""Claims: which export fills which list of an account. At most one does: two would take off what the other put on.

A claim is made before the export is saved, by compare-and-swap, and holds as long as the export's stored document says
the same. One that no document bears out is nobody's: its maker died, or its export was changed or deleted since.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from shared.azure.records import Record
from shared.azure.tables import Change, Lost, Table
from shared.delivery.sending import Clock

SAVING: Final = 120.0
"""Seconds for which a claim holds whose export is not saved yet."""


class ClaimRecord(Record):
    """One list of an account: its title, the export that fills it, by which attempt at saving it was claimed, and when."""

    title: str
    export: str
    attempt: str
    at: float


class Claimed(Exception):
    """Another export fills the list."""

    def __init__(self, title: str, export: str) -> None:
        super().__init__(f"the export {export!r} fills the list {title!r}")
        self.title = title
        self.export = export


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at claiming lists of an account: what it made is taken back if the export is not saved after all."""

    account: str
    id: str
    new: tuple[str, ...]


IsHeld = Callable[[str, str], bool]
"""Whether an export's document says that it fills the list of a title; true also where that cannot be known now."""


class Claims:
    """Makes claims, verifies those of others against documents, and releases what is over."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def make(self, account: str, export: str, titles: Sequence[str], is_held: IsHeld) -> Attempt:
        """Claim lists of an account for an export, all or none; raise Claimed."""
        attempt = secrets.token_hex(8)
        while True:
            changes: list[Change] = []
            new: list[str] = []
            for title in titles:
                found = self._table.get(account, _key(title), ClaimRecord)
                if found and found[0].export != export and self._stands(found[0], is_held):
                    raise Claimed(title, found[0].export)
                if found and found[0].attempt == attempt:  # written, but the answer was lost and the client asked again
                    new.append(title)
                    continue
                if found is None or found[0].export != export:
                    new.append(title)
                record = ClaimRecord(title=title, export=export, attempt=attempt, at=self._clock.now())
                changes.append(Change(_key(title), record, found[1] if found else None))
            if not changes or self._table.try_write(account, changes):
                return Attempt(account, attempt, tuple(new))

    def check(self, account: str, export: str, titles: Sequence[str], is_held: IsHeld) -> None:
        """Raise Claimed if another export fills one of these lists. Nothing is claimed."""
        for title in titles:
            found = self._table.get(account, _key(title), ClaimRecord)
            if found and found[0].export != export and self._stands(found[0], is_held):
                raise Claimed(title, found[0].export)

    def take_back(self, attempt: Attempt) -> None:
        """Release what an attempt newly claimed, as far as nobody claimed it since."""
        for title in attempt.new:
            found = self._table.get(attempt.account, _key(title), ClaimRecord)
            if found and found[0].attempt == attempt.id:
                self._remove(attempt.account, title, found[1])

    def release(self, account: str, export: str, *, but: Iterable[str] = ()) -> None:
        """Release an export's claims at an account, but those of `but`."""
        kept = set(but)
        for _, record in list(self._table.between(account, "claim-", "claim-~", ClaimRecord)):
            if record.export == export and record.title not in kept:
                found = self._table.get(account, _key(record.title), ClaimRecord)
                if found and found[0] == record:
                    self._remove(account, record.title, found[1])

    def holders(self, account: str) -> dict[str, str]:
        """Return the exports that claim lists of an account, by title."""
        return {
            record.title: record.export for _, record in self._table.between(account, "claim-", "claim-~", ClaimRecord)
        }

    def _stands(self, claim: ClaimRecord, is_held: IsHeld) -> bool:
        """Return whether a claim keeps others away: it is just being made, or its export's document bears it out."""
        return self._clock.now() < claim.at + SAVING or is_held(claim.export, claim.title)

    def _remove(self, account: str, title: str, etag: str) -> None:
        with suppress(Lost):
            self._table.delete_version(account, _key(title), etag)


def _key(title: str) -> str:
    """Name a claim's record: titles hold what keys may not."""
    return "claim-" + sha256(title.encode()).hexdigest()[:32]
