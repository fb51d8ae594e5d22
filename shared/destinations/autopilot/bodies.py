"""The shapes of Autopilot's bodies: what a call's answer carries when it is the API's own, and nobody else's page."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from pydantic_core import from_json

LONGEST_PAUSE: Final = 600.0
"""Seconds that a `Retry-After` may ask for: everybody on the account waits, and Autopilot can ask again."""

LONGEST_ID: Final = 256
LONGEST_NAME: Final = 100
"""Characters of an id, and of an account's name as it is kept and shown."""


class Nothing:
    """The content of a body that is empty, and of one that is no JSON."""


EMPTY: Final = Nothing()
NO_JSON: Final = Nothing()

type Content = Any
"""What a body holds: a JSON value, EMPTY or NO_JSON."""


def parse(content_type: str, body: bytes) -> Content:
    """Return what a body holds: JSON in UTF-8 that can be written again (no lone surrogates, NaN, endless nesting).

    What calls itself something else than JSON is none; the API always says `application/json` (recorded).
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


def is_nothing_or_empty(content: Content) -> bool:
    """Whether there is no body, or `{}`."""
    return content is EMPTY or content == {}


def is_unmodified(content: Content) -> bool:
    """Whether it is `{}`, or says only whether anything was modified."""
    return isinstance(content, dict) and all(
        name == "not_modified" and isinstance(value, bool) for name, value in content.items()
    )


def is_error(content: Content) -> bool:
    """Whether it is the API's error: `message`, and `error` (vendor) or `code` (third-party client)."""
    return (
        isinstance(content, dict)
        and is_text(content.get("message"))
        and any(is_text(content.get(name)) for name in ("error", "code"))
    )


def says(*messages: str) -> Callable[[Content], bool]:
    """Return a test for an error with one of these very messages."""
    known = {message.lower() for message in messages}

    def said(content: Content) -> bool:
        return isinstance(content, dict) and str(content.get("message")).strip().lower() in known

    return said


def is_text(value: object) -> bool:
    """Whether it is a text with something in it."""
    return isinstance(value, str) and bool(value.strip())


def is_id(value: object) -> bool:
    """Whether it can be an id: ids are opaque, but no page and no object."""
    return isinstance(value, str) and 0 < len(value) <= LONGEST_ID and value.isprintable()


def is_array_of_objects(content: Content) -> bool:
    """Whether it is a list of objects."""
    return isinstance(content, list) and all(isinstance(item, dict) for item in content)


def has_account(content: Content) -> bool:
    """Whether it names an account."""
    return isinstance(content, dict) and bool(account_name(content))


def account_name(content: Mapping[str, Any]) -> str:
    """Return whose account it is, fit to be kept and printed: `fullName`, else `instanceId`; empty if it says neither."""
    names = (content.get("fullName"), content.get("instanceId"))
    return next((name for name in map(_printable, names) if name), "")


def instance_of(content: Mapping[str, Any]) -> str | None:
    """Return the account's own id, `instanceId`, as it was told; None if it tells none."""
    told = content.get("instanceId")
    return str(told)[:LONGEST_NAME] if isinstance(told, str | int) and str(told) else None


def _printable(text: object) -> str:
    if not isinstance(text, str):
        return ""
    cut = text[: LONGEST_NAME * 4]
    return " ".join("".join(sign if sign.isprintable() else " " for sign in cut).split())[:LONGEST_NAME].strip()


def has_lists(content: Content) -> bool:
    """Whether it is all lists. One that was overlooked would be made again and filled from the beginning."""
    return (
        isinstance(content, dict)
        and is_array_of_objects(content.get("lists"))
        and all(isinstance(item.get("title"), str) and is_id(item.get("list_id")) for item in content["lists"])
    )


def has_list_id(content: Content) -> bool:
    """Whether it names a list that was made."""
    return isinstance(content, dict) and is_id(content.get("list_id")) and "error" not in content


def has_map(content: Content) -> bool:
    """Whether it says which contacts were taken: without a map it says nothing of anybody."""
    return isinstance(content, dict) and isinstance(content.get("email_contact_map"), dict)


def has_contact_id(content: Content) -> bool:
    """Whether it names the contact that was sent."""
    return isinstance(content, dict) and is_id(content.get("contact_id")) and "error" not in content


def has_document(content: Content) -> bool:
    """Whether it is a contact's document; its `lists`, if it is on any, are ids."""
    return has_contact_id(content) and (
        content.get("lists") is None
        or (isinstance(content["lists"], list) and all(is_id(item) for item in content["lists"]))
    )


def has_page(content: Content) -> bool:
    """Whether it is a page of contacts: how many there are in all, and where the next page begins, if there is one."""
    if not isinstance(content, dict) or not is_array_of_objects(content.get("contacts")):
        return False
    total, bookmark = content.get("total_contacts"), content.get("bookmark")
    return type(total) is int and total >= 0 and (bookmark is None or bookmark == "" or is_id(bookmark))


def retry_after(text: str | None, date: str | None) -> float | None:
    """Return the seconds that a `Retry-After` asks for, at most LONGEST_PAUSE; None if it cannot be read.

    It is a number of seconds, or a date, which counts from the answer's own.
    """
    with suppress(ValueError):
        seconds = float(text) if text else math.nan
        return _bounded(seconds) if math.isfinite(seconds) else None
    until = _moment(text)
    if until is None:
        return None
    return _bounded((until - (_moment(date) or datetime.now(UTC))).total_seconds())


def _bounded(seconds: float) -> float:
    return min(max(0.0, seconds), LONGEST_PAUSE)


def _moment(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text or "")
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
