"""One pace for one account: the arithmetic of sharing a request rate, without any storage.

A theoretical arrival time (GCRA) says when the next free slot of an account begins. Whoever has calls to make moves it
forward by as many slots and owns the window in between: one storage call a window, however many instances share the
account. Slots are even and there is no burst, so no second ever sees more than the rate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

BACK_OFF: Final = 0.75
"""What a 429 leaves of the speed; a burst of them counts once a second."""

RECOVERY: Final = 0.02
"""What a window without a 429 gives back of the speed, for each second it lasts."""

SLOWEST: Final = 0.05


@dataclass(frozen=True, slots=True)
class Window:
    """Slots for calls: the first begins at `start` (seconds since 1970), each is `interval` seconds long."""

    start: float
    interval: float
    slots: int

    def slot(self, call_index: int) -> float:
        """When the call at `call_index` may begin."""
        return self.start + call_index * self.interval

    @property
    def end(self) -> float:
        """When the last slot ends."""
        return self.slot(self.slots)

    def from_now(self, now: float) -> Window:
        """Return what is left of the window: slots that have begun are lost."""
        begun = max(0, math.ceil((now - self.start) / self.interval))
        return self.split(min(begun, self.slots))[1]

    def until(self, latest: float) -> int:
        """Return how many slots begin by `latest`."""
        if latest >= self.end:
            return self.slots
        return max(0, 1 + math.floor((latest - self.start) / self.interval))

    def split(self, slots: int) -> tuple[Window, Window]:
        """Return the first so many slots, and the rest."""
        return Window(self.start, self.interval, slots), Window(self.slot(slots), self.interval, self.slots - slots)


@dataclass(frozen=True, slots=True)
class Pace:
    """An account's pace: the next free slot, the share of the speed in use (0 to 1), and when it was last throttled."""

    next_free: float = 0.0
    speed: float = 1.0
    throttled_at: float = 0.0

    def reserve(self, slots: int, rate: float, now: float, latest: float = math.inf) -> tuple[Pace, Window]:
        """Take the next free window of `slots` calls at `rate` calls a second, but no slot that begins after `latest`."""
        interval = 1 / (rate * self.speed)
        start = max(now, self.next_free)
        if start > latest:
            return self, Window(start, interval, 0)
        window = Window(start, interval, int(min(slots, 1 + (latest - start) / interval)))
        speed = min(1.0, self.speed + RECOVERY * window.slots * interval)
        return replace(self, next_free=window.end, speed=speed), window

    def backlog(self, now: float) -> float:
        """How many seconds away the next free slot is."""
        return max(0.0, self.next_free - now)

    def throttled(self, now: float, retry_after: float | None) -> Pace:
        """Answer a 429: everybody waits a moment and goes on slower."""
        if now - self.throttled_at < 1:
            return self
        pause = 1.0 if retry_after is None else retry_after
        return Pace(max(self.next_free, now + pause), max(SLOWEST, self.speed * BACK_OFF), now)
