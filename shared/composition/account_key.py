"""The key of an account that was opened: no key of another account ever takes its place, whatever the vault holds by now."""

from __future__ import annotations

import threading
from collections.abc import Callable

from shared.delivery.destination import Key
from shared.delivery.errors import AnotherAccount


class AccountKey:
    """A connection's key as long as it opens one account.

    `account_of` tells which account a key opens; one that was never seen is asked about. It raises the DestinationError of
    that call.
    """

    def __init__(self, key: Key, account: str, account_of: Callable[[str], str]) -> None:
        self._key = key
        self._account = account
        self._account_of = account_of
        self._known: set[str] = set()
        self._lock = threading.Lock()

    def current(self) -> str:
        """Return the key; raise AnotherAccount if it opens another account by now, and what the vault's key raises."""
        return self._checked(self._key.current())

    def renewed(self, refused: str) -> str | None:
        """Return the key if it is another one by now than the one that was refused; raise as `current`."""
        newer = self._key.renewed(refused)
        return None if newer is None else self._checked(newer)

    def _checked(self, key: str) -> str:
        if key in self._known:
            return key
        with self._lock:  # one of those who share it asks, for all
            if key not in self._known:
                if self._account_of(key) != self._account:
                    raise AnotherAccount("the key opens another account by now")
                self._known.add(key)
        return key
