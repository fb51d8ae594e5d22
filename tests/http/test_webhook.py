"""The operator's webhook: taken is what it answers 2xx to, in time; nothing it sends can hold a worker up or lead it elsewhere."""

from __future__ import annotations

import dataclasses
import itertools
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from shared.composition.app import App
from shared.http import webhook
from shared.http.transport import session
from shared.http.webhook import WebhookFailed, post
from shared.lifecycle.notify import notify
from shared.reasons.codes import Reason
from shared.reasons.errors import TryLater
from shared.retry.policy import WEBHOOK
from shared.runs.run import Run
from tests.delivery.accounts import ManualClock

Serve = Callable[[Iterable[bytes]], "Hook"]
SHORT = 0.5
"""Seconds for a call; each of these servers would hold a patient one up for ever."""


class Hook:
    """Takes one request after the other, and answers each with the same pieces, at a pace of its own."""

    def __init__(self, pieces: Callable[[], Iterable[bytes]], pause: float) -> None:
        self.taken: list[bytes] = []
        self._pieces, self._pause, self._over = pieces, pause, threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}/hook?token=secret"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                with client, suppress(OSError):
                    self.taken.append(client.recv(65536))
                    for piece in self._pieces():
                        client.sendall(piece)
                        if self._over.wait(self._pause):
                            return

    def close(self) -> None:
        self._over.set()
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join()


@pytest.fixture
def serve() -> Iterator[Callable[..., Hook]]:
    hooks: list[Hook] = []

    def serving(pieces: Callable[[], Iterable[bytes]], pause: float = 0) -> Hook:
        hooks.append(Hook(pieces, pause))
        return hooks[-1]

    yield serving
    for hook in hooks:
        hook.close()


def answering(status: str, headers: str = "") -> Callable[[], Iterable[bytes]]:
    return lambda: [f"HTTP/1.1 {status}\r\n{headers}Content-Length: 0\r\n\r\n".encode()]


@pytest.mark.parametrize("status", ["200 OK", "202 Accepted", "204 No Content", "299 Odd"])
def test_any_2xx_is_taken(serve: Callable[..., Hook], status: str) -> None:
    post(session(), serve(answering(status)).url, {"id": "r"}, seconds=5)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "304 Not Modified", "307 Again", "400 Bad", "500 Oops"])
def test_anything_else_is_not(serve: Callable[..., Hook], status: str) -> None:
    elsewhere = serve(answering("200 OK"))
    hook = serve(answering(status, f"Location: {elsewhere.url}\r\n"))
    with pytest.raises(WebhookFailed) as failed:
        post(session(), hook.url, {"id": "r"}, seconds=5)
    assert "secret" not in str(failed.value)
    assert elsewhere.taken == []  # no redirect is followed
    assert len(hook.taken) == 1


@pytest.mark.parametrize(
    "pieces",
    [
        lambda: itertools.chain([b"HTTP/1.1 200 OK\r\n"], itertools.repeat(b"X: y\r\n")),
        lambda: itertools.repeat(b"HTTP/1.1 102 Processing\r\n\r\n"),
        lambda: (bytes([byte]) for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" * 100),
        lambda: itertools.repeat(b""),
    ],
    ids=["headers without end", "interim answers", "a byte now and then", "nothing"],
)
def test_an_answer_that_drips_does_not_hold_a_worker_up(
    serve: Callable[..., Hook], pieces: Callable[[], Iterable[bytes]]
) -> None:
    with pytest.raises(WebhookFailed):
        post(session(), serve(pieces, 0.05).url, {"id": "r"}, seconds=SHORT)


@pytest.mark.parametrize("pause", [0, 0.05], ids=["as fast as it can", "dripping"])
def test_a_body_without_end_is_not_read(serve: Callable[..., Hook], pause: float) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"
    post(session(), serve(lambda: itertools.chain([head], itertools.repeat(b"x" * 1000)), pause).url, {}, seconds=5)


def test_a_notice_that_is_not_taken_is_offered_again_less_and_less_often_and_given_up_at_last(
    timed: App, run: Run, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    offers: list[dict[str, Any]] = []

    def refuse(_: object, url: str, notice: dict[str, Any]) -> None:
        offers.append({"url": url, **notice})
        raise WebhookFailed("the webhook answered 302")

    monkeypatch.setattr(webhook, "post", refuse)
    app = dataclasses.replace(timed, settings=timed.settings.model_copy(update={"notify_url": "https://hook"}))
    with pytest.raises(TryLater):
        notify(app, run.export, run.id)
    assert offers == []  # it has not ended yet
    app.ledger.finish(run.export, run.id, lambda run: run.ended(app.now(), Reason.KEY_REFUSED), state_of=None)
    pauses = []
    while True:
        try:
            notify(app, run.export, run.id)
        except TryLater as later:
            pauses.append(later.seconds)
            clock.sleep(later.seconds)
            continue
        break
    assert all(later >= earlier / (1 + WEBHOOK.jitter) for earlier, later in itertools.pairwise(pauses))
    assert timedelta(minutes=app.settings.outage_minutes) < timedelta(seconds=sum(pauses)) < timedelta(hours=8)
    assert len(offers) < 40
    assert offers[0]["findings"] == []
    assert "did not take a notice" in caplog.text


@pytest.mark.parametrize("host", ["api2..autopilothq.com", f"{'a' * 70}.example.com", "exa mple.com"])
def test_a_host_that_there_cannot_be_took_no_notice(host: str) -> None:
    with session() as http, pytest.raises(WebhookFailed) as caught:
        post(http, f"https://{host}/hook?sig=secret", {})
    assert "secret" not in str(caught.value)
