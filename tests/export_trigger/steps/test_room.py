"""Room for plans: no more at once than memory allows; the rest comes later, and nobody is forgotten."""

from __future__ import annotations

import threading

import pytest

from export_trigger.steps.room import Room
from shared.reasons.errors import TryLater


def test_who_finds_no_room_gives_the_work_back_and_finds_some_once_another_is_done() -> None:
    room = Room(2)
    with room.place(), room.place():
        with pytest.raises(TryLater):
            room.check()
        with pytest.raises(TryLater), room.place():
            pytest.fail("a third plan")
    room.check()


def test_a_plan_that_fails_leaves_its_place() -> None:
    room = Room(1)
    with pytest.raises(ValueError, match="broken"), room.place():
        raise ValueError("broken")
    room.check()


def test_never_more_than_the_places_are_taken_however_many_come() -> None:
    room, inside, most = Room(2), 0, 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal inside, most
        with room.place(seconds=30):
            with lock:
                inside += 1
                most = max(most, inside)
            with lock:
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (inside, most <= 2) == (0, True)
