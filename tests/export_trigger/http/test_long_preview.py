"""Previews that go on when nobody waits: how many there may be, and what is told of one that fails."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Final, cast

import pytest

from export_trigger.http import long_preview
from export_trigger.http.access import Caller, Role
from export_trigger.http.long_preview import answer_within
from export_trigger.http.request import Call, Problem
from export_trigger.http.run_views import Preview
from export_trigger.steps.room import Room
from local.eventually import eventually
from shared.composition.app import App

MOST: Final = 3
NO_WAIT: Final = Call({"export": "team"}, {}, {"prefer": "wait=0"}, b"", Caller("reader", Role.VIEWER))


class Made(Exception):
    """What a preview of these tests comes to."""


@pytest.fixture
def app() -> App:
    stand_in: Any = SimpleNamespace(
        now=lambda: datetime(2026, 1, 1, tzinfo=UTC), storage=SimpleNamespace(put=lambda *_: "")
    )
    return cast("App", stand_in)


@pytest.fixture
def going_on(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Yield what ends the previews of a test."""
    monkeypatch.setattr(long_preview, "PREVIEWS_IN_HAND", Room(MOST))
    end = threading.Event()
    yield end
    end.set()


def answer_or_code(app: App, make: Callable[[], Preview]) -> int | str:
    try:
        return answer_within(app, NO_WAIT, make).status
    except Problem as problem:
        return problem.code


def test_one_reader_cannot_fill_an_instance_with_previews_that_nobody_waits_for(
    app: App, going_on: threading.Event
) -> None:
    """Each has threads of its own: what is too much is refused, and is possible again when others are over."""

    def make() -> Preview:
        going_on.wait()
        raise Made

    for _ in range(MOST):
        assert answer_within(app, NO_WAIT, make).status == 202
    before = threading.active_count()
    for _ in range(20):
        assert answer_or_code(app, make) == "try_later"
    assert threading.active_count() == before
    going_on.set()
    assert eventually(lambda: answer_or_code(app, make), lambda answer: answer != "try_later") == 202
