"""Room for plans: each may take hundreds of megabytes, and one process has what its instance has."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from shared.reasons.errors import TryLater
from shared.retry.policy import NO_ROOM


class Room:
    """Places for so many plans at once; who finds none gives its work back for a while."""

    def __init__(self, places: int) -> None:
        self._free = threading.BoundedSemaphore(places)

    def check(self) -> None:
        """Raise TryLater if there is no place now, before work is done that would be for nothing."""
        with self.place():
            return

    @contextmanager
    def place(self, seconds: float = 0.0) -> Iterator[None]:
        """Hold a place; raise TryLater if there is none within `seconds`."""
        if not self._free.acquire(timeout=seconds):
            raise TryLater(NO_ROOM.pause(), "this instance makes as many plans as it has memory for")
        try:
            yield
        finally:
            self._free.release()


FOR_RUNS: Final = Room(2)
"""Two plans of a million rows take less than 700 MB, of the 2 GB of an instance."""

FOR_PREVIEWS: Final = Room(1)
"""A place of its own, so that whoever looks takes none from what runs."""

PREVIEWS_IN_HAND: Final = Room(16)
"""Those that are made or wait for that place. Each has threads of its own, and goes on when nobody waits for it any more:
without a bound, one reader who asks and does not wait would fill the instance with them."""
