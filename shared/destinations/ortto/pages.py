"""Pages of people (`person/get`), read to their end: whoever a page leaves out is unknown, and never nobody."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from shared.delivery.account import Caller
from shared.delivery.errors import NoAnswer
from shared.destinations.ortto.answers import Call
from shared.destinations.ortto.client import Ortto


def read_page(api: Ortto, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Read one page; raise NoAnswer for one that leads round, or is said to be the last before all were shown.

    A result does not change while it is paged, but people of it may be gone by then: only the first page shows each of its own.
    """
    answer: Mapping[str, Any] = api.call(Call.PAGE, body)
    offset, following = body.get("offset", 0), answer["next_offset"]
    shown, total = offset + len(answer["contacts"] or ()), answer["meta"]["total_matches"]
    if answer["has_more"]:
        if following <= offset:
            raise NoAnswer(f"{Call.PAGE} was answered with a page that leads round")
    elif (max(shown, following) if offset else shown) < total:
        raise NoAnswer(f"{Call.PAGE} was answered with fewer than it counts")
    return answer


def read_all(api: Ortto, body: Mapping[str, Any], caller: Caller) -> list[Mapping[str, Any]]:
    """Read everybody that a call asks for, page by page; raise NoAnswer if they are fewer than it counts."""
    found: dict[str, Mapping[str, Any]] = {}
    place: Mapping[str, Any] = {}
    total = 0
    while True:
        answer = caller.one(partial(read_page, api, {**body, **place}))
        found |= {item["id"]: item for item in answer["contacts"] or ()}
        total = max(total, answer["meta"]["total_matches"])
        if not answer["has_more"]:
            break
        place = {"offset": answer["next_offset"], "cursor_id": answer["cursor_id"]}
    if len(found) < total:
        raise NoAnswer(f"{Call.PAGE} was answered with fewer than it counts")
    return list(found.values())
