"""Autopilot behind its HTTP: the sandbox's account and rules, asked through a transport of `requests`, and what goes wrong."""

from __future__ import annotations

import io
import json
from typing import Any

import requests
from requests.adapters import BaseAdapter

from local.sandbox.account import Account
from local.sandbox.api import Api, Reply, problem
from local.sandbox.knobs import Dice, Knobs
from tests.simulation.stage import Fault, Stage

URL = "https://autopilot.example/v1"
ASKED = 0.1
"""Seconds that an answer takes."""


class AutopilotStage(BaseAdapter):
    """One account, asked over HTTP. `writes` are the calls that changed something, or would have."""

    def __init__(self, stage: Stage, knobs: Knobs) -> None:
        super().__init__()
        self.stage = stage
        self.knobs = knobs
        self.account = Account()
        self.down_until = 0.0
        self.writes: list[str] = []
        self.api = Api(self.account, Dice(1))

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Answer one request."""
        path = str(request.url).removeprefix("https://autopilot.example")
        method = str(request.method)
        found = self.api.route(method, path)
        label = f"{found[0] if found else method}{_who(request)}"
        fault = self.stage.turn(label)
        self.stage.now += ASKED
        if self.down_until > self.stage.now:
            fault = self.stage.fails()
        if fault is Fault.FAIL:
            raise requests.ConnectionError("reset")
        refusal = self._refusal(request, fault, known=found is not None)
        if refusal or found is None:
            return _response(refusal or Reply(404))
        if method != "GET":
            self.writes.append(label)
        body = request.body if isinstance(request.body, bytes) else str(request.body or "").encode()
        reply = found[1](knobs=self.knobs, body=body, drop=fault is Fault.DROP)
        match fault:
            case Fault.LOSE | Fault.REPEAT:
                raise requests.ConnectionError("reset")
            case Fault.CRASH_AFTER:
                self.stage.die()
        return _response(Reply(408) if fault is Fault.TIMEOUT else reply)

    def _refusal(self, request: requests.PreparedRequest, fault: Fault | None, *, known: bool) -> Reply | None:
        """Return the answer to a request that is not even looked at."""
        if fault is Fault.THROTTLE:
            return problem(self.knobs, 429, "You have exceeded your request rate.")
        if request.headers.get("autopilotapikey") != self.knobs.key:
            return problem(self.knobs, 401, "Provided autopilotapikey not valid.")
        return None if known else problem(self.knobs, 404, "Not found.")

    def close(self) -> None:
        """Nothing to close."""


def session(autopilot: AutopilotStage) -> requests.Session:
    """Make a session whose requests come here."""
    made = requests.Session()
    made.trust_env = False
    made.mount("https://", autopilot)
    return made


def _who(request: requests.PreparedRequest) -> str:
    """Name whom a call is about, for a person to read."""
    if not request.body:
        return " " + "/".join(str(request.url).split("/")[4:])
    content = json.loads(request.body)
    contacts = content.get("contacts") or [content.get("contact") or content]
    return " " + ", ".join(str(item.get("Email") or item.get("name", "")).partition("@")[0] for item in contacts)


def _response(reply: Reply) -> requests.Response:
    body = b"" if reply.body is None else json.dumps(reply.body).encode()
    made = requests.Response()
    made.status_code = reply.status
    made.raw = _Body(body)
    return made


class _Body(io.BytesIO):
    """An answer's body as it is read from a connection."""

    def read1(self, size: int | None = -1, /, *, decode_content: bool = False) -> bytes:
        """Read what has come."""
        return super().read1(size)
