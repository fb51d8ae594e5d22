"""An Ortto account without a wire, whose answers may be lies in the right shape."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

from local.ortto.account import Account, Person
from local.ortto.api import Api
from local.ortto.knobs import Knobs
from local.sandbox.knobs import Dice
from shared.azure.vault import GivenKey
from shared.destinations.ortto.account import OrttoAccount
from shared.destinations.ortto.answers import Call, read
from shared.destinations.ortto.client import Ortto
from shared.destinations.ortto.limits import BadCalls
from shared.http.transport import session
from tests.destinations.memory.destination import MemoryNotes

NOBODY: Mapping[str, Any] = {
    "contacts": None,
    "meta": {"total_matches": 0},
    "offset": 0,
    "next_offset": 0,
    "cursor_id": "0" * 24,
    "has_more": False,
}

type Lie = Callable[[Call, Mapping[str, Any], Any], Any]
"""What is answered instead: of a call, its body, and what would be answered truly."""


def truth(_: Call, __: Mapping[str, Any], answer: Any) -> Any:
    return answer


class Told(Ortto):
    """The sandbox's account without a wire; what it answers may be a lie."""

    def __init__(self) -> None:
        super().__init__("http://localhost", GivenKey("key"), session(), BadCalls())
        self.holds = Account()
        self._api = Api(self.holds, Dice(1))
        self.lie: Lie = truth
        self.knobs = Knobs(ban=None)

    def call(self, call: Call, body: Mapping[str, Any]) -> Any:
        reply = self._api.carry_out(str(call), self.knobs, json.dumps(body).encode())
        told = json.dumps(self.lie(call, body, reply.body)).encode()
        return read(call, reply.status, {"Content-Type": "application/json"}, told)

    def create(self, address: str, **fields: Any) -> Person:
        return self.holds.create({"str::email": address, **fields}, "there")


class Straight:
    """Makes calls as they come."""

    def one[T](self, call: Callable[[], T]) -> T:
        return call()


def opened(api: Told) -> tuple[OrttoAccount, MemoryNotes]:
    notes = MemoryNotes()
    return OrttoAccount(api, notes, Lock()), notes
