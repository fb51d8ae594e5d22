"""The contents of answers: JSON, or nothing that is to be believed; and how long an answer asks to wait.

What a content means is for each API to say.
"""

from __future__ import annotations

import math
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from pydantic_core import from_json

LONGEST_PAUSE: Final = 600.0
"""Seconds that a `Retry-After` may ask for: everybody on the account waits, and it can be asked for again."""

LONGEST_ID: Final = 256
LONGEST_NAME: Final = 100
"""Characters of an id, and of an account's name as it is kept and shown."""


DOT_SEGMENTS: Final = frozenset({".", ".."})
"""What is no part of a path: a URL that has one means another place."""


class Nothing:
    """The content of a body that is empty, and of one that is no JSON."""


EMPTY: Final = Nothing()
NO_JSON: Final = Nothing()

type Content = Any
"""What a body holds: a JSON value, EMPTY or NO_JSON."""


def parse(content_type: str, body: bytes) -> Content:
    """Return what a body holds: JSON in UTF-8 that can be written again (no lone surrogates, NaN, endless nesting).

    What calls itself something else than JSON is none.
    """
    if not body.strip(b" \t\r\n"):
        return EMPTY
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in {"", "application/json"}:
        return NO_JSON
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError:
        return NO_JSON


def is_empty(content: Content) -> bool:
    """Whether there is no body."""
    return content is EMPTY


def is_object(content: Content) -> bool:
    """Whether it is a JSON object."""
    return isinstance(content, dict)


def is_text(value: object) -> bool:
    """Whether it is a text with something in it."""
    return isinstance(value, str) and bool(value.strip())


def is_id(value: object) -> bool:
    """Whether it can be an id: ids are opaque, but no page and no object, and nothing that leads to another path."""
    return isinstance(value, str) and 0 < len(value) <= LONGEST_ID and value.isprintable() and value not in DOT_SEGMENTS


def is_array_of_objects(content: Content) -> bool:
    """Whether it is a list of objects."""
    return isinstance(content, list) and all(isinstance(item, dict) for item in content)


def printable(text: object) -> str:
    """Return a name fit to be kept and shown: one line, LONGEST_NAME characters; empty for what is no text."""
    if not isinstance(text, str):
        return ""
    cut = text[: LONGEST_NAME * 4]
    return " ".join("".join(sign if sign.isprintable() else " " for sign in cut).split())[:LONGEST_NAME].strip()


def retry_after(text: str | None, date: str | None) -> float | None:
    """Return the seconds that a `Retry-After` asks for, at most LONGEST_PAUSE; None if it cannot be read.

    It is a number of seconds, or a date, which counts from the answer's own.
    """
    with suppress(ValueError):
        seconds = float(text) if text else math.nan
        return bounded(seconds) if math.isfinite(seconds) else None
    until = _moment(text)
    if until is None:
        return None
    return bounded((until - (_moment(date) or datetime.now(UTC))).total_seconds())


def bounded(seconds: float) -> float:
    """Return the seconds of a pause, at most LONGEST_PAUSE."""
    return min(max(0.0, seconds), LONGEST_PAUSE)


def _moment(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text or "")
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
