"""Lies: answers that are not the API's, as whatever stands between two hosts gives them. All are our own inventions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

STRANGE_STATUSES: Final = (407, 421, 423, 425, 451, 499)
"""What the lie `strange` says, one after the other."""


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes as they go out: pieces, with `pause` seconds before each but the first; then the connection may be closed."""

    status: int
    pieces: tuple[bytes, ...]
    pause: float = 0.0
    close: bool = False


def page(
    status: int, body: bytes = b"<html><body>Maintenance</body></html>", kind: str = "text/html", more: str = ""
) -> Raw:
    """Return a page that is no answer of the API."""
    return Raw(status, (_head(status, kind, len(body), more) + body,))


def _head(status: int, kind: str, length: int, more: str = "") -> bytes:
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Strange"
    return f"HTTP/1.1 {status} {phrase}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{more}\r\n".encode()


def _json(content: object, status: int = 200) -> Raw:
    return page(status, json.dumps(content).encode(), "application/json")


def _drip(start: bytes, drop: bytes, seconds: float) -> Raw:
    """Return what begins like an answer and then drips, for so many seconds."""
    return Raw(200, (start, *[drop] * max(1, int(seconds / DRIP_PAUSE))), DRIP_PAUSE, close=True)


DRIP_PAUSE: Final = 0.25

_STATUS_LINE: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_CHUNKED: Final = _STATUS_LINE + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"


@dataclass(frozen=True, slots=True)
class Truth:
    """What a lie is made from: the true answer and its body, how long a drip lasts, and how many lies were told before."""

    whole: bytes
    body: bytes
    seconds: float
    turn: int


LIES: Final[Mapping[str, Callable[[Truth], Raw]]] = {
    "html": lambda _: page(200),
    "html_403": lambda _: page(403),
    "html_404": lambda _: page(404),
    "html_401": lambda _: page(401),
    "json_403": lambda _: _json({"error": "Forbidden", "message": "Request blocked."}, 403),
    "redirect": lambda _: page(302, b"", more="Location: http://127.0.0.1:9/sign-in\r\n"),
    "strange": lambda true: page(STRANGE_STATUSES[true.turn % len(STRANGE_STATUSES)]),
    "empty": lambda _: page(200, b"", "application/json"),
    "no_content": lambda _: Raw(204, (b"HTTP/1.1 204 No Content\r\n\r\n",)),
    "null": lambda _: _json(None),
    "message": lambda _: _json({"message": "Our service will be back soon."}),
    "error": lambda _: _json({"error": "maintenance"}),
    "no_map": lambda _: _json({"contact_ids": ["person_1"]}),
    "truncated": lambda true: page(200, true.body[:-1] or b"{", "application/json"),
    "bom": lambda true: page(200, b"\xef\xbb\xbf" + (true.body or b"{}"), "application/json"),
    "unasked_encoding": lambda true: page(200, true.body or b"{}", "application/json", "Content-Encoding: br\r\n"),
    "bad_header": lambda true: page(200, true.body or b"{}", "application/json", "this line has no colon\r\n"),
    "interim": lambda true: Raw(200, (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", true.whole), 0.01),
    "interim_joined": lambda true: Raw(200, (b"HTTP/1.1 102 Processing\r\n\r\n" + true.whole,)),
    "drip_headers": lambda true: _drip(_STATUS_LINE, b"X-A: b\r\n", true.seconds),
    "drip_interim": lambda true: _drip(b"", b"HTTP/1.1 102 Processing\r\n\r\n", true.seconds),
    "drip_trailers": lambda true: _drip(_CHUNKED, b"X-A: b\r\n", true.seconds),
    "drip_body": lambda true: _drip(_STATUS_LINE + b"\r\n{", b" ", true.seconds),
}
"""Each lie by its name."""

TRUE: Final = frozenset({"interim", "interim_joined"})
"""Lies that the true answer follows: what they say of it is no lie."""
