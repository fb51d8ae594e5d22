"""The Ortto sandbox's answers: calls to the account behind the API, its limits and knobs, statistics and the view."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, Final

from local.ortto.account import Account
from local.ortto.api import MERGE, Api, problem
from local.ortto.knobs import Knobs
from local.ortto.limits import Limits
from local.ortto.view import do_by_hand, look
from local.sandbox.api import Reply
from local.sandbox.knobs import Dice
from local.sandbox.lies import LIES, TRUE, Raw, Truth, page
from local.sandbox.view import Statistics

WRITES: Final = {
    MERGE,
    "PUT /audience/subscribe",
    "PUT /person/archive",
    "PUT /person/restore",
    "DELETE /person/delete",
}
"""The calls that change people; reading is done by POST, too."""

TOO_FAST: Final = {"error": {"code": "rate-limit", "message": "rate limit", "try-in-seconds": 1}}
"""As the vendor writes it; the seconds are ours, so that nobody waits long here."""


class Sandbox:
    """One account behind the API, with its knobs and statistics."""

    def __init__(self, knobs: Knobs) -> None:
        self.knobs = knobs
        self.account = Account()
        self._reset()

    def _reset(self) -> None:
        self.statistics = Statistics()
        self._limits = Limits()
        self._dice = Dice(self.knobs.seed)
        self._api = Api(self.account, self._dice)
        self._lies_told = 0

    def answer(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[Reply | Raw | None, float]:
        """Answer one request: a reply, raw bytes, or None to close the connection; and after how long."""
        if path.startswith("/sandbox"):
            return self._control(method, path, body), 0.0
        call = f"{method} {path.removeprefix('/v1').rstrip('/')}"
        known = path.startswith("/v1/") and self._api.knows(call)
        endpoint = call if known else f"{method} (unknown)"
        fault, lie = self._dice.fault(self.knobs), self._dice.lie(self.knobs, endpoint)
        latency = self._dice.latency(self.knobs)
        reply = self._refusal(headers.get("x-api-key"), endpoint, fault, latency, known=known)
        if reply is None:
            reply = self._carry_out(call, body, fault, lie)
        if isinstance(reply, Reply) and 400 <= reply.status < 500 and reply.status != HTTPStatus.TOO_MANY_REQUESTS:
            self._limits.note_bad(self.knobs)
        reply = None if isinstance(reply, _Closed) else reply
        status = reply.status if reply else 0
        self.statistics.note(endpoint, status, time.time(), body if self.knobs.record else None, lie)
        return reply, latency

    def encode(self, reply: Reply) -> bytes:
        """Write an answer with the recorded headers; bodies end with a newline (recorded)."""
        html = isinstance(reply.body, str)
        text = reply.body if html else json.dumps(reply.body, ensure_ascii=False, separators=(",", ":"))
        body = b"" if reply.body is None and reply.status >= 400 else f"{text}\n".encode()
        head = f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}\r\n"
        head += f"Content-Type: {'text/html' if html else 'application/json'}\r\nDate: {formatdate(usegmt=True)}\r\n"
        if reply.status != HTTPStatus.NO_CONTENT:
            head += f"Content-Length: {len(body)}\r\n"
        head += "Strict-Transport-Security: max-age=63072000; includeSubDomains; preload\r\nX-Version: sandbox\r\n"
        return head.encode() + b"\r\n" + (body if reply.status != HTTPStatus.NO_CONTENT else b"")

    def _refusal(
        self, key: str | None, endpoint: str, fault: str | None, latency: float, *, known: bool
    ) -> Reply | Raw | _Closed | None:
        """Return the answer to a call that is not carried out, whoever makes it; None to one that is."""
        knobs = self.knobs
        if knobs.down:
            return _Closed()
        if self._limits.is_banned():
            return self._hold_back(knobs.ban_answer)
        if key != knobs.key:
            return problem(knobs, 401, "Unauthorized")
        if knobs.wrong_region:
            status = int(knobs.wrong_region_answer)
            return problem(knobs, status, HTTPStatus(status).phrase)
        if fault == "throttle" or self._limits.is_too_fast(knobs):
            return Reply(429, TOO_FAST)
        if not known:
            return problem(knobs, 404, "Not found")
        if endpoint == MERGE and self._limits.is_too_many(knobs, latency):
            return self._hold_back(knobs.concurrency_answer)
        if endpoint == MERGE and self._is_full() and knobs.over_limit in {"507", "403"}:
            return problem(knobs, int(knobs.over_limit), "Contact limit reached")
        return None

    def _is_full(self) -> bool:
        return self.knobs.contact_limit is not None and len(self.account.people) >= self.knobs.contact_limit

    def _hold_back(self, how: str) -> Reply | _Closed:
        """Answer a caller who is banned, or one merge too many: nobody knows how."""
        match how:
            case "reset":
                return _Closed()
            case "429":
                return Reply(429, TOO_FAST)
            case _:
                return problem(self.knobs, int(how), "Forbidden" if how == "403" else "Try again later")

    def _carry_out(self, call: str, body: bytes, fault: str | None, lie: str | None) -> Reply | Raw | _Closed:
        """Do what a request asks for, or not, and say so, or not."""
        match fault:
            case "error":
                return problem(self.knobs, 500, "(various)")
            case "reset":
                return _Closed()
            case "html":
                return page(502)
        if lie is not None:
            done = lie in TRUE or self._dice.is_done(self.knobs)
            true = self._api.carry_out(call, self.knobs, body) if done else Reply(200, {})
            self._lies_told += 1
            whole = self.encode(true)
            truth = Truth(whole, whole.partition(b"\r\n\r\n")[2], self.knobs.drip_seconds, self._lies_told)
            return LIES[lie](truth)
        reply = self._api.carry_out(call, self.knobs, body, drop=fault == "drop_row")
        match fault:
            case "timeout_done":
                return Reply(408)
            case "reset_done":
                return _Closed()
            case _:
                return reply

    def _summary(self) -> dict[str, Any]:
        """Return the statistics; reading is done by POST, too, and is no write."""
        summary = self.statistics.summary()
        writes = sum(count for call, count in summary["calls"].items() if call in WRITES)
        return {**summary, "writes": writes, "bans": self._limits.bans}

    def _control(self, method: str, path: str, body: bytes) -> Reply:
        """Turn knobs, reset, or look."""
        if path == "/sandbox/knobs":
            try:
                if method == "PUT":
                    changes = json.loads(body)
                    self.knobs = self.knobs.turned(changes)
                    if "seed" in changes:
                        self._dice = self._api.merge.dice = Dice(self.knobs.seed)
            except (ValueError, TypeError) as error:
                return Reply(400, {"error": str(error)})
            return Reply(200, {**self.knobs.model_dump(), "key": "(hidden)"})
        if (method, path) == ("POST", "/sandbox/reset"):
            self.statistics, self._limits = Statistics(), Limits()
            return Reply(204)
        if (method, path) == ("POST", "/sandbox/empty"):
            self.account = Account()
            self._reset()
            return Reply(204)
        if (method, path) == ("GET", "/sandbox/stats"):
            return Reply(200, self._summary())
        if (method, path) == ("GET", "/sandbox/journal"):
            return Reply(200, list(self.statistics.journal))
        found = look(self.account, method, path) or do_by_hand(self.account, method, path, _content(body))
        return found or Reply(404, {"error": "no such view"})


class _Closed:
    """The connection is closed without an answer."""


def _content(body: bytes) -> object:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None
