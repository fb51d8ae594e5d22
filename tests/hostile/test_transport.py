"""Autopilot behind a socket that sends any bytes: every method of the adapter gives a value or an DestinationError."""

from __future__ import annotations

import gzip
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from local.eventually import eventually
from shared.azure.vault import GivenKey
from shared.delivery.errors import DestinationError, NoAnswer
from shared.destinations.autopilot.account import AutopilotAccount
from shared.destinations.autopilot.client import Autopilot
from shared.http import connections, transport
from shared.http.transport import LARGEST_ANSWER, session
from tests.hostile.raw_server import RawServer


@pytest.fixture(scope="module")
def server() -> Iterator[RawServer]:
    """Yield a server that says what it is told to."""
    started = RawServer()
    yield started
    started.close()


@pytest.fixture(scope="module")
def api(server: RawServer) -> Iterator[Autopilot]:
    """Yield the real adapter, pointed at it."""
    with session() as http:
        yield Autopilot(server.url, GivenKey("key"), http)


CALLS: dict[str, Callable[[Autopilot], object]] = {
    "identity": lambda api: api.identity(),
    "custom_fields": lambda api: api.custom_fields(),
    "lists": lambda api: api.lists(),
    "create_list": lambda api: api.create_list("VIP"),
    "upsert_one": lambda api: api.upsert_one({"Email": "a@example.com"}),
    "upsert": lambda api: api.upsert([{"Email": "a@example.com"}]),
    "find": lambda api: api.find("a@example.com"),
    "delete": lambda api: api.delete("a@example.com"),
    "add": lambda api: api.add("list_1", "person_1"),
    "remove": lambda api: api.remove("list_1", "person_1"),
    "look": lambda api: AutopilotAccount(api).look(["person_1"]),
    "members": lambda api: api.members("list_1", "bookmark"),
}


def outcome(server: RawServer, api: Autopilot, call: str, answer: bytes, endless: bytes = b"") -> object:
    """Make a call and return its value or its error; anything but a DestinationError is a fault of ours, and is raised."""
    server.answer, server.endless = answer, endless
    try:
        return CALLS[call](api)
    except DestinationError as error:
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
    found = outcome(server, api, call, answer)
    assert isinstance(found, DestinationError) or answer.startswith(b"HTTP/")


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


@contextmanager
def on_the_wire(pieces: Sequence[bytes], pause: float = 0.0) -> Iterator[str]:
    """Serve one connection: a request, then pieces with pauses between them; then whatever is asked gets an empty list."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            connection, _ = listening.accept()
            with connection, suppress(OSError):
                connection.recv(1 << 16)
                for piece in pieces:
                    connection.sendall(piece)
                    time.sleep(pause)
                while connection.recv(1 << 16):
                    connection.sendall(reply(b'{"lists":[]}').replace(b"Connection: close\r\n", b""))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
    finally:
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)


STATUS_LINE = b"HTTP/1.1 200 OK\r\n"


CHUNKED = STATUS_LINE + b'Transfer-Encoding: chunked\r\n\r\nc\r\n{"lists":[]}\r\n0\r\n'


@pytest.mark.parametrize(
    ("start", "drop"),
    [
        pytest.param(b"HTTP", b"/", id="a status line that drips"),
        pytest.param(STATUS_LINE, b"X-A: b\r\n", id="headers that drip"),
        pytest.param(STATUS_LINE, b"X", id="one header that drips"),
        pytest.param(b"", b"HTTP/1.1 102 Processing\r\n\r\n", id="interim answers that drip"),
        pytest.param(STATUS_LINE + b"\r\n{", b" ", id="a body that drips"),
        pytest.param(STATUS_LINE + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", id="chunks that drip"),
        pytest.param(CHUNKED, b"X-A: b\r\n", id="trailers that drip"),
    ],
)
def test_one_deadline_covers_a_whole_call(monkeypatch: pytest.MonkeyPatch, start: bytes, drop: bytes) -> None:
    """Each drop comes well within any single read's time; 4 s of them never end within a call's half second."""
    monkeypatch.setattr(transport, "CALL_SECONDS", 0.5)
    monkeypatch.setattr(connections, "MOST_INTERIM", 1000)
    with on_the_wire([start, *[drop] * 80], pause=0.05) as url, session() as http:
        api, begun = Autopilot(url, GivenKey("key"), http), time.monotonic()
        with pytest.raises(NoAnswer):
            api.lists()
        assert time.monotonic() - begun < 4


def test_interim_answers_are_skipped_and_none_is_left_for_the_next_request() -> None:
    real = reply(b'{"lists":[{"list_id":"1","title":"A"}]}').replace(b"Connection: close\r\n", b"")
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    for pieces in ([interim, real], [interim * 3 + real], [b"HTTP/1.1 102 Processing\r\n\r\n", interim, real]):
        with on_the_wire(pieces, pause=0.02) as url, session() as http:
            api = Autopilot(url, GivenKey("key"), http)
            assert api.lists() == {"A": ["1"]}
            assert api.lists() == {}


def usable_connections(http: requests.Session) -> int:
    """Return how many connections the next request could go out on."""
    pool: Any = http.get_adapter("http://x")
    return sum(
        connection is not None and connection.is_connected
        for kept in (pool.poolmanager.pools[key] for key in pool.poolmanager.pools.keys())  # noqa: SIM118
        for connection in kept.pool.queue
    )


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([reply(b'{"lists":[]}') + reply(b'{"lists":[{"list_id":"9","title":"Z"}]}')], id="two answers"),
        pytest.param([b"HTTP/1.1 101 Switching\r\n\r\n", reply(b'{"lists":[]}')], id="another protocol"),
        pytest.param([b"HTTP/1.1 102 Processing\r\n\r\n" * 50], id="interim answers only"),
        pytest.param([reply(b'{"lists":[]}'), b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"], id="one more later"),
    ],
)
def test_a_connection_that_says_too_much_is_not_asked_again(pieces: Sequence[bytes]) -> None:
    """The second request goes out on a new connection, which this server does not take: it is never answered wrongly."""
    pieces = [piece.replace(b"Connection: close\r\n", b"") for piece in pieces]
    with on_the_wire(pieces, pause=0.05) as url, session() as http:
        api = Autopilot(url, GivenKey("key"), http)
        with suppress(NoAnswer):
            assert api.lists() == {}
        eventually(lambda: not usable_connections(http))


@pytest.mark.parametrize("level", [logging.DEBUG, logging.WARNING])
def test_no_url_of_a_contact_is_logged(server: RawServer, caplog: pytest.LogCaptureFixture, level: int) -> None:
    caplog.set_level(level)
    with session() as http:
        api = Autopilot(server.url, GivenKey("key"), http)
        for line in ("no colon here", "Content-Length: 9", "Content-Length: x", "Transfer-Encoding: chunked", "X: y"):
            outcome(server, api, "find", reply(b'{"contact_id":"person_1"}', line))
        outcome(server, api, "find", b"")
        outcome(server, api, "find", b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")
    assert "a%40example.com" not in caplog.text
    assert "a@example.com" not in caplog.text


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, gzip", "x-unknown", "deflate, gzip"])
def test_an_encoding_that_was_not_asked_for_is_no_answer(server: RawServer, api: Autopilot, encoding: str) -> None:
    assert type(outcome(server, api, "lists", reply(b'{"lists":[]}', f"Content-Encoding: {encoding}"))) is NoAnswer
