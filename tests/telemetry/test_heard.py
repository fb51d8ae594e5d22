"""What a function says is heard from its first line on, whichever function it is that a process serves."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final

import pytest

from shared.reasons.faults import AppFault
from shared.telemetry import tracing
from tests.hostile.test_faults import FUNCTIONS

WORKING: Final = [name for name, item in FUNCTIONS.items() if not item.is_http_function()]
WORK: Final = b'{"export": "e", "run": "20261130t000000000-abcd", "chunk": "000001"}'


@pytest.mark.parametrize("name", WORKING)
def test_a_function_is_heard_before_the_app_is_made(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Flex Consumption each of these functions has instances of its own, so no other one loads the telemetry for it.

    The host sends none of our lines (PYTHON_ENABLE_OPENTELEMETRY): one before that reaches nobody.
    """
    done: list[str] = []

    def open_nothing() -> Any:
        done.append("the app is made")
        raise RuntimeError

    monkeypatch.setattr(tracing, "_telemetry", lambda: done.append("the log is heard"))
    monkeypatch.setattr("shared.composition.app.app", open_nothing)
    function: Callable[..., object] = FUNCTIONS[name].get_user_function()
    with pytest.raises(AppFault):
        function(SimpleNamespace(get_body=lambda: WORK))
    assert done == ["the log is heard", "the app is made"]


@pytest.mark.parametrize(
    "name", [name for name in WORKING if "message" in FUNCTIONS[name].get_user_function().__annotations__]
)
def test_it_is_heard_that_a_message_names_no_work(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(tracing, "_telemetry", lambda: done.append("the log is heard"))
    FUNCTIONS[name].get_user_function()(SimpleNamespace(get_body=lambda: b"no work"))
    assert done == ["the log is heard"]
