"""Locks: what must be done once is done by one, and a dead holder is replaced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shared.azure.locks import Locks
from shared.reasons.errors import TryLater
from tests.delivery.accounts import ManualClock


@pytest.fixture
def locks(tables: Callable[[], Any], clock: ManualClock) -> Locks:
    return Locks(tables(), clock.now)


def test_what_must_be_done_once_is_done_by_one(locks: Locks) -> None:
    with (
        locks.exclusive("main", "work", 60),
        pytest.raises(TryLater),
        locks.exclusive("main", "work", 60),
    ):
        pass
    with locks.exclusive("main", "work", 60):
        pass


def test_who_was_paused_past_its_time_must_not_go_on(locks: Locks) -> None:
    with locks.exclusive("main", "work", 0) as check, pytest.raises(TryLater):
        check()
    with locks.exclusive("main", "work", 60) as check:
        check()


def test_a_dead_holder_is_replaced_when_its_time_is_over(locks: Locks) -> None:
    holder = locks.exclusive("main", "work", 0)
    still_mine = holder.__enter__()
    with locks.exclusive("main", "work", 60) as mine:
        mine()
        with pytest.raises(TryLater):
            still_mine()
