"""Wait for what has to come, however busy the machine is: looked for again and again until a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable


def eventually[T](
    look: Callable[[], T], fits: Callable[[T], object] = bool, *, seconds: float = 90.0, every: float = 0.1
) -> T:
    """Return what `look` sees once it fits; raise AssertionError with what was seen last after so many seconds."""
    deadline = time.monotonic() + seconds
    while not fits(seen := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s; last seen: {seen!r}")
        time.sleep(every)
    return seen
