"""The sandbox's answers: calls to the account behind the API, knobs, statistics and the view."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from email.utils import formatdate
from functools import partial
from http import HTTPStatus

from local.sandbox.account import Account
from local.sandbox.api import Api, Reply, problem
from local.sandbox.knobs import Bucket, Dice, Knobs
from local.sandbox.lies import LIES, TRUE, Raw, Truth, page
from local.sandbox.view import Statistics, do_by_hand, encode, look


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

    def answer(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[Reply | Raw | None, float]:
        """Answer one request: a reply, raw bytes, or None to close the connection; and after how long."""
        key = headers.get("autopilotapikey")
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

    def encode(self, reply: Reply) -> bytes:
        """Write an answer with the headers that the API's have (recorded): no charset, and what time it is."""
        return _encode(reply)

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


def _content(body: bytes) -> object:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None


def _encode(reply: Reply) -> bytes:
    body = encode(reply.body)
    now = formatdate(usegmt=True)
    head = f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}\r\nContent-Type: application/json\r\n"
    head += f"Last-Modified: {now}\r\nDate: {now}\r\n"
    if reply.retry_after is not None:
        head += f"Retry-After: {reply.retry_after}\r\n"
    if reply.status != HTTPStatus.NO_CONTENT:
        head += f"Content-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body
