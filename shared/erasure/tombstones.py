"""Tombstones: people who asked to be erased, as keyed digests. While one stands, no run brings its person back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from shared.azure.records import NewerVersion, Record
from shared.azure.tables import Change, Table
from shared.state.digests import SCHEME

_PARTITION: Final = "erased"
_KEY_PARTITION: Final = "installation"
_FINGERPRINT: Final = "digest-key"


class Tombstone(Record):
    """One person who was erased; `digests` is the scheme of the digest that names them, None where that was not noted."""

    at: datetime
    digests: str | None = None


class FingerprintRecord(Record):
    """Which digest key everything was digested with that we keep: tombstones here, and the states in their blobs."""

    fingerprint: str
    at: datetime


class Tombstones:
    """Remembers who was erased, and by which key people are digested."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def put(self, person: int, at: datetime) -> None:
        """Remember that a person was erased; again is harmless."""
        while True:
            found = self._table.get(_PARTITION, _key(person), Tombstone)
            if found is not None and found[0].digests is not None:
                return
            stone = Tombstone(at=found[0].at if found else at, digests=SCHEME)
            self._table.try_write(_PARTITION, [Change(_key(person), stone, found[1] if found else None)])

    def people(self) -> list[int]:
        """Return the digests of all who were erased, however they were made."""
        return [person for person, _ in self._all()]

    def erased_at(self, person: int, former: int) -> datetime | None:
        """Return when a person was erased, by their digest or the former one; None if they were not."""
        found = self._table.get(_PARTITION, _key(person), Tombstone)
        if found is None:
            found = self._table.get(_PARTITION, _key(former), Tombstone)
        return found[0].at if found else None

    def people_and_former(self) -> tuple[list[int], list[int]]:
        """Return the digests of all who were erased, and those of them that may have been made in the former way.

        Of these nothing says how they were.
        """
        known = list(self._all())
        return [person for person, _ in known], [person for person, stone in known if stone.digests is None]

    def _all(self) -> Iterator[tuple[int, Tombstone]]:
        for key, stone in self._table.between(_PARTITION, "0", "~", Tombstone):
            if stone.digests not in {None, SCHEME}:
                raise NewerVersion("A tombstone of an erased person")
            yield int(key, 16) - _OFFSET, stone

    def any(self) -> bool:
        """Return whether anybody was erased."""
        return next(iter(self._table.between(_PARTITION, "0", "~", Tombstone)), None) is not None

    def fingerprint(self) -> str | None:
        """Return the fingerprint of the key that digests were made with; None if none was noted yet."""
        found = self._table.get(_KEY_PARTITION, _FINGERPRINT, FingerprintRecord)
        return found[0].fingerprint if found else None

    def note_fingerprint(self, fingerprint: str, at: datetime) -> str:
        """Note the key that digests are made with, unless one is noted already; return the one that stands."""
        while (known := self.fingerprint()) is None:
            change = Change(_FINGERPRINT, FingerprintRecord(fingerprint=fingerprint, at=at), None)
            self._table.try_write(_KEY_PARTITION, [change])
        return known


_OFFSET: Final = 1 << 127


def _key(person: int) -> str:
    return f"{person + _OFFSET:032x}"
