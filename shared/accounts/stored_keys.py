"""Which secrets the app made for connections, each with one key: secrets that somebody else stored are never touched."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from shared.azure.records import Record
from shared.azure.tables import Change, Table

PREFIX: Final = "autopilot-"
"""How the names of secrets begin that hold accounts' keys."""

_PARTITION: Final = "_secrets"


class SecretRecord(Record):
    """A secret that the app made: for which connection, and when."""

    connection: str
    at: datetime


class StoredKeys:
    """Which secrets the app made for connections."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def note(self, secret: str, connection: str, at: datetime) -> None:
        """Note a secret that is about to be made."""
        self._table.try_write(_PARTITION, [Change(secret, SecretRecord(connection=connection, at=at), None)])

    def is_ours(self, secret: str) -> bool:
        """Return whether the app made a secret."""
        return self._table.get(_PARTITION, secret, SecretRecord) is not None

    def all(self) -> list[tuple[str, SecretRecord]]:
        """Return all secrets that the app made, with what is noted of them."""
        return list(self._table.between(_PARTITION, PREFIX, PREFIX + "~", SecretRecord))

    def forget(self, secret: str) -> None:
        """Forget a secret that was removed."""
        self._table.delete(_PARTITION, [secret])
