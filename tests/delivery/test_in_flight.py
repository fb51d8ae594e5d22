"""How many calls are in flight at a time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.delivery.errors import NotSent
from shared.delivery.sending import Sender
from tests.delivery.accounts import ManualClock, MemorySlots


class Account:
    """Counts the calls at a time; each waits until there are as many as `meet`."""

    def __init__(self, meet: int) -> None:
        self._together = threading.Barrier(meet, timeout=60)
        self._lock = threading.Lock()
        self._now = 0
        self.most = 0

    def call(self) -> str:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        self._together.wait()
        with self._lock:
            self._now -= 1
        return "done"


@pytest.mark.parametrize("most", [1, 2, 3])
def test_as_many_calls_are_in_flight_as_may_be_and_no_more(most: int) -> None:
    clock, account = ManualClock(), Account(meet=most)
    with ThreadPoolExecutor(16) as pool:
        bound = threading.BoundedSemaphore(most)
        sender = Sender(MemorySlots(clock, rate=10_000), clock, pool, clock.now() + 10_000, bound)
        assert sender.send([account.call] * (6 * most)) == ["done"] * (6 * most)
    assert account.most == most


def test_a_call_that_finds_no_room_before_the_deadline_is_not_sent() -> None:
    clock, bound = ManualClock(), threading.BoundedSemaphore(1)
    bound.acquire()
    with ThreadPoolExecutor(2) as pool:
        sender = Sender(MemorySlots(clock, rate=10_000), clock, pool, clock.now() + 0.05, bound)
        (result,) = sender.send([lambda: "done"])
    assert isinstance(result, NotSent)
