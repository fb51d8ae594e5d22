"""A destination behind a real socket that says anything: what it holds is known, what it answers is not to be believed.

Whoever speaks exactly as the API does is the API: bytes that may be read as the API's own answer are only sent where
they are true. Everything else is sent whether the call was done or not.
"""

from __future__ import annotations

import json
import random
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from tests.hostile.holding import Held

Liar = Callable[[random.Random, bytes], bytes]
"""Makes bytes to answer with, perhaps from the true answer."""


_JSON = json.JSONDecoder()

_PATIENCE = 0.003
"""Seconds in which a client that was lied to asks again on the same connection; then it is closed."""


def encode(status: int, content: object, *, chunked: bool = False) -> bytes:
    """Write an answer as the API does."""
    body = json.dumps(content).encode()
    head = f"HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\nDate: Fri, 02 Jun 2017 15:18:58 GMT\r\n"
    if chunked:
        half = len(body) // 2
        pieces = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (body[:half], body[half:]) if piece)
        return f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + pieces + b"0\r\n\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Destination:
    """Serves a Holding on 127.0.0.1; a context manager. Lies with the chance `lying`, to calls that `lies_to` fits."""

    def __init__(self, holding: Held, liar: Liar, *, seed: int = 0, lying: float = 0.5, lies_to: str = "") -> None:
        self.holding = holding
        self.lying = lying
        self.said: list[tuple[str, bytes, bool]] = []
        self._liar = liar
        self._lies_to = re.compile(lies_to)
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"

    def __enter__(self) -> Destination:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError, TimeoutError):
            waiting = b""
            while True:
                while b"\r\n\r\n" not in waiting:
                    waiting += _received(connection)
                head, _, waiting = waiting.partition(b"\r\n\r\n")
                length = int((re.search(rb"(?i)content-length: (\d+)", head) or [b"", b"0"])[1])
                while len(waiting) < length:
                    waiting += _received(connection)
                body, waiting = waiting[:length], waiting[length:]
                method, path, _ = head.decode().split(" ", 2)
                answer, is_lie = self._answer(method, path, json.loads(body) if body else None)
                connection.settimeout(_PATIENCE if is_lie else None)
                connection.sendall(answer)

    def _answer(self, method: str, path: str, body: Any) -> tuple[bytes, bool]:
        with self._lock:
            do, status, content = self.holding.carry_out(method, path, body)
            true = encode(status, content, chunked=self._random.random() < 0.5)
            if self._random.random() >= self.lying or not self._lies_to.match(f"{method} {path}"):
                do()
                return true, False
            lie = self._liar(self._random, true)
            said = list(may_be_read_as(lie, self.holding.is_of_the_api))
            if any(item != content for item in said):
                lie, said = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>", []
            done = bool(said) or self._random.random() < 0.5
            if done:
                do()
            self.said.append((f"{method} {path}", lie, done))
            return lie, True


def _received(connection: socket.socket) -> bytes:
    data = connection.recv(1 << 16)
    if not data:
        raise OSError("closed")
    return data


def may_be_read_as(answer: bytes, is_of_the_api: Callable[[Any], bool]) -> Iterator[Any]:
    """Return every content of the API's kind that somebody may read out of an answer, however it is framed."""
    text = re.sub(rb"\r?\n[^\r\n{}\"]{0,30}\r?\n", b"", answer)  # as if chunks were joined
    extended = re.sub(rb"\r?\n[0-9A-Fa-f]+ *;[^\r\n]*\r?\n", b"", answer)  # a chunk may say more than its size
    for data in dict.fromkeys((answer, text, extended)):
        signs = data.decode("latin-1")  # a sign for each byte: where something begins, it can end at one place only
        for start in [found.start() for found in re.finditer(r"[{\[]", signs)]:
            with suppress(ValueError):
                _, end = _JSON.raw_decode(signs, start)
                content = json.loads(data[start:end])
                if is_of_the_api(content):
                    yield content


