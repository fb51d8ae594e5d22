"""What an answer of Autopilot means: the one place that turns an HTTP answer into a value or an error.

The errors are ordered by what the caller must do, not by what went wrong:

    AutopilotError
    ├── TryAgain         nothing is known to be done, or it may be: repeat (every call of ours may be repeated)
    │   └── Throttled    too fast: slow down for everyone, then repeat
    ├── Refused          this request is at fault: isolate what is guilty
    │   ├── ContactGone  Autopilot does not know the contact
    │   └── ListGone     Autopilot does not know the list
    └── KeyRefused       no request will do any more

No error carries a path or a body: both can hold an address. Facts: reference/autopilot-api sections 4 to 6.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic_core import from_json

LONGEST_PAUSE: Final = 3600.0
"""Seconds that a `Retry-After` may ask for; everybody on the account would wait."""


class AutopilotError(Exception):
    """A call to Autopilot gave no result; the text names the endpoint's template and the status, never a person."""


class TryAgain(AutopilotError):
    """No answer, 408 or 5xx. A 408 means "maybe done" (vendor, 2015-07-28), and so does a lost connection.

    A success that lacks what its endpoint gives, as a proxy's page would, is as good as no answer.
    """


class Throttled(TryAgain):
    """429. `retry_after` in seconds has never been seen, and is honoured if it is there."""

    def __init__(self, text: str, retry_after: float | None) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class Refused(AutopilotError):
    """400 and the other 4xx: the request itself is at fault. `status` is HTTP's."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


class ContactGone(Refused):
    """404 for a contact: deleted, or merged into another, since we last saw it."""


class ListGone(Refused):
    """404 with "List does not exist." (third-party integration tests against the real API)."""


class KeyRefused(AutopilotError):
    """401 (vendor, 2015): the key is wrong, or was regenerated, which kills the old one at once."""


def read(endpoint: str, status: int, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """Give the answer's JSON object ({} for an empty or non-object body of a success), or raise what it means."""
    content = _parse(body)
    if 200 <= status < 300:
        return content
    text = f"{endpoint} answered {status}"
    message = str(content.get("message", "")).lower()
    match status:
        case 401:
            raise KeyRefused(text)
        case 429:
            raise Throttled(text, _seconds(headers.get("Retry-After")))
        case 408:
            raise TryAgain(text)
        case 404 if "list does not exist" in message:
            raise ListGone(text, status)
        case 404:
            raise ContactGone(text, status)
        case _ if status >= 500:
            raise TryAgain(text)
        case _:
            raise Refused(text, status)


def contact_ids(answer: Mapping[str, Any]) -> dict[str, str]:
    """Read a bulk answer: contact ids by lower-case address. An address that is missing from it failed."""
    found = answer.get("email_contact_map")
    if not isinstance(found, dict):
        return {}
    return {
        email.lower(): contact_id for email, contact_id in found.items() if contact_id and isinstance(contact_id, str)
    }


def contact_id(answer: Mapping[str, Any]) -> str:
    """Read the answer to one contact: its id. Raises TryAgain if there is none."""
    found = answer.get("contact_id")
    if not (found and isinstance(found, str)):
        raise _unreadable("POST /contact")
    return found


def list_ids(answer: Mapping[str, Any]) -> dict[str, list[str]]:
    """Read all lists: ids by exact title, which can be double. Raises TryAgain if a list cannot be made out.

    A list that was overlooked would be made anew and filled from the beginning.
    """
    found: dict[str, list[str]] = {}
    for item in _objects(answer, "lists", "GET /lists"):
        title, list_id = item.get("title"), item.get("list_id")
        if not (isinstance(title, str) and isinstance(list_id, str) and list_id):
            raise _unreadable("GET /lists")
        found.setdefault(title, []).append(list_id)
    return found


def new_list_id(answer: Mapping[str, Any]) -> str:
    """Read the id of a list that was made; raises TryAgain if there is none."""
    list_id = answer.get("list_id")
    if not (list_id and isinstance(list_id, str)):
        raise _unreadable("POST /list")
    return list_id


def custom_field_types(answer: Mapping[str, Any]) -> dict[str, str]:
    """Read the account's custom fields: type by name. Raises TryAgain if there is no list of them."""
    items = _objects(answer, "items", "GET /contacts/custom_fields")
    return {str(item["name"]): str(item["fieldType"]) for item in items if "name" in item and "fieldType" in item}


@dataclass(frozen=True, slots=True)
class Page:
    """A page of contacts, where the next one begins (None: this is the last), and how many there are in all."""

    contacts: tuple[Mapping[str, Any], ...]
    bookmark: str | None
    total: int | None


def page(answer: Mapping[str, Any]) -> Page:
    """Read a page of contacts: the end is where no bookmark is (reference section 7). Raises TryAgain if it is none."""
    bookmark, total = answer.get("bookmark"), answer.get("total_contacts")
    return Page(
        contacts=tuple(_objects(answer, "contacts", "GET /list/{list}/contacts")),
        bookmark=str(bookmark) if bookmark else None,
        total=total if isinstance(total, int) else None,
    )


def _parse(body: bytes) -> dict[str, Any]:
    """Read JSON that we can write again: no nesting without end, no lone surrogates, no NaN."""
    try:
        content = from_json(body, allow_inf_nan=False) if body.strip() else {}
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {"items": content}


def _objects(answer: Mapping[str, Any], name: str, endpoint: str) -> list[dict[str, Any]]:
    """Give the answer's list of objects called `name`."""
    items = answer.get(name)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise _unreadable(endpoint)
    return items


def _unreadable(endpoint: str) -> TryAgain:
    return TryAgain(f"{endpoint} gave an answer that cannot be understood")


def _seconds(text: str | None) -> float | None:
    """Read a `Retry-After` in seconds; a date, or what is no number, says nothing."""
    try:
        seconds = float(text) if text else math.nan
    except ValueError:
        return None
    return min(max(0.0, seconds), LONGEST_PAUSE) if math.isfinite(seconds) else None
