"""Reading a tag's people: by the filter of tags where the account takes it, else by reading everybody."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shared.delivery.contacts import Page, Seen
from shared.delivery.errors import NoAnswer, Refused
from shared.destinations.ortto.answers import Call
from shared.destinations.ortto.client import Ortto
from shared.destinations.ortto.limits import PAGE
from shared.destinations.ortto.pages import read_page
from shared.destinations.ortto.tags import TAG_IDS, ids_told, names_told


@dataclass(frozen=True, slots=True)
class Bookmark:
    """Where to read on: the tag, whether the account is asked for everybody, the result's cursor, and the offset.

    `total` is how many there are as was last told: a page past the end tells nothing (recorded).
    """

    tag: int
    everybody: bool = False
    cursor: str = ""
    offset: int = 0
    total: int = 0

    def __str__(self) -> str:
        return f"{self.tag}:{int(self.everybody)}:{self.cursor}:{self.offset}:{self.total}"

    @classmethod
    def read(cls, text: str) -> Bookmark:
        """Return what `str` wrote."""
        tag, everybody, cursor, offset, total = text.split(":")
        return cls(int(tag), everybody == "1", cursor, int(offset), int(total))


def next_page(api: Ortto, at: Bookmark, names: Sequence[str], seen: Callable[[Mapping[str, Any]], Seen]) -> Page:
    """Read a page; raise NoAnswer for one that shows people without the tag, since the filter was not kept, or that ends early.

    One that tells tags by their names only does not tell who has the tag either.

    That a tag can be asked for is known from Ortto's own audiences only. Where it is refused, or shows nobody although
    the tag is said to be in use, everybody is read, and who has the tag picked out; `total` then counts everybody.
    """
    is_first = not at.everybody and at.offset == 0
    try:
        answer = read_page(api, _body(at, names))
    except Refused:
        if not is_first:
            raise
        return _of_everybody(at)
    people = answer["contacts"] or []
    if is_first and not people and at.total:
        return _of_everybody(at)
    if answer["meta"]["total_matches"] == 0 and at.total > at.offset:
        raise NoAnswer(f"{Call.PAGE} was answered with nobody before all were read")
    tagged = [item for item in people if at.tag in ids_told(item["fields"])]
    if not at.everybody and len(tagged) < len(people):
        raise NoAnswer(f"{Call.PAGE} was answered with people who have not the tag")
    if any(names_told(item["fields"]) and not ids_told(item["fields"]) for item in people):
        raise NoAnswer(f"{Call.PAGE} does not tell the ids of tags")
    total = answer["meta"]["total_matches"] if people else at.total
    following = replace(at, cursor=answer["cursor_id"], offset=answer["next_offset"], total=total)
    return Page(tuple(map(seen, tagged)), str(following) if answer["has_more"] else None, total, len(people))


def has_people(api: Ortto, tag: int) -> bool:
    """Read whether somebody has a tag; as far as a filter of tags tells, which may be refused."""
    try:
        answer = api.call(Call.PAGE, _body(Bookmark(tag), ()))
    except Refused:
        return False
    return bool(answer["contacts"]) or answer["meta"]["total_matches"] > 0


def _of_everybody(at: Bookmark) -> Page:
    return Page((), str(Bookmark(at.tag, everybody=True, total=at.total)), at.total)


def _body(at: Bookmark, names: Sequence[str]) -> dict[str, Any]:
    fields = list(dict.fromkeys(["str::email", "tags", TAG_IDS, *names]))
    body: dict[str, Any] = {"limit": PAGE, "offset": at.offset, "fields": fields}
    if at.cursor:
        body["cursor_id"] = at.cursor
    if not at.everybody:
        body["filter"] = {"$and": [{"$u4s::is": {"field_id": TAG_IDS, "value": at.tag}}]}
    return body
