"""Autopilot behind a socket that sends any bytes: every method of the adapter gives a value or an AutopilotError."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters import transport
from shared.adapters.autopilot import Autopilot
from shared.adapters.transport import LARGEST_ANSWER, session
from shared.adapters.vault import GivenKey
from shared.domain.answers import AutopilotError, NoAnswer


class RawServer:
    """Answers every connection with the same bytes, then closes it; `endless` follows without end until we hang up."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"
        self.answer = b""
        self.endless = b""
        self.sent = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                request = b""
                while b"\r\n\r\n" not in request:
                    request += connection.recv(1 << 16)
                connection.sendall(self.answer)
                self.sent = len(self.answer)
                while self.endless:
                    connection.sendall(self.endless)
                    self.sent += len(self.endless)
                connection.shutdown(socket.SHUT_WR)
                connection.recv(1 << 16)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


@pytest.fixture(scope="module")
def server() -> Iterator[RawServer]:
    """Give a server that says what it is told to."""
    started = RawServer()
    yield started
    started.close()


@pytest.fixture(scope="module")
def api(server: RawServer) -> Iterator[Autopilot]:
    """Give the real adapter, pointed at it."""
    with session() as http:
        yield Autopilot(server.url, GivenKey("key"), http)


CALLS: dict[str, Callable[[Autopilot], object]] = {
    "account": lambda api: api.account(),
    "total_contacts": lambda api: api.total_contacts(),
    "custom_fields": lambda api: api.custom_fields(),
    "lists": lambda api: api.lists(),
    "create_list": lambda api: api.create_list("VIP"),
    "upsert_one": lambda api: api.upsert_one({"Email": "a@example.com"}),
    "upsert": lambda api: api.upsert([{"Email": "a@example.com"}]),
    "find": lambda api: api.find("a@example.com"),
    "delete": lambda api: api.delete("a@example.com"),
    "add": lambda api: api.add("list_1", "person_1"),
    "remove": lambda api: api.remove("list_1", "person_1"),
    "is_member": lambda api: api.is_member("list_1", "person_1"),
    "members": lambda api: api.members("list_1", "bookmark"),
}


def outcome(server: RawServer, api: Autopilot, call: str, answer: bytes, endless: bytes = b"") -> object:
    """Make a call; anything but a value or an AutopilotError is a fault of ours."""
    server.answer, server.endless = answer, endless
    try:
        return CALLS[call](api)
    except AutopilotError as error:
        assert "@" not in str(error)
        return error


def reply(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """Write an answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


_line = st.binary(max_size=40).filter(lambda line: b"\n" not in line)
_raw = st.one_of(
    st.binary(max_size=200),
    st.builds(
        lambda status, lines, body: b"\r\n".join([b"HTTP/1.1 " + status, *lines, b"Connection: close", b"", body]),
        st.integers(-1, 1000).map(lambda number: str(number).encode()) | _line,
        st.lists(
            _line
            | st.sampled_from(
                [
                    b"Content-Encoding: gzip",
                    b"Content-Encoding: deflate, gzip",
                    b"Transfer-Encoding: chunked",
                    b"Content-Length: 5",
                    b"Content-Length: -1",
                    b"Content-Length: x",
                    b"Content-Type: text/x; charset=\xff",
                    b"Location: http://[",
                    b"Retry-After: nan",
                    b"Set-Cookie: \xff=;;;",
                ]
            ),
            max_size=4,
        ),
        st.binary(max_size=60) | st.sampled_from([b"{}", b"5\r\nhello\r\n0\r\n\r\n", b"ffffffffff\r\n", b"-1\r\n\r\n"]),
    ),
)


@pytest.mark.parametrize("call", sorted(CALLS))
@settings(max_examples=25)
@given(answer=_raw)
def test_any_bytes_on_the_wire_are_a_value_or_a_named_error(
    server: RawServer, api: Autopilot, call: str, answer: bytes
) -> None:
    outcome(server, api, call, answer)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="hangs up"),
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", id="another protocol"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}", id="ends too early"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", id="a chunk of no size"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n{}", id="too many headers"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n{}", id="too long a header"),
        pytest.param(reply(b"not gzip", "Content-Encoding: gzip"), id="not packed as told"),
        pytest.param(reply(gzip.compress(b"{}" * 99)[:-9], "Content-Encoding: gzip"), id="packed, and cut off"),
    ],
)
def test_an_answer_that_is_none_is_tried_again(server: RawServer, api: Autopilot, answer: bytes) -> None:
    assert type(outcome(server, api, "lists", answer)) is NoAnswer


def test_an_answer_without_end_is_not_read_to_its_end(server: RawServer, api: Autopilot) -> None:
    found = outcome(server, api, "lists", b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", endless=b" " * (1 << 20))
    assert type(found) is NoAnswer
    assert LARGEST_ANSWER <= server.sent < 3 * LARGEST_ANSWER


def test_a_small_answer_that_unpacks_to_a_huge_one_is_not_unpacked(server: RawServer, api: Autopilot) -> None:
    bomb = gzip.compress(b" " * (LARGEST_ANSWER * 4))
    assert len(bomb) < LARGEST_ANSWER // 100
    assert type(outcome(server, api, "lists", reply(bomb, "Content-Encoding: gzip"))) is NoAnswer


def test_an_answer_that_trickles_on_is_given_up(
    server: RawServer, api: Autopilot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "CALL_SECONDS", 0.5)
    found = outcome(server, api, "lists", b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", endless=b" ")
    assert type(found) is NoAnswer
    assert server.sent < LARGEST_ANSWER


@pytest.mark.parametrize("packed", [False, True])
def test_an_ordinary_answer_is_read_whole(server: RawServer, api: Autopilot, packed: bool) -> None:
    lists: dict[str, Any] = {f"List {number}": [f"contactlist_{number}"] for number in range(5000)}
    items = ",".join(f'{{"title":"{title}","list_id":"{ids[0]}"}}' for title, ids in lists.items())
    body = f'{{"lists":[{items}]}}'.encode()
    answer = reply(gzip.compress(body), "Content-Encoding: gzip") if packed else reply(body)
    assert outcome(server, api, "lists", answer) == lists


def test_no_cookie_is_kept(server: RawServer) -> None:
    with session() as http:
        api = Autopilot(server.url, GivenKey("key"), http)
        outcome(server, api, "lists", reply(b'{"lists":[]}', "Set-Cookie: a=b; Path=/"))
        assert not http.cookies


def test_the_proxy_of_the_environment_is_used(server: RawServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.url.removesuffix("/v1"))
    with session() as http:
        api = Autopilot("http://autopilot.invalid/v1", GivenKey("key"), http)
        assert outcome(server, api, "lists", reply(b'{"lists":[]}')) == {}


def test_a_key_that_no_header_can_hold_is_not_sent(server: RawServer) -> None:
    with session() as http:
        assert type(outcome(server, Autopilot(server.url, GivenKey("a\nb"), http), "lists", reply(b"{}"))) is NoAnswer
