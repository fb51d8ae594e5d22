"""Once: what a process makes when it is first needed, though several threads need it first at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache, update_wrapper


class Once[T]:
    """A function without arguments whose value is made once a process. What it raises is not kept: the next call tries again.

    `functools.cache` alone lets every thread make a value that comes while the first is still being made, as all
    messages of a batch do on an instance that has just started.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        update_wrapper(self, make)
        self.__wrapped__ = make
        self._made = cache(make)
        self._lock = threading.Lock()

    def __call__(self) -> T:
        """Return the value; who comes while it is being made waits for it."""
        with self._lock:
            return self._made()

    def cache_clear(self) -> None:
        """Forget the value, for tests."""
        self._made.cache_clear()
