"""The sandbox's server: a small HTTP/1.1 loop on asyncio, quick enough not to be what a benchmark measures."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import asdict
from http import HTTPStatus
from typing import Final

from local.sandbox.account import Account
from local.sandbox.api import Api, Reply, problem
from local.sandbox.knobs import Bucket, Dice, Knobs
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

    def answer(self, method: str, path: str, key: str | None, body: bytes) -> tuple[Reply | bytes | None, float]:
        """Answer one request: a reply (bytes: a page that is no JSON), or None to close the connection; and after how long."""
        if path.startswith("/sandbox"):
            return self._control(method, path, body), 0.0
        found = self._api.route(method, path)
        endpoint = found[0] if found else f"{method} (unknown)"
        fault = self._dice.fault(self.knobs)
        reply: Reply | bytes | None
        if self.knobs.down:
            reply = None
        elif key is None:
            reply = problem(self.knobs, 400, "No autopilotapikey header provided.")
        elif key != self.knobs.key:
            reply = problem(self.knobs, 401, "Provided autopilotapikey not valid.")
        elif self._throttles(fault):
            rate = self.knobs.rate or 5
            reply = problem(self.knobs, 429, f"You have exceeded your request rate of {rate:g} r/s.")
        elif found is None:
            reply = problem(self.knobs, 404, "Not found.")
        elif fault in {"error", "reset", "html"}:
            reply = {
                "error": problem(self.knobs, 500, "(various)"),
                "reset": None,
                "html": b"<html>Bad gateway</html>",
            }[fault]
        else:
            reply = found[1](knobs=self.knobs, body=body, drop=fault == "drop_row")
            if fault == "timeout_done":
                reply = Reply(408)
            elif fault == "reset_done":
                reply = None
        status = reply.status if isinstance(reply, Reply) else (502 if reply else 0)
        self.statistics.note(endpoint, status, time.time(), body if self.knobs.record else None)
        return reply, self._dice.latency(self.knobs)

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
        if length > LARGEST_BODY:
            self._transport.close()
            return
        if len(self._buffer) < end + 4 + length:
            return
        body = bytes(self._buffer[end + 4 : end + 4 + length])
        del self._buffer[: end + 4 + length]
        method, target, _ = head[0].split(" ", 2)
        reply, latency = self._sandbox.answer(method, target.partition("?")[0], headers.get("autopilotapikey"), body)
        if latency > 0:
            self._busy = True
            asyncio.get_running_loop().call_later(latency, self._send_and_go_on, reply)
        else:
            self._send_and_go_on(reply)

    def _send_and_go_on(self, reply: Reply | bytes | None) -> None:
        self._busy = False
        if self._transport is None or self._transport.is_closing():
            return
        if reply is None:
            self._transport.abort()
            return
        self._transport.write(_encode(reply))
        self._next()


def _content(body: bytes) -> object:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None


def _encode(reply: Reply | bytes) -> bytes:
    if isinstance(reply, bytes):
        status, kind, body = 502, "text/html", reply
    else:
        status, kind, body = reply.status, "application/json", encode(reply.body)
    head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: {kind}\r\n"
    if status != HTTPStatus.NO_CONTENT:
        head += f"Content-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


async def serve(sandbox: Sandbox, port: int) -> asyncio.Server:
    """Begin to serve on 127.0.0.1; port 0 takes a free one."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: Connection(sandbox), "127.0.0.1", port, backlog=1024)
