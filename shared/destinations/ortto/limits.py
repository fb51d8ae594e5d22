"""Ortto's limits: what a call carries, and how many of ours may be bad before a caller is banned."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import Final

from shared.delivery.capabilities import ANY_LISTS, Capabilities, ListMethod, Names
from shared.delivery.errors import AccountRefused, DestinationError, HeldBack, KeyRefused, Throttled

PEOPLE: Final = 100
"""People in a merge (vendor), and ids read at once (no limit is known)."""

LARGEST: Final = 1_600_000
"""Bytes of a merge's people: 2 MB is the limit (vendor), and tags come on top."""

PAGE: Final = 500
"""People on a page; more counts as 50 (vendor)."""

AUDIENCES: Final = 40
"""Audiences on a page (vendor)."""

TAGS: Final = ListMethod("tags", contacts=PEOPLE, lists=ANY_LISTS, removals=True)
"""100 people in one call, each with any tags to add and to take away."""

CAPABILITIES: Final = Capabilities(
    contacts=PEOPLE,
    moves=PEOPLE,
    move_lists=ANY_LISTS,
    looks=PEOPLE,
    page=PAGE,
    answers=Names.NOBODY,
    refusals=Names.EACH,
    largest=LARGEST,
)
"""Answers name nobody; a refusal says of each why, where it does: else halves are sent."""

BAD_CALLS: Final = 8
BAN_SECONDS: Final = 15.0
"""15 bad calls in 15 s ban the address for 15 s (vendor). We stay well below: others may call from the same address."""

SUSPICION: Final = 20.0
"""Seconds to wait before a refused key or account is believed that comes right after bad calls: it may be the ban."""


_OF_THE_ACCOUNT: Final = frozenset({401, 403, 404})
"""Statuses that say nothing of what was asked."""


class BadCalls:
    """Counts the bad calls of this instance to one API, and holds calls back before they ban us. Safe for threads."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._at: deque[tuple[float, bool]] = deque()
        self._lock = Lock()

    def check(self) -> None:
        """Raise HeldBack, which everybody on the account hears, until there is room for another bad call."""
        with self._lock:
            self._forget()
            if len(self._at) >= BAD_CALLS:
                raise HeldBack("bad calls are held back", max(0.1, self._at[0][0] + BAN_SECONDS - self._now()))

    def note(self, status: int) -> None:
        """Count a bad call by the status of its answer."""
        with self._lock:
            self._at.append((self._now(), status not in _OF_THE_ACCOUNT))

    def doubt(self, error: DestinationError) -> DestinationError:
        """Return the error as it is to be believed: a refused key right after many bad calls is perhaps the ban."""
        with self._lock:
            self._forget()
            many = sum(is_ours for _, is_ours in self._at) > BAD_CALLS // 2
        if many and isinstance(error, KeyRefused | AccountRefused):
            return Throttled("a refusal right after bad calls", SUSPICION)
        return error

    def _forget(self) -> None:
        while self._at and self._at[0][0] <= self._now() - BAN_SECONDS:
            self._at.popleft()
