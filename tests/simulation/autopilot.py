"""Autopilot behind its HTTP: the sandbox's account and rules, asked through a pool of connections, and what goes wrong."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse
from urllib3.exceptions import ProtocolError

from local.sandbox.account import Account
from local.sandbox.api import Api, Reply, problem
from local.sandbox.knobs import Dice, Knobs
from tests.simulation.stage import Fault, Stage

URL = "https://autopilot.example/v1"
ASKED = 0.1
"""Seconds that an answer takes."""


class AutopilotStage(HTTPAdapter):
    """One account, asked over HTTP: its own pool of connections.

    `asked` is how many calls there were, `writes` are those that changed something, or would have.
    """

    def __init__(self, stage: Stage, knobs: Knobs) -> None:
        super().__init__()
        self.pool = ()
        self.stage = stage
        self.knobs = knobs
        self.account = Account()
        self.down_until = 0.0
        self.writes: list[str] = []
        self.asked = 0
        self.api = Api(self.account, Dice(1))

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> Any:
        """Return the pool that requests go through."""
        return self

    def cert_verify(self, *_: Any) -> None:
        """Verify nothing: there is no certificate."""

    def urlopen(
        self, method: str, url: str, *, body: bytes | None, headers: Mapping[str, str], **_: Any
    ) -> HTTPResponse:
        """Answer one request."""
        found = self.api.route(method, url)
        label = f"{found[0] if found else method}{_who(url, body)}"
        fault = self.stage.turn(label)
        self.asked += 1
        self.stage.now += ASKED
        if self.down_until > self.stage.now:
            fault = self.stage.fails()
        if fault is Fault.FAIL:
            raise ProtocolError("reset")
        refusal = self._refusal(headers, fault, known=found is not None)
        if refusal or found is None:
            return _response(refusal or Reply(404))
        if method != "GET":
            self.writes.append(label)
        reply = found[1](knobs=self.knobs, body=body or b"", drop=fault is Fault.DROP)
        match fault:
            case Fault.LOSE | Fault.REPEAT:
                raise ProtocolError("reset")
            case Fault.CRASH_AFTER:
                self.stage.die()
        return _response(Reply(408) if fault is Fault.TIMEOUT else reply)

    def _refusal(self, headers: Mapping[str, str], fault: Fault | None, *, known: bool) -> Reply | None:
        """Return the answer to a request that is not even looked at."""
        if fault is Fault.THROTTLE:
            return problem(self.knobs, 429, "You have exceeded your request rate.")
        if headers.get("autopilotapikey") != self.knobs.key:
            return problem(self.knobs, 401, "Provided autopilotapikey not valid.")
        return None if known else problem(self.knobs, 404, "Not found.")


def session(autopilot: AutopilotStage) -> requests.Session:
    """Make a session whose requests come here."""
    made = requests.Session()
    made.trust_env = False
    made.mount("https://", autopilot)
    return made


def _who(url: str, body: bytes | None) -> str:
    """Name whom a call is about, for a person to read."""
    if not body:
        return " " + "/".join(url.split("/")[2:])
    content = json.loads(body)
    contacts = content.get("contacts") or [content.get("contact") or content]
    return " " + ", ".join(str(item.get("Email") or item.get("name", "")).partition("@")[0] for item in contacts)


def _response(reply: Reply) -> HTTPResponse:
    body = b"" if reply.body is None else json.dumps(reply.body).encode()
    return HTTPResponse(body=io.BytesIO(body), status=reply.status, preload_content=False)
