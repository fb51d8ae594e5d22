"""Connections that keep a call's deadline: whole answers only, and nothing left behind for the next request.

The HTTP client below allows an answer each of its reads its own time, takes any interim answer but 100 for the real one,
and logs the URL of an answer whose headers it cannot read. All three are put right where the client reads the socket.
"""

from __future__ import annotations

import io
import logging
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse, _read_headers  # type: ignore[attr-defined]
from typing import Any, Final

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HeaderParsingError
from urllib3.util.response import assert_header_parsing

CALL_SECONDS: Final = 90.0
"""Seconds for a whole call, from connecting to the last byte; bulk calls were seen to take 6 s, a new list 31 s."""

CONNECT_SECONDS: Final = 10.0

MOST_INTERIM: Final = 20
"""Interim answers (1xx) before the real one."""

_CHUNK_SIZE: Final = re.compile(rb"([0-9a-fA-F]{1,8})[ \t]*(?:;[^\r\n]*)?\r\n")
_LONGEST_LINE: Final = 1 << 12

_SENT_AT_ONCE: Final = 1 << 14

_call = threading.local()
"""`ends`: when the call ends that this thread makes (monotonic seconds)."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """End every request that this thread makes with a `session` when the time is over, and keep its URL out of the log."""
    _call.ends = time.monotonic() + seconds
    try:
        yield
    finally:
        _call.ends = None


def seconds_left() -> float:
    """Return the seconds that are left of this thread's call; raise TimeoutError if none are."""
    ends = getattr(_call, "ends", None)
    left = CALL_SECONDS if ends is None else float(ends) - time.monotonic()
    if left <= 0:
        raise TimeoutError("the call's time is over")
    return left


def says_no_url(_: logging.LogRecord) -> bool:
    """Keep out of the log what the client says of our calls: it names URLs, and those name contacts."""
    return getattr(_call, "ends", None) is None


class _Bytes(io.RawIOBase):
    """What a socket receives, each read within what is left of the call."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._raw: Any = sock.makefile("rb", buffering=0)  # keeps the socket open until the answer is read
        self.ended = False
        self.is_over = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self.is_over:
            return 0
        self._sock.settimeout(seconds_left())
        count: int | None = self._raw.readinto(buffer)
        self.ended = self.ended or count == 0
        return count

    def drop(self) -> None:
        """End the connection: whoever has it next finds it dropped."""
        with suppress(OSError):
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)

    def close(self) -> None:
        super().close()
        self._raw.close()


class _Source:
    """A socket, as an answer wants it."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, _: str) -> io.BufferedReader:
        """Return what is to be read."""
        return io.BufferedReader(_Bytes(self._sock))


class _Answer(HTTPResponse):
    """An answer as it is read: interim ones skipped, headers whole, and no byte left behind for the next request."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(_Source(sock), *args, **options)  # type: ignore[arg-type]

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(MOST_INTERIM):
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if status >= HTTPStatus.OK:
                return version, status, reason
            if status == HTTPStatus.SWITCHING_PROTOCOLS:
                break
            _read_headers(self.fp)
        raise HTTPException("no answer but interim ones")

    def begin(self) -> None:
        super().begin()
        if self.fp is not None and self.fp.raw.ended:  # type: ignore[attr-defined]
            raise HTTPException("headers without end")
        lengths = ",".join(self.headers.get_all("Content-Length") or ()).split(",")
        if len({length.strip() for length in lengths}) > 1:
            raise HTTPException("lengths that differ")
        try:
            assert_header_parsing(self.msg)
        except HeaderParsingError:
            raise HTTPException("a header that is none") from None

    def _get_chunk_left(self) -> int | None:
        if self.chunk_left == 0:
            if self.fp.read(2) != b"\r\n":
                raise HTTPException("a chunk without an end")
            self.chunk_left = None
        return super()._get_chunk_left()  # type: ignore[misc, no-any-return]

    def _read_next_chunk_size(self) -> int:
        found = _CHUNK_SIZE.fullmatch(self.fp.readline(_LONGEST_LINE))
        if found is None:
            raise HTTPException("a chunk of no size")
        return int(found[1], 16)

    def _read_and_discard_trailer(self) -> None:
        super()._read_and_discard_trailer()  # type: ignore[misc]
        if self.fp is not None and self.fp.raw.ended:  # type: ignore[attr-defined]
            raise HTTPException("chunks without end")

    def _close_conn(self) -> None:
        fp: Any = self.fp
        fp.raw.is_over = True
        if fp.peek(1):
            fp.raw.drop()
        super()._close_conn()  # type: ignore[misc]


class _Timely(HTTPConnection):
    """A connection whose every step keeps to the call's deadline."""

    response_class = _Answer

    def _new_conn(self) -> socket.socket:
        """Connect to the first of the host's addresses that takes it, in CONNECT_SECONDS for all of them."""
        latest = time.monotonic() + min(CONNECT_SECONDS, seconds_left())
        addresses = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        for turn, (family, kind, protocol, _, address) in enumerate(addresses):
            sock = socket.socket(family, kind, protocol)
            try:
                for option in self.socket_options or ():
                    sock.setsockopt(*option)
                sock.settimeout(max(0.01, (latest - time.monotonic()) / (len(addresses) - turn)))
                sock.connect(address)
                sock.settimeout(seconds_left())
            except OSError:
                sock.close()
                if turn == len(addresses) - 1:
                    raise
            else:
                return sock
        raise OSError("a host without an address")

    def send(self, data: Any) -> None:
        """Send bytes, in pieces: each of them has what is left of the call."""
        for start in range(0, len(data), _SENT_AT_ONCE):
            if self.sock is not None:
                self.sock.settimeout(seconds_left())
            super().send(data[start : start + _SENT_AT_ONCE])


class _TimelySecure(_Timely, HTTPSConnection):
    """The same, encrypted."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Timely


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _TimelySecure


class TimelyAdapter(HTTPAdapter):
    """Makes connections of these kinds, with a proxy or without."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make connections without a proxy."""
        super().init_poolmanager(*args, **options)
        _use_ours(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """Make connections through a proxy."""
        manager = super().proxy_manager_for(proxy, **options)
        _use_ours(manager)
        return manager


def _use_ours(manager: Any) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
