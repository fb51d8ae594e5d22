"""Outages are waited out for as long as the settings say, with few calls."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from shared.app import App
from shared.reasons import Reason, Status, TryLater
from shared.run import Run
from shared.steps.outage import wait
from tests.domain.accounts import ManualClock


@pytest.fixture
def run(timed: App, run: Run) -> Run:
    return timed.ledger.change(
        run.export, run.id, lambda run: run.model_copy(update={"plan": "p", "status": Status.PROCESSING})
    )


def wait_for(app: App, clock: ManualClock, run: Run, hours: float) -> Sequence[float]:
    """Find Autopilot away again and again; gives the pauses."""
    pauses: list[float] = []
    end = clock.now() + hours * 3600
    while clock.now() < end:
        with pytest.raises(TryLater) as later:
            wait(app, run, Reason.AUTOPILOT_UNAVAILABLE)
        pauses.append(later.value.seconds)
        clock.sleep(later.value.seconds)
    return pauses


def test_an_outage_of_an_hour_is_waited_out_with_few_calls(timed: App, clock: ManualClock, run: Run) -> None:
    pauses = wait_for(timed, clock, run, hours=1)
    assert pauses == sorted(pauses)
    assert max(pauses) == 60
    assert len(pauses) < 80


def test_an_outage_that_outlasts_the_setting_ends_the_run(timed: App, clock: ManualClock, run: Run) -> None:
    wait_for(timed, clock, run, hours=timed.settings.outage_minutes / 60)
    clock.sleep(1)
    assert wait(timed, run, Reason.AUTOPILOT_UNAVAILABLE) is Reason.AUTOPILOT_UNAVAILABLE
