"""Clock skew: how far this machine's clock is off a server's, narrowed by every answer that bears a date.

Slots of a shared pace are moments; instances whose clocks differ would send in each other's slots. A server's `Date`
(RFC 9110) is cut to the second, so one answer says little: the offset lies between `date - received` and
`date + 1 - sent`. The bounds of many answers, which fall on different parts of a second, meet at the truth.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final

FORGET: Final = 300.0
"""Seconds for which an answer counts: clocks drift, and are set."""

MOST: Final = 256
"""Answers kept."""


class Skew:
    """The offset of a server's clock from ours, in seconds."""

    def __init__(self) -> None:
        self._answers: deque[tuple[float, float, float]] = deque()
        self.bounds: tuple[float, float] = (-math.inf, math.inf)
        """Between which offsets the truth lies, as far as is known."""

    def observe(self, sent: float, received: float, date: float) -> None:
        """Take an answer that bears `date` (whole seconds), and when by our clock it was asked for and came."""
        low, high = date - received, date + 1 - sent
        self._forget(received)
        known_low, known_high = self.bounds
        if low > known_high or high < known_low:  # a clock was set: what was learnt before is void
            self._answers.clear()
            known_low, known_high = -math.inf, math.inf
        self._answers.append((received, low, high))
        self.bounds = max(known_low, low), min(known_high, high)

    @property
    def offset(self) -> float:
        """What to add to our clock: nothing while it may well be right, else the middle of what is possible."""
        low, high = self.bounds
        return 0.0 if low <= 0 <= high else (low + high) / 2

    def _forget(self, now: float) -> None:
        """Drop answers that are old or too many; the others are looked through only where one of those set a bound."""
        known_low, known_high = self.bounds
        has_set_bound = False
        while self._answers and (len(self._answers) == MOST or self._answers[0][0] < now - FORGET):
            _, low, high = self._answers.popleft()
            has_set_bound |= low == known_low or high == known_high
        if has_set_bound:
            self.bounds = (
                max((low for _, low, _ in self._answers), default=-math.inf),
                min((high for _, _, high in self._answers), default=math.inf),
            )
