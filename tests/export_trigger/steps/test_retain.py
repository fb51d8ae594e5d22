"""What previews came to that took long goes an hour after they were asked for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from export_trigger.steps import tick as step
from export_trigger.steps.retain import retain_previews
from shared.azure.storage import Container
from shared.composition.app import App
from shared.runs.run_id import new_run_id
from tests.delivery.accounts import ManualClock


def test_a_preview_is_kept_for_an_hour(app: App) -> None:
    names = [f"kept/{new_run_id(app.now() - timedelta(minutes=minutes))}.json" for minutes in (59, 61, 600)]
    for name in names:
        app.storage.put(Container.PREVIEWS, name, b"{}")
    retain_previews(app)
    assert list(app.storage.names(Container.PREVIEWS, "kept/")) == names[:1]


def test_a_tick_clears_for_a_while_and_every_export_has_its_turn(
    timed: App, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After HISTORY_DAYS was lowered a tick makes some 800 calls for each export: of sixty, more than its ten minutes hold."""
    backlog = {f"e{n:02}": 3 for n in range(60)}
    looked: list[str] = []

    def retain(_: App, name: str) -> None:
        if backlog[name]:
            clock.sleep(12)
            backlog[name] -= 1

    monkeypatch.setattr(step, "owners", lambda _: list(backlog))
    monkeypatch.setattr(step, "_look_after", lambda _, name, __: looked.append(name))
    monkeypatch.setattr(step, "retain", retain)
    ticks = 0
    while any(backlog.values()):
        before = clock.now()
        step._look_after_all(timed, None)
        assert clock.now() - before <= step.CLEARING_SECONDS + 12
        ticks += 1
    assert ticks < 20
    assert looked == list(backlog) * ticks  # that a run is due is seen each time
