"""Queue triggers: what goes back on which queue, what is dropped, and what counts as a failure."""

from __future__ import annotations

import pytest
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
)

from shared.azure.records import NewerVersion
from shared.azure.storage import Queue
from shared.composition.app import App
from shared.lifecycle.queue_work import handle, requeue
from shared.reasons.codes import WaitsFor
from shared.reasons.errors import TryLater
from shared.runs.run import Run
from shared.runs.work import RunWork
from tests.runs.lives import canceled


@pytest.fixture
def sent(timed: App, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Queue, float]]:
    """Return the messages that go back, each with its queue and its delay."""
    messages: list[tuple[Queue, float]] = []

    def send(queue: Queue, _: object, *, delay: float = 0) -> None:
        messages.append((queue, delay))

    monkeypatch.setattr(timed.storage, "send", send)
    monkeypatch.setattr("shared.composition.app.app", lambda: timed)
    return messages


def message(run: Run) -> bytes:
    return RunWork(export=run.export, run=run.id).model_dump_json().encode()


def answered(status: int) -> HttpResponseError:
    error = HttpResponseError(f"answered {status}")
    error.status_code = status
    return error


def later(_: App, __: RunWork) -> None:
    raise TryLater(7, "not now", waits_for=WaitsFor.PACE)


def test_work_that_cannot_go_on_now_goes_back_and_its_run_says_so(
    timed: App, run: Run, sent: list[tuple[Queue, float]]
) -> None:
    handle(message(run), RunWork, later, Queue.RUNS)
    assert sent == [(Queue.RUNS, 7)]
    waiting = timed.ledger.run(run.export, run.id)
    assert (waiting.waits_for, waiting.is_waiting(timed.now())) == (WaitsFor.PACE, True)


def test_work_of_a_run_that_has_ended_goes_nowhere_but_its_notice_does(
    timed: App, run: Run, sent: list[tuple[Queue, float]]
) -> None:
    timed.ledger.finish(run.export, run.id, lambda run: canceled(run, timed.now()), state_of=None)
    handle(message(run), RunWork, later, Queue.RUNS)
    assert sent == []
    handle(message(run), RunWork, later, Queue.NOTICES, requeue)
    assert sent == [(Queue.NOTICES, 7)]


def test_work_that_a_newer_version_has_to_do_goes_back(run: Run, sent: list[tuple[Queue, float]]) -> None:
    def newer(_: App, __: RunWork) -> None:
        raise NewerVersion("A state")

    handle(message(run), RunWork, newer, Queue.CHUNKS)
    assert [queue for queue, _ in sent] == [Queue.CHUNKS]


@pytest.mark.parametrize(
    "error",
    [
        ServiceRequestError("no connection"),
        ServiceResponseError("the connection was lost"),
        IncompleteReadError("half of it"),
        answered(503),
        answered(500),
    ],
)
def test_work_in_which_storage_did_not_answer_goes_back_and_counts_as_no_failure(
    run: Run, sent: list[tuple[Queue, float]], error: AzureError
) -> None:
    def away(_: App, __: RunWork) -> None:
        raise error

    handle(message(run), RunWork, away, Queue.CHUNKS)
    ((queue, delay),) = sent
    assert (queue, delay >= 30) == (Queue.CHUNKS, True)


def test_storage_that_does_not_answer_while_work_is_put_off_is_waited_for_too(
    timed: App, run: Run, sent: list[tuple[Queue, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(*_: object) -> None:
        raise ServiceRequestError("no connection")

    monkeypatch.setattr(timed.ledger, "change", silent)
    handle(message(run), RunWork, later, Queue.RUNS)
    assert [queue for queue, _ in sent] == [Queue.RUNS]


def test_what_storage_refuses_is_a_fault_and_so_are_queues_that_do_not_answer(
    timed: App, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: App, __: RunWork) -> None:
        raise answered(403)

    def away(_: App, __: RunWork) -> None:
        raise answered(503)

    def silent(*_: object, **__: object) -> None:
        raise ServiceRequestError("no connection")

    monkeypatch.setattr("shared.composition.app.app", lambda: timed)
    monkeypatch.setattr(timed.storage, "send", silent)
    with pytest.raises(HttpResponseError, match="403"):
        handle(message(run), RunWork, refused, Queue.CHUNKS)
    with pytest.raises(ServiceRequestError):
        handle(message(run), RunWork, away, Queue.CHUNKS)


def test_a_message_that_names_no_work_is_dropped_and_a_fault_is_the_hosts_to_repeat(
    run: Run, sent: list[tuple[Queue, float]]
) -> None:
    def fail(_: App, __: RunWork) -> None:
        raise ValueError("broken")

    handle(b"nonsense", RunWork, fail, Queue.RUNS)
    with pytest.raises(ValueError, match="broken"):
        handle(message(run), RunWork, fail, Queue.RUNS)
    assert sent == []
