"""The wire of a sandbox: a small HTTP/1.1 loop on asyncio, quick enough not to be what a benchmark measures."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Protocol

from local.sandbox.api import Reply
from local.sandbox.lies import Raw

LARGEST_BODY: Final = 4 << 20


class Answering(Protocol):
    """What answers the requests, and writes the answers down."""

    def answer(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[Reply | Raw | None, float]:
        """Answer one request: a reply, raw bytes, or None to close the connection; and after how many seconds.

        Names of `headers` are in lower case.
        """
        ...

    def encode(self, reply: Reply) -> bytes:
        """Write an answer as it goes out, its headers included."""
        ...


class Connection(asyncio.Protocol):
    """One connection: requests in their order, answers in the same, each after its latency."""

    def __init__(self, sandbox: Answering) -> None:
        self._sandbox = sandbox
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take bytes, and answer the next request if it is whole."""
        self._buffer += data
        self._next()

    def _next(self) -> None:
        if self._busy or self._transport is None or self._transport.is_closing():
            return
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        length = int(headers.get("content-length") or 0)
        if length > LARGEST_BODY or len(self._buffer) > 2 * LARGEST_BODY:
            self._transport.close()
            return
        chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        whole = _unchunk(self._buffer, end + 4) if chunked else _counted(self._buffer, end + 4, length)
        if whole is None:
            return
        body, taken = whole
        del self._buffer[:taken]
        method, target, _ = head[0].split(" ", 2)
        reply, latency = self._sandbox.answer(method, target.partition("?")[0], headers, body)
        if latency > 0:
            self._busy = True
            asyncio.get_running_loop().call_later(latency, self._send_and_go_on, reply)
        else:
            self._send_and_go_on(reply)

    def _send_and_go_on(self, reply: Reply | Raw | None) -> None:
        self._busy = False
        if self._transport is None or self._transport.is_closing():
            return
        if reply is None:
            self._transport.abort()
            return
        if isinstance(reply, Raw):
            self._send_raw(reply)
            return
        self._transport.write(self._sandbox.encode(reply))
        self._next()

    def _send_raw(self, raw: Raw) -> None:
        """Send raw bytes, piece by piece."""
        if self._transport is None or self._transport.is_closing():
            return
        if raw.pieces:
            self._busy = True
            self._transport.write(raw.pieces[0])
        rest = replace(raw, pieces=raw.pieces[1:])
        if rest.pieces:
            asyncio.get_running_loop().call_later(raw.pause, self._send_raw, rest)
            return
        self._busy = False
        if raw.close:
            self._transport.close()
        else:
            self._next()


def _counted(buffer: bytearray, start: int, length: int) -> tuple[bytes, int] | None:
    """Return a body of so many bytes, and where it ends; None while it is not whole."""
    end = start + length
    return (bytes(buffer[start:end]), end) if len(buffer) >= end else None


def _unchunk(buffer: bytearray, start: int) -> tuple[bytes, int] | None:
    """Return a chunked body, and where it ends; None while it is not whole."""
    body = bytearray()
    while (line := buffer.find(b"\r\n", start)) >= 0:
        size = int(bytes(buffer[start:line]).partition(b";")[0], 16)
        start = line + 2
        if len(buffer) < start + size + 2:
            return None
        body += buffer[start : start + size]
        start += size + 2
        if size == 0:
            return bytes(body), start
    return None


async def serve(sandbox: Answering, port: int) -> asyncio.Server:
    """Begin to serve on 127.0.0.1; port 0 takes a free one."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: Connection(sandbox), "127.0.0.1", port, backlog=1024)
