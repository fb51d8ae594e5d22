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

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class AutopilotError(Exception):
    """A call to Autopilot gave no result; the text names the endpoint's template and the status, never a person."""


class TryAgain(AutopilotError):
    """No answer, 408 or 5xx. A 408 means "maybe done" (vendor, 2015-07-28), and so does a lost connection."""


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
    return {str(email).lower(): str(contact_id) for email, contact_id in found.items() if contact_id}


@dataclass(frozen=True, slots=True)
class Page:
    """A page of contacts, where the next one begins (None: this is the last), and how many there are in all."""

    contacts: tuple[Mapping[str, Any], ...]
    bookmark: str | None
    total: int | None


def page(answer: Mapping[str, Any]) -> Page:
    """Read a page of contacts: the end is where no bookmark is (reference section 7)."""
    contacts, bookmark, total = answer.get("contacts"), answer.get("bookmark"), answer.get("total_contacts")
    return Page(
        contacts=tuple(item for item in contacts if isinstance(item, dict)) if isinstance(contacts, list) else (),
        bookmark=str(bookmark) if bookmark else None,
        total=total if isinstance(total, int) else None,
    )


def _parse(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body) if body.strip() else {}
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {"items": content}


def _seconds(text: str | None) -> float | None:
    try:
        return max(0.0, float(text)) if text else None
    except ValueError:
        return None
