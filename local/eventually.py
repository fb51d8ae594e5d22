"""Wait for what has to come, however busy the machine is: looked for again and again until a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 0.8
SLOWING: Final = 1.4
"""By how much each pause is longer than the one before: a look costs the machine that is waited for."""


def eventually[T](
    look: Callable[[], T], fits: Callable[[T], object] = bool, *, seconds: float = 300.0, every: float | None = None
) -> T:
    """Return what `look` sees once it fits; raise AssertionError with what was seen last after so many seconds.

    It looks less and less often, down to once in 0.8 seconds; or `every` so many seconds, for what soon is over.
    """
    deadline = time.monotonic() + seconds
    pause = every or FIRST_PAUSE
    while not fits(seen := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s; last seen: {seen!r}")
        time.sleep(pause)
        pause = every or min(pause * SLOWING, LONGEST_PAUSE)
    return seen
