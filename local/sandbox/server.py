"""The sandbox's server: a small HTTP/1.1 loop on asyncio, quick enough not to be what a benchmark measures."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from email.utils import formatdate
from functools import partial
from http import HTTPStatus
from typing import Final

from local.sandbox.account import Account
from local.sandbox.api import Api, Reply, problem
from local.sandbox.knobs import Bucket, Dice, Knobs
from local.sandbox.lies import LIES, TRUE, Raw, Truth, page
from local.sandbox.view import Statistics, do_by_hand, encode, look

LARGEST_BODY: Final = 4 << 20


class Sandbox:
    """One account behind the API, with its knobs and statistics."""

    def __init__(self, knobs: Knobs) -> None:
        self.knobs = knobs
        self.account = Account()
        self._reset()

    def _reset(self) -> None:
        self.statistics = Statistics()
        self._dice = Dice(self.knobs.seed)
        self._bucket = Bucket()
        self._api = Api(self.account, self._dice)
        self._lies_told = 0

    def answer(self, method: str, path: str, key: str | None, body: bytes) -> tuple[Reply | Raw | None, float]:
        """Answer one request: a reply, raw bytes, or None to close the connection; and after how long."""
        if path.startswith("/sandbox"):
            return self._control(method, path, body), 0.0
        found = self._api.route(method, path)
        endpoint = found[0] if found else f"{method} (unknown)"
        fault = self._dice.fault(self.knobs)
        lie = self._dice.lie(self.knobs, endpoint)
        reply: Reply | Raw | None
        if self.knobs.down:
            reply = None
        elif key is None:
            reply = problem(self.knobs, 400, "No autopilotapikey header provided.")
        elif key != self.knobs.key:
            reply = problem(self.knobs, 401, "Provided autopilotapikey not valid.")
        elif self._throttles(fault):
            rate = self.knobs.rate or 5
            reply = problem(self.knobs, 429, f"You have exceeded your request rate of {rate:g} r/s.")
            reply = replace(reply, retry_after=self.knobs.retry_after)
        elif found is None:
            reply = problem(self.knobs, 404, "Not found.")
        else:
            reply = self._carry_out(partial(found[1], knobs=self.knobs, body=body), fault, lie)
        status = reply.status if reply else 0
        self.statistics.note(endpoint, status, time.time(), body if self.knobs.record else None, lie)
        return reply, self._dice.latency(self.knobs)

    def _carry_out(self, call: Callable[..., Reply], fault: str | None, lie: str | None) -> Reply | Raw | None:
        """Do what a request asks for, or not, and say so, or not."""
        match fault:
            case "error":
                return problem(self.knobs, 500, "(various)")
            case "reset":
                return None
            case "html":
                return page(502)
        if lie is not None:
            done = lie in TRUE or self._dice.is_done(self.knobs)
            true = call(drop=False) if done else Reply(200, {})
            self._lies_told += 1
            return LIES[lie](Truth(_encode(true), encode(true.body), self.knobs.drip_seconds, self._lies_told))
        reply = call(drop=fault == "drop_row")
        match fault:
            case "timeout_done":
                return Reply(408)
            case "reset_done":
                return None
            case _:
                return reply

    def _throttles(self, fault: str | None) -> bool:
        if fault == "throttle":
            return True
        rate = self.knobs.rate
        return rate is not None and not self._bucket.take(rate, self.knobs.burst, time.monotonic())

    def _control(self, method: str, path: str, body: bytes) -> Reply:
        """Turn knobs, reset, or look."""
        if path == "/sandbox/knobs":
            try:
                if method == "PUT":
                    changes = json.loads(body)
                    self.knobs = self.knobs.turned(changes)
                    if "seed" in changes:
                        self._dice = self._api.dice = Dice(self.knobs.seed)
            except (ValueError, TypeError) as error:
                return Reply(400, {"error": str(error)})
            return Reply(200, {**asdict(self.knobs), "key": "(hidden)"})
        if (method, path) == ("POST", "/sandbox/reset"):
            self.statistics = Statistics()
            return Reply(204)
        if (method, path) == ("POST", "/sandbox/empty"):
            self.account = Account()
            self._reset()
            return Reply(204)
        if (method, path) == ("GET", "/sandbox/account"):
            return Reply(200, self.account.save())
        if (method, path) == ("PUT", "/sandbox/account"):
            self.account = Account.load(json.loads(body))
            self._reset()
            return Reply(204)
        found = look(self.account, self.statistics, method, path)
        found = found or do_by_hand(self.account, method, path, _content(body))
        return found or Reply(404, {"error": "no such view"})


class Connection(asyncio.Protocol):
    """One connection: requests in their order, answers in the same, each after its latency."""

    def __init__(self, sandbox: Sandbox) -> None:
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
        reply, latency = self._sandbox.answer(method, target.partition("?")[0], headers.get("autopilotapikey"), body)
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
        self._transport.write(_encode(reply))
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


def _content(body: bytes) -> object:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None


def _encode(reply: Reply) -> bytes:
    """Write an answer with the headers that the API's have (recorded): no charset, and what time it is."""
    body = encode(reply.body)
    now = formatdate(usegmt=True)
    head = f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}\r\nContent-Type: application/json\r\n"
    head += f"Last-Modified: {now}\r\nDate: {now}\r\n"
    if reply.retry_after is not None:
        head += f"Retry-After: {reply.retry_after}\r\n"
    if reply.status != HTTPStatus.NO_CONTENT:
        head += f"Content-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


async def serve(sandbox: Sandbox, port: int) -> asyncio.Server:
    """Begin to serve on 127.0.0.1; port 0 takes a free one."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: Connection(sandbox), "127.0.0.1", port, backlog=1024)
