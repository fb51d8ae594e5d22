"""Sending: calls in their slots, at the account's pace, until the deadline or a key that is refused."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from shared.delivery.delivery import Delivery
from shared.delivery.errors import HeldBack, KeyRefused, NoAnswer, NotSent, Throttled
from shared.delivery.sending import LATEST_START, Sender
from shared.destinations.autopilot.account import AutopilotAccount
from shared.destinations.autopilot.destination import AUTOPILOT
from shared.destinations.autopilot.list_methods import MEMBERSHIP
from tests.delivery.accounts import ManualClock, MemorySlots
from tests.delivery.deliveries import LISTS, account, deliver, operation


def test_slots_that_were_slept_through_are_lost_and_make_no_burst(pool: ThreadPoolExecutor) -> None:
    clock = ManualClock()
    slots = MemorySlots(clock, rate=10)
    sent: list[float] = []

    def call(number: int) -> Callable[[], None]:
        def make() -> None:
            sent.append(clock.now())
            if number == 3:
                clock.time += 5  # the machine stalls

        return make

    one_by_one = ThreadPoolExecutor(1)
    with one_by_one:
        sender = Sender(slots, _InStep(clock, one_by_one), one_by_one, clock.now() + 600)
        sender.send([call(number) for number in range(20)])
    assert len(sent) == 20
    assert len(slots.windows) == 2
    sent.sort()
    assert all(later - earlier >= 0.1 - 1e-6 for earlier, later in pairwise(sent))


class _InStep:
    """A clock that is read only when the calls made so far have run."""

    def __init__(self, clock: ManualClock, pool: ThreadPoolExecutor) -> None:
        self._clock = clock
        self._pool = pool

    def now(self) -> float:
        if threading.current_thread() is threading.main_thread():
            self._pool.submit(int).result()
        return self._clock.now()

    def sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds)


def test_when_nothing_answers_the_rest_is_not_sent(pool: ThreadPoolExecutor) -> None:
    api = account(contacts={f"p{n}@example.com": {} for n in range(500)}, fault=lambda call: NoAnswer("503"))
    delivered = deliver(api, pool, [operation(n, upsert=False, known=True) for n in range(500)])
    assert len(delivered.unsettled) == 500
    assert len(api.calls) < 100


def test_a_slot_past_the_deadline_is_not_waited_for(pool: ThreadPoolExecutor) -> None:
    """A worker that slept to its slot, minutes away, would outlive its function's timeout and take the others with it."""
    clock = ManualClock()
    slots = MemorySlots(clock)
    slots.throttled(retry_after=3600)
    sender = Sender(slots, clock, pool, clock.now() + 240)
    begun, next_free = clock.now(), slots.pace.next_free
    results = sender.send([int] * 3)
    assert [type(result) for result in results] == [NotSent] * 3
    assert clock.now() < begun + 10
    assert slots.pace.next_free == next_free  # and no slot was taken that nobody uses


def test_a_call_that_waited_long_for_its_thread_is_not_made() -> None:
    """When slow answers hold every thread, what waits would go out at once when they come: a burst."""
    made: list[int] = []
    clock = ManualClock()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(time.sleep, LATEST_START + 0.2)
        result = Sender(MemorySlots(clock), clock, pool, clock.now() + 600).attempt(lambda: made.append(1))
    assert isinstance(result, NotSent)
    assert made == []


def test_calls_that_wait_for_a_thread_are_not_made_once_the_key_is_refused() -> None:
    made: list[int] = []

    def call() -> None:
        made.append(1)
        raise KeyRefused("401")

    clock = ManualClock()
    with ThreadPoolExecutor(1) as pool:
        hold = threading.Event()
        pool.submit(hold.wait, LATEST_START / 2)
        sender = Sender(MemorySlots(clock), clock, pool, clock.now() + 600)
        sender.send([call] * 50)
    assert len(made) == 1


def test_throttling_is_no_failure_and_slows_everybody_down(pool: ThreadPoolExecutor) -> None:
    answers = iter([Throttled("429", None)] * 3)
    clock = ManualClock()
    slots = MemorySlots(clock)
    api = account(fault=lambda call: next(answers, None))
    sender = Sender(slots, clock, pool, clock.now() + 600)
    delivered = Delivery(AUTOPILOT, AutopilotAccount(api), sender, LISTS, MEMBERSHIP).deliver(
        [operation(n) for n in range(10)]
    )
    assert len(delivered.settled) == 10
    assert sender.tally.throttled == 3
    assert slots.pace.speed < 1


def test_a_call_that_the_destination_holds_back_slows_everybody_down_and_counts_as_none(
    pool: ThreadPoolExecutor,
) -> None:
    outcomes = iter([HeldBack("held back", 15.0), NoAnswer("503")])

    def call() -> str:
        if outcome := next(outcomes, None):
            raise outcome
        return "done"

    clock = ManualClock()
    slots = MemorySlots(clock)
    sender = Sender(slots, clock, pool, clock.now() + 600)
    begun = clock.now()
    assert sender.one(call) == "done"
    assert clock.now() - begun >= 15
    assert (sender.tally.requests, sender.tally.throttled, sender.tally.retried) == (2, 0, 1)
