"""Signs of life: what supervision waits for, and what stops a worker that woke up too late."""

from __future__ import annotations

import math

import pytest

from shared.accounts.accounts import AccountSlots
from shared.composition.app import App
from shared.lifecycle.liveness import LOOK, BusySlots, RunOver, is_stranded
from shared.runs.run import Run
from tests.delivery.accounts import ManualClock
from tests.runs.lives import canceled


def slots(app: App, run: Run) -> BusySlots:
    return BusySlots(app, run, AccountSlots(app.accounts, "main", 100, app.clock))


def test_a_worker_that_wakes_up_after_its_run_has_ended_gets_no_slot(timed: App, run: Run, clock: ManualClock) -> None:
    """It cannot undo what a later run did meanwhile."""
    worker = slots(timed, run)
    worker.reserve(5, math.inf)
    timed.ledger.finish(run.export, run.id, lambda run: canceled(run, timed.now()), state_of=None)
    clock.time += LOOK
    with pytest.raises(RunOver):
        worker.reserve(5, math.inf)


def test_a_run_is_stranded_only_past_what_its_workers_announced(timed: App, run: Run, clock: ManualClock) -> None:
    slots(timed, run).reserve(500, math.inf)
    known = timed.ledger.run(run.export, run.id)
    assert known.busy_until is not None
    clock.time = known.busy_until.timestamp() + timed.settings.grace_seconds - 1
    assert not is_stranded(timed, known)
    clock.time += 2
    assert is_stranded(timed, known)
