"""Sending calls at an account's pace: each in its slot, as many in flight as the answers' delay asks for, repeated when it may be."""

from __future__ import annotations

import contextvars
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, Protocol

from shared.delivery.errors import (
    AccountRefused,
    DestinationError,
    HeldBack,
    KeyRefused,
    NoAnswer,
    NotSent,
    Throttled,
    Unclear,
)
from shared.delivery.pace import Window
from shared.retry.policy import CALL

PATIENCE: Final = 10
"""Calls in a row, of any kind, that may have no answer before the rest is not sent: the destination is away."""

LATE: Final = 0.1
"""Seconds by which a call may miss its slot; a machine that stalls longer reserves anew."""

LATEST_START: Final = 0.5
"""Seconds a call may wait for a thread: when slow answers hold all of them, what waits would go out at once at the end."""


class Clock(Protocol):
    """Time in seconds since 1970, and a way to let it pass."""

    def now(self) -> float:
        """Return the time."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Slots(Protocol):
    """An account's pace, as all instances share it."""

    def reserve(self, slots: int, latest: float) -> Window:
        """Take the next free window, of as many slots or fewer; of none if it would begin after `latest`."""
        ...

    def throttled(self, retry_after: float | None) -> None:
        """Tell everybody that the destination asked to slow down."""
        ...


@dataclass(slots=True)
class Tally:
    """What sending came to: requests made, those that the destination took, those throttled, and repeats."""

    requests: int = 0
    succeeded: int = 0
    throttled: int = 0
    retried: int = 0


@dataclass(slots=True)
class Sender:
    """Sends calls in reserved windows until `deadline`; threads come from `pool`, so that slow answers do not slow the pace.

    `in_flight` bounds how many calls are made at a time, by all who share it; None for any number.
    """

    slots: Slots
    clock: Clock
    pool: ThreadPoolExecutor
    deadline: float
    in_flight: threading.BoundedSemaphore | None = None
    tally: Tally = field(default_factory=Tally)
    key_refused: KeyRefused | None = None
    _failures: int = 0
    _refusals: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def halted(self) -> bool:
        """Whether there is no point in sending more."""
        return self.key_refused is not None or self.has_given_up or self.clock.now() >= self.deadline

    @property
    def has_given_up(self) -> bool:
        """Whether so many calls in a row had no answer that asking on would only burn calls."""
        return self._failures >= PATIENCE

    @property
    def account_refused(self) -> bool:
        """Whether it has given up because the account itself is refused."""
        return self.has_given_up and self._refusals >= PATIENCE

    def send[T](self, calls: Sequence[Callable[[], T]]) -> list[T | DestinationError]:
        """Make all calls and return their results in order: a value, or the error that it ended with.

        A `NoAnswer` among the results was tried `CALL.attempts` times or not sent at all, and is to be tried later; one that
        is `Unclear` was tried once, and is to be looked behind.
        """
        results: list[T | DestinationError] = [NotSent("not sent")] * len(calls)
        waiting_calls = list(range(len(calls)))
        for turn in range(CALL.attempts):
            if turn:
                self.clock.sleep(CALL.pause(turn))
                self.tally.retried += sum(not isinstance(results[call_index], NotSent) for call_index in waiting_calls)
            self._round(calls, waiting_calls, results)
            waiting_calls = [call_index for call_index in waiting_calls if _is_open(results[call_index])]
            if not waiting_calls or self.halted:
                break
        return results

    def attempt[T](self, call: Callable[[], T]) -> T | DestinationError:
        """Make one call in its slot, once: for a call that must not be repeated before looking."""
        results: list[T | DestinationError] = [NotSent("not sent")]
        self._round([call], [0], results)
        return results[0]

    def probe[T](self, call: Callable[[], T]) -> T:
        """Make one call although sending has halted; raises the error that it ended with."""
        self._failures = self._refusals = 0
        result = self.attempt(call)
        if isinstance(result, DestinationError):
            raise result
        return result

    def one[T](self, call: Callable[[], T]) -> T:
        """Make one call in its slot; raises the error that it ended with."""
        result = self.send([call])[0]
        if isinstance(result, DestinationError):
            raise result
        return result

    def _round[T](
        self, calls: Sequence[Callable[[], T]], call_indices: Sequence[int], results: list[T | DestinationError]
    ) -> None:
        """Make the calls of these indices, each in a slot of its own."""
        flying: dict[int, Future[T | DestinationError]] = {}
        waiting = deque(call_indices)
        while waiting and not self.halted:
            self._use_window(calls, waiting, flying)
        for call_index, future in flying.items():
            result = future.result()
            if not isinstance(result, NotSent):  # what was asked before, and perhaps done, stays asked
                results[call_index] = result

    def _use_window[T](
        self, calls: Sequence[Callable[[], T]], waiting: deque[int], flying: dict[int, Future[T | DestinationError]]
    ) -> None:
        """Send what waits in one window, as long as it is on time.

        Slots that this instance slept through are lost, not made up for: that would be a burst. Where no slot is free
        before the deadline nobody waits for one.
        """
        window = self.slots.reserve(len(waiting), self.deadline)
        if not window.slots:
            self.deadline = min(self.deadline, self.clock.now())
        for turn in range(window.slots):
            wait = window.slot(turn) - self.clock.now()
            if wait > 0:
                self.clock.sleep(wait)
            if wait < -LATE or self.halted:
                return
            if not self._has_room():
                return
            call_index = waiting.popleft()
            flying[call_index] = self.pool.submit(
                contextvars.copy_context().run, self._make, calls[call_index], time.monotonic()
            )

    def _has_room(self) -> bool:
        """Wait until one call more may be in flight; return False if none may be before the deadline."""
        return self.in_flight is None or self.in_flight.acquire(timeout=max(0.0, self.deadline - self.clock.now()))

    def _make[T](self, call: Callable[[], T], handed_over: float) -> T | DestinationError:
        """Make one call and note how it went; what waited too long for its thread, or comes too late, is not made."""
        try:
            return self._made(call, handed_over)
        finally:
            if self.in_flight is not None:
                self.in_flight.release()

    def _made[T](self, call: Callable[[], T], handed_over: float) -> T | DestinationError:
        if self.halted or time.monotonic() - handed_over > LATEST_START:
            return NotSent("not sent")
        outcome: T | DestinationError
        try:
            outcome = call()
        except DestinationError as error:
            outcome = error
        if isinstance(outcome, HeldBack):
            self.slots.throttled(outcome.retry_after)
        if isinstance(outcome, NotSent):
            return outcome
        with self._lock:
            self.tally.requests += 1
            self.tally.succeeded += not isinstance(outcome, KeyRefused | NoAnswer)
            if isinstance(outcome, KeyRefused):
                self.key_refused = outcome
            self._note(outcome)
            throttled = isinstance(outcome, Throttled)
            self.tally.throttled += throttled
        if isinstance(outcome, Throttled):
            self.slots.throttled(outcome.retry_after)
        return outcome

    def _note(self, outcome: object) -> None:
        """Count what had no answer in a row; being told to slow down, or an unclear answer, neither adds nor ends it."""
        if isinstance(outcome, Throttled | Unclear):
            return
        is_none = isinstance(outcome, NoAnswer)
        self._failures = self._failures + 1 if is_none else 0
        self._refusals = self._refusals + 1 if isinstance(outcome, AccountRefused) else 0


def _is_open(result: object) -> bool:
    return isinstance(result, NoAnswer) and not isinstance(result, Unclear)
