"""The adapter to Ortto's REST API v1: one request a call, no retries, no pacing.

Which answers mean what stands in `shared.destinations.ortto.answers`; how they are read from the wire in `shared.http.transport`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from shared.delivery.destination import Key
from shared.delivery.errors import DestinationError, KeyRefused, NoAnswer
from shared.destinations.ortto.answers import Call, read
from shared.destinations.ortto.limits import BadCalls
from shared.http.transport import NoConnection, Requests, Session
from shared.telemetry.tracing import calling


class Ortto:
    """One Ortto account at one root."""

    def __init__(self, url: str, key: Key, http: Session, bad_calls: BadCalls) -> None:
        self._key = key
        self._requests = Requests(url, http, "X-Api-Key")
        self._bad_calls = bad_calls

    def call(self, call: Call, body: Mapping[str, Any]) -> Any:
        """Make one call and return its content; raise a DestinationError where there is none.

        A refused key is read again once, since it may have been rotated.
        """
        self._bad_calls.check()
        key = self._key.current()
        try:
            return self._send(key, call, body)
        except KeyRefused as refused:
            newer = self._key.renewed(key)
            if newer is None:
                raise self._bad_calls.doubt(refused) from None
            return self._send(newer, call, body)
        except DestinationError as error:
            raise self._bad_calls.doubt(error) from None

    def _send(self, key: str, call: Call, body: Mapping[str, Any]) -> Any:
        method, _, path = call.partition(" ")
        data = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        with calling(method, path) as made:
            try:
                answer = self._requests.send(method, path, key, data)
            except NoConnection as error:
                made.error = str(error)
                raise NoAnswer(f"{call} had no answer ({error})") from None
            made.status = answer.status
        if 400 <= answer.status < 500 and answer.status != HTTPStatus.TOO_MANY_REQUESTS:
            self._bad_calls.note(answer.status)
        return read(call, answer.status, answer.headers, answer.body)
