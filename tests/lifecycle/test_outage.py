"""Outages are waited out for as long as the settings say, with few calls."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from itertools import pairwise

import pytest

from export_trigger.http.runs import view
from export_trigger.steps.cancel import cancel_run
from shared.azure.storage import Queue
from shared.composition.app import App
from shared.destinations.registry import DESTINATIONS
from shared.lifecycle.outage import wait
from shared.lifecycle.queue_work import postpone
from shared.reasons.codes import Reason, WaitsFor
from shared.reasons.errors import TryLater
from shared.retry.policy import OUTAGE
from shared.runs.counts import Counts
from shared.runs.entry import Entry
from shared.runs.run import Run
from shared.runs.work import ChunkWork
from tests.delivery.accounts import ManualClock
from tests.runs.lives import planned


@pytest.fixture
def run(timed: App, run: Run) -> Run:
    return timed.ledger.change(run.export, run.id, lambda run: planned(run, timed.now(), operations=10))


def wait_for(app: App, clock: ManualClock, run: Run, hours: float) -> Sequence[float]:
    """Find Autopilot away again and again; return the pauses."""
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
    assert all(later >= earlier / (1 + OUTAGE.jitter) for earlier, later in pairwise(pauses))
    assert 60 <= max(pauses) <= 60 * (1 + OUTAGE.jitter)
    assert len(pauses) < 80


def test_an_outage_that_outlasts_the_setting_ends_the_run(timed: App, clock: ManualClock, run: Run) -> None:
    wait_for(timed, clock, run, hours=timed.settings.outage_minutes / 60)
    clock.sleep(1)
    assert wait(timed, run, Reason.AUTOPILOT_UNAVAILABLE) is Reason.AUTOPILOT_UNAVAILABLE


@pytest.mark.parametrize(("kind", "title"), [("autopilot", "Autopilot"), ("ortto", "Ortto")])
def test_a_run_that_waits_names_its_own_destination(
    timed: App, run: Run, kind: str, title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(App, "destination", lambda _app, _name: DESTINATIONS[kind])
    with pytest.raises(TryLater):
        wait(timed, run, Reason.AUTOPILOT_UNAVAILABLE)
    assert timed.ledger.run(run.export, run.id).detail == f"Waiting until {title} answers."


def test_a_run_that_waits_says_for_what_and_until_when(timed: App, clock: ManualClock, run: Run) -> None:
    later = TryLater(120, "the pace is taken", waits_for=WaitsFor.PACE, lasts=240)
    postpone(timed, Queue.CHUNKS, ChunkWork(export=run.export, run=run.id, chunk="000001"), later)
    shown = view(timed, timed.ledger.run(run.export, run.id)).content()
    assert (shown["waits_for"], shown["waits_until"]) == ("pace", "2027-01-15T08:04:00Z")
    clock.sleep(241)
    shown = view(timed, timed.ledger.run(run.export, run.id)).content()
    assert (shown["waits_for"], shown["waits_until"]) == (None, None)


def test_a_run_that_waits_is_expected_to_end_after_that(timed: App, run: Run) -> None:
    half = Entry(chunk="000001", settled=5, continued_by="000001-1-ab")
    timed.ledger.change(run.export, run.id, lambda run: run.recorded(half, Counts(), None, timed.now()))
    later = TryLater(60, "away", waits_for=WaitsFor.AUTOPILOT)
    postpone(timed, Queue.CHUNKS, ChunkWork(export=run.export, run=run.id, chunk="000001"), later)
    shown = view(timed, timed.ledger.run(run.export, run.id)).content()
    assert shown["progress"]["expected_end"] == "2027-01-15T08:01:00Z"


def test_a_cancel_is_not_kept_waiting(timed: App, run: Run) -> None:
    """The chunks' messages are hidden for minutes: they are put on the queue again, to be seen at once."""
    later = TryLater(300, "the pace is taken", waits_for=WaitsFor.PACE, lasts=600)
    postpone(timed, Queue.CHUNKS, ChunkWork(export=run.export, run=run.id, chunk="000001"), later)
    before = seen(timed, run)
    cancel_run(timed, run.export, run.id)
    assert seen(timed, run) == before + 1


def seen(app: App, run: Run) -> int:
    """Count the messages of a run that a worker would see now."""
    client = app.storage._queues.get_queue_client(Queue.CHUNKS)
    waiting = client.receive_messages(messages_per_page=32, visibility_timeout=1)
    return sum(run.id.encode() in base64.b64decode(message.content) for message in waiting)
