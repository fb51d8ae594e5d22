"""Tombstones: people who asked to be erased, as keyed digests. While one stands, no run brings its person back."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from shared.adapters.tables import Change, Lost, Table
from shared.records import Record

_PARTITION: Final = "erased"


class Tombstone(Record):
    """One person who was erased."""

    at: datetime


class Tombstones:
    """Remembers who was erased."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def put(self, person: int, at: datetime) -> None:
        """Remember that a person was erased; again is harmless."""
        try:
            self._table.write(_PARTITION, [Change(_key(person), Tombstone(at=at), None)])
        except Lost:
            return

    def people(self) -> list[int]:
        """Give the digests of all who were erased."""
        return [int(key, 16) - _OFFSET for key, _ in self._table.between(_PARTITION, "0", "~", Tombstone)]


_OFFSET: Final = 1 << 127


def _key(person: int) -> str:
    return f"{person + _OFFSET:032x}"
