"""Which account a key opens, and a connection leads to: what is shared is kept per account, not per connection.

An account is known by what it tells of itself: Autopilot its `instanceId`, Ortto its `instance_id`. One that tells none is
known by its key alone. Until it has been asked, a connection stands for an account of its own, under its name: so did every
connection before.

What is known of a key changes only if the account tells another id in so many words. An answer that says less than an
earlier one is no answer.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from shared.azure.records import Record
from shared.azure.tables import Change, Table
from shared.delivery.errors import NoAnswer

_KEYS: Final = "_keys"
"""Partition of what is known of keys; no connection can bear this name."""

_TELLING: Final = "instance_"
"""How the names of accounts begin that told their ids."""

_HOME: Final = "account"
_SHARED: Final = ("filling", "pace")
"""Records that a connection's partition held before accounts had their own, beside those of lists."""


class KeyRecord(Record):
    """Which account a key opens; the key itself is a keyed digest."""

    account: str


class HomeRecord(Record):
    """Which account a connection leads to."""

    account: str


class StoredRecord(Record):
    """Any record of a connection's partition, as it is copied to its account's."""

    title: str | None = None
    list_id: str | None = None
    filling: str | None = None
    next_free: float | None = None
    speed: float | None = None
    throttled_at: float | None = None
    name: str | None = None
    text: str | None = None


def account_name(told: str | None, key_digest: str) -> str:
    """Return an account's own name among ours: by what it tells, else by the key that opens it."""
    return f"{_TELLING}{sha256(told.encode()).hexdigest()[:32]}" if told else f"key_{key_digest}"


class Identities:
    """What is known of keys and connections. Knowledge of a key hardly changes, so an instance remembers it."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._accounts: dict[str, str] = {}
        self._homes: dict[str, str] = {}

    def account_of_key(self, key_digest: str) -> str | None:
        """Return the account that a key opens, or None if nobody has asked yet."""
        if key_digest not in self._accounts:
            found = self._table.get(_KEYS, key_digest, KeyRecord)
            if found is None:
                return None
            self._accounts[key_digest] = found[0].account
        return self._accounts[key_digest]

    def recognise(self, key_digest: str, told: str | None, before: str | None) -> str:
        """Return the account that a key opens by the id that it told, and remember it; None if it told none.

        `before` is the account that its connection led to. Raise NoAnswer where it told none, although one is known of the
        key or of that account.
        """
        known = self.account_of_key(key_digest)
        if told is None:
            if (known or before or "").startswith(_TELLING):
                raise NoAnswer("the account was answered without the id that it told before")
            return known or self._remember(key_digest, account_name(None, key_digest))
        named = self._name(told)
        if known is None:
            return self._remember(key_digest, named)
        if known != named:
            if known.startswith(_TELLING):
                self._table.put(_KEYS, key_digest, KeyRecord(account=named))
                self._accounts[key_digest] = named
                return named
            self._keep_name(account_name(told, key_digest), known)
        return known

    def _name(self, told: str) -> str:
        """Return the name of the account of an id: the one that it had before it told the id, if it told none once."""
        name = account_name(told, "")
        found = self._table.get(_KEYS, name, KeyRecord)
        return found[0].account if found else name

    def _keep_name(self, name: str, former: str) -> None:
        """Keep the name of an account that tells its id for the first time, unless another of its keys gave it one since."""
        keys = self._table.between(_KEYS, "", "~", KeyRecord)
        if all(record.account != name for _, record in keys):
            self._table.try_write(_KEYS, [Change(name, KeyRecord(account=former), None)])

    def _remember(self, key_digest: str, account: str) -> str:
        """Remember which account a key opens; return the one that was remembered first."""
        if not self._table.try_write(_KEYS, [Change(key_digest, KeyRecord(account=account), None)]):
            return self.account_of_key(key_digest) or account
        self._accounts[key_digest] = account
        return account

    def home(self, connection: str) -> str | None:
        """Return the account that a connection was last seen to lead to, or None."""
        found = self._table.get(connection, _HOME, HomeRecord)
        return found[0].account if found else None

    def settle(self, connection: str, account: str) -> None:
        """Remember that a connection leads to an account, which takes over what the connection knew before it had one."""
        if self._homes.get(connection) == account:
            return
        found = self._table.get(connection, _HOME, HomeRecord)
        if found is None:
            self._take_over(connection, account)
        if found is None or found[0].account != account:
            self._table.put(connection, _HOME, HomeRecord(account=account))
        self._homes[connection] = account

    def forget(self, connection: str) -> None:
        """Forget where a deleted connection led; one made again under the name starts with nothing of it."""
        self._homes.pop(connection, None)
        self._table.delete(connection, [_HOME, *_SHARED, *(key for key, _ in self._of(connection))])

    def _take_over(self, connection: str, account: str) -> None:
        """Copy what a connection's own partition holds of lists, of the call that fills them, of the pace, and notes."""
        rows = self._of(connection)
        rows += [(key, found[0]) for key in _SHARED if (found := self._table.get(connection, key, StoredRecord))]
        for key, record in rows:
            self._table.try_write(account, [Change(key, record, None)])  # unless the account knows by itself

    def _of(self, connection: str) -> list[tuple[str, StoredRecord]]:
        """Return the rows of lists and of notes in a connection's own partition."""
        kinds = ("list-", "note-")
        return [row for kind in kinds for row in self._table.between(connection, kind, f"{kind}~", StoredRecord)]
