"""Locks: what must be done once is done by one, however many instances there are, and another takes over from a dead one."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from shared.azure.records import Record
from shared.azure.tables import Change, Table
from shared.reasons.errors import TryLater
from shared.retry.policy import LOCKED

INSTALLATION: Final = "installation"
"""Partition of locks that hold for the whole installation."""


class LockRecord(Record):
    """Who may do what must be done once, and until when (seconds since 1970)."""

    owner: str
    until: float


class Locks:
    """Locks in a table, one for each `what` in a partition: an account, an export, or the installation.

    ```
    with locks.exclusive(export, "finish", 90) as check:
        ...       # nobody else finishes this export's run for 90 seconds
        check()   # raise TryLater if the 90 seconds are over
    ```
    """

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now

    @contextmanager
    def exclusive(self, partition: str, what: str, seconds: float) -> Iterator[Callable[[], None]]:
        """Be the only one to do `what` for at most `seconds`; raise TryLater if somebody else is at it.

        Yield a check that raises TryLater once the time is over: who was paused meanwhile must not go on.
        """
        key, owner, now = _key(what), secrets.token_hex(8), self._now()
        found = self._table.get(partition, key, LockRecord)
        if found and found[0].until > now:
            raise TryLater(LOCKED.pause(), f"somebody else is at it: {what}")
        taken = LockRecord(owner=owner, until=now + seconds)
        if not self._table.try_write(partition, [Change(key, taken, found[1] if found else None)]):
            raise TryLater(LOCKED.pause(), f"somebody else is at it: {what}")

        def check() -> None:
            if self._now() >= taken.until:
                raise TryLater(LOCKED.pause(), f"somebody else may be at it by now: {what}")

        try:
            yield check
        finally:
            found = self._table.get(partition, key, LockRecord)
            if found and found[0].owner == owner:
                self._table.try_write(partition, [Change(key, LockRecord(owner="", until=0), found[1])])

    def forget(self, partition: str, what: str) -> None:
        """Forget who did what, once it is never done again."""
        self._table.delete(partition, [_key(what)])

    def forget_finished(self, export: str) -> None:
        """Forget who finished an export's runs: an older version of the app kept that for each run, for ever."""
        self._table.delete(export, self._table.keys(export, _key("finish "), _key("finish!")))


def _key(what: str) -> str:
    return f"lock-{what}"