def any_bytes(dice: random.Random, true: bytes) -> bytes:
    """Return any bytes: noise, answers of any form, and mutations of the true answer."""
    return dice.choice((_noise, _mutated, _mutated, _framed, _plausible, _plausible, _joined))(dice, true)


def _noise(dice: random.Random, _: bytes) -> bytes:
    return dice.randbytes(dice.randrange(60))


_STATUS_LINES = (b"HTTP/1.1 %d OK", b"HTTP/1.1 %d", b"HTTP/1.0 %d X", b"HTTP/2 %d", b"http/1.1 %d OK", b"ICY %d OK")


_HEADERS = (
    b"Content-Type: application/json",
    b"Content-Type: text/html; charset=utf-8",
    b"Content-Type:",
    b"Content-Encoding: br",
    b"Content-Encoding: gzip",
    b"Content-Encoding: identity",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip, chunked",
    b"Content-Length: 0",
    b"Content-Length: 2",
    b"Content-Length: -1",
    b"Content-Length: 9999999",
    b"Connection: close",
    b"Connection: keep-alive",
    b"no colon here",
    b" folded: 1",
    b"Retry-After: 0",
    b"Location: /elsewhere",
)


_BODIES = (
    b"",
    b" ",
    b"null",
    b"true",
    b"[]",
    b'""',
    b"0",
    b"{",
    b"}",
    b'{"a":1}',
    b'{"error":"x"}',
    b'{"success":true,"data":{"id":1}}',
    b'["person_1"]',
    b"\xef\xbb\xbf{}"[:4],
    b"<html></html>",
    b"<!doctype html><title>Sign in</title>",
    b"5\r\nhello\r\n0\r\n\r\n",
    b"0\r\nX: y\r\n\r\n",
    b"ffffffff\r\n",
)


_STATUSES = (200, 200, 200, 201, 202, 204, 206, 100, 102, 103, 101, 301, 302, 304, 400, 401, 403, 404, 407, 408, 409)


_MORE_STATUSES = (421, 425, 451, 499, 500, 502, 503, 504, 511, 599, 999, 0, 42)


def _framed(dice: random.Random, true: bytes) -> bytes:
    status = dice.choice(_STATUSES + _MORE_STATUSES)
    line = dice.choice(_STATUS_LINES) % status
    headers = dice.sample(_HEADERS, dice.randrange(4))
    body = dice.choice((*_BODIES, true.partition(b"\r\n\r\n")[2][: dice.randrange(30)]))
    if dice.random() < 0.5:
        headers.append(b"Content-Length: %d" % len(body))
    end = dice.choice((b"\r\n", b"\r\n", b"\n"))
    return end.join((line, *headers, b"", body))


def _plausible(dice: random.Random, _: bytes) -> bytes:
    """Return an answer that is well-formed and says nothing of the API's."""
    body = dice.choice((*_BODIES, json.dumps({dice.choice("abcde"): dice.choice((0, True, None, "ok"))}).encode()))
    status = dice.choice(_STATUSES)
    kind = dice.choice((b"application/json", b"application/json", b"text/html"))
    return b"HTTP/1.1 %d OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (status, kind, len(body), body)


def _mutated(dice: random.Random, true: bytes) -> bytes:
    data = bytearray(true)
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(data) + 1)
        match dice.randrange(5):
            case 0:
                del data[at:]
            case 1:
                del data[at : at + dice.randint(1, 8)]
            case 2 if at < len(data):
                data[at] = dice.randrange(256)
            case 3:
                data[at:at] = dice.randbytes(dice.randint(1, 4))
            case _:
                data[at:at] = data[at : at + dice.randint(1, 20)]
    return bytes(data)


def _joined(dice: random.Random, true: bytes) -> bytes:
    """Return two answers to one request, or interim ones before one, or a page behind one."""
    first = dice.choice(
        (b"HTTP/1.1 102 Processing\r\n\r\n", b"HTTP/1.1 103 X\r\nLink: a\r\n\r\n", true, _framed(dice, true))
    )
    return first * dice.randint(1, 3) + dice.choice((true, _framed(dice, true), b"", b"\r\n\r\n"))
