"""An app that erases people at three accounts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from shared.composition.app import App
from shared.destinations.autopilot.account import AutopilotAccount
from shared.destinations.registry import DEFAULT
from shared.exports.audit import Audit
from shared.exports.registry import Registry
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from tests.delivery.accounts import ManualClock, MemorySlots
from tests.export_trigger.steps.api import Api
from tests.export_trigger.steps.erasing import ANNA, KEY


@pytest.fixture
def apis() -> dict[str, Api]:
    return {"a": Api(ANNA), "b": Api("bert@example.com"), "c": Api(ANNA)}


@pytest.fixture
def eraser(
    timed: App,
    clock: ManualClock,
    apis: dict[str, Api],
    tables: Callable[[], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[App]:
    def account(_: App, name: str) -> Any:
        if name not in apis:
            raise ExportError(Reason.CONNECTION_DETACHED)
        api = AutopilotAccount(apis[name])  # type: ignore[arg-type]  # the calls that an erasure makes
        connection = SimpleNamespace(calls_in_flight=None)
        return SimpleNamespace(
            name=name, id=name, api=api, slots=MemorySlots(clock), connection=connection, destination=DEFAULT
        )

    monkeypatch.setattr(App, "account", account)
    monkeypatch.setattr(App, "digest_key", lambda _: KEY)
    monkeypatch.setattr(Registry, "connections", lambda _: iter(sorted(apis)))
    with ThreadPoolExecutor(2) as pool:
        yield dataclasses.replace(timed, audit=Audit(tables()), pool=pool)
