"""What keeps callers within bounds: the plan's rate, the ban for bad requests, and how many merges go at a time."""

from __future__ import annotations

import time
from collections import deque

from local.ortto.knobs import Knobs
from local.sandbox.knobs import Bucket


class Limits:
    """The limits of one caller."""

    def __init__(self) -> None:
        self._bucket = Bucket()
        self._bad: deque[float] = deque()
        self._banned_until = 0.0
        self._merges: list[float] = []
        self.bans = 0

    def is_banned(self) -> bool:
        """Whether the caller is banned for bad requests."""
        return time.monotonic() < self._banned_until

    def note_bad(self, knobs: Knobs) -> None:
        """Count a bad request; too many in a short time ban the caller (vendor)."""
        if knobs.ban is None:
            return
        at = time.monotonic()
        self._bad.append(at)
        while self._bad[0] < at - knobs.ban_seconds:
            self._bad.popleft()
        if len(self._bad) >= knobs.ban:
            self._bad.clear()
            self._banned_until = at + knobs.ban_seconds
            self.bans += 1

    def is_too_fast(self, knobs: Knobs) -> bool:
        """Whether a request is over the plan's rate."""
        return knobs.rate is not None and not self._bucket.take(knobs.rate, knobs.burst, time.monotonic())

    def is_too_many(self, knobs: Knobs, seconds: float) -> bool:
        """Whether as many merges go already as may go at a time; if not, this one goes for so many seconds."""
        if knobs.concurrency is None:
            return False
        at = time.monotonic()
        self._merges = [end for end in self._merges if end > at]
        if len(self._merges) >= knobs.concurrency:
            return True
        self._merges.append(at + seconds)
        return False
