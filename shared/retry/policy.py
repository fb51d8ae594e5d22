"""Every retry of the product: a policy is a value, its formula stands here, and so do all the values.

```
raise TryLater(OUTAGE.pause_after(seconds_away), "waiting")      # a message that goes back on its queue
for attempt in range(1, CALL.attempts + 1): ...                  # a loop
```
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Final

_MOST_DOUBLINGS: Final = 32


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long to pause before trying again, in seconds, and how often to try.

    The pause after attempt n (the first is 1) is

        min(longest, first * 2 ** (n - 1)) * (1 + U(0, jitter))

    where U is uniform: those who failed together do not come back together. Where nobody counts attempts, but it is known
    for how many seconds something has been away, the pause grows by half of that:

        min(longest, max(first, waited / 2)) * (1 + U(0, jitter))
    """

    first: float
    longest: float = math.inf
    jitter: float = 0.1
    attempts: int = 1
    """How often to try in a loop, the first time included. What goes back on a queue is tried for as long as the caller says."""

    def pause(self, attempt: int = 1) -> float:
        """Return the seconds to pause after an attempt."""
        return self._jittered(min(self.longest, self.first * 2 ** min(attempt - 1, _MOST_DOUBLINGS)))

    def pause_after(self, waited: float) -> float:
        """Return the seconds to pause when something has been away for `waited` seconds."""
        return self._jittered(min(self.longest, max(self.first, waited / 2)))

    def _jittered(self, seconds: float) -> float:
        return seconds * (1 + random.uniform(0, self.jitter)) if self.jitter else seconds  # noqa: S311 - not a secret


CONFLICT: Final = RetryPolicy(first=0.005, jitter=9)
"""A record that somebody else changed first: those who race do not race in step (5 to 50 milliseconds)."""

CALL: Final = RetryPolicy(first=0.5, longest=2.0, attempts=4)
"""A call to a destination that had no answer, within one chunk; then its contacts are a matter of the next chunk."""

REST: Final = RetryPolicy(first=5.0)
"""What a chunk left over, as a chunk of its own."""

NO_SLOT: Final = RetryPolicy(first=5.0)
"""Work for which no slot of the account's pace came in time; by half of the backlog where that is longer."""

LIST_GONE: Final = RetryPolicy(first=2.0)
"""A chunk whose list was deleted meanwhile: it is made again."""

LOCKED: Final = RetryPolicy(first=2.0)
"""Work that somebody else is doing."""

NO_ROOM: Final = RetryPolicy(first=10.0)
"""A plan for which this instance has no memory now."""

NEWER_VERSION: Final = RetryPolicy(first=60.0)
"""Work that a newer version of the app has to do: it may be about to."""

OUTAGE: Final = RetryPolicy(first=5.0, longest=60.0)
"""A destination, a vault or a source that does not answer; for OUTAGE_MINUTES, then the run ends."""

STORAGE_AWAY: Final = RetryPolicy(first=30.0)
"""Work in which the app's own storage did not answer, though its queues do."""

NOT_ENDED: Final = RetryPolicy(first=5.0)
"""A notice whose run has not ended yet."""

WEBHOOK: Final = RetryPolicy(first=5.0, longest=3600.0)
"""A notice that the webhook did not take; for OUTAGE_MINUTES, then it is dropped."""

REFRESH: Final = RetryPolicy(first=900.0, longest=86_400.0, jitter=0)
"""A refresh whose run failed before its plan; the tick looks whether the pause is over."""

ERASURE: Final = RetryPolicy(first=0.0, longest=3600.0, jitter=0)
"""An erasure that is not done; the tick looks whether the pause is over."""

DETACH: Final = RetryPolicy(first=0.0, jitter=0, attempts=5)
"""Taking a connection off an export that somebody else keeps saving."""
