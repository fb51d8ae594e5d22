"""Reading people: filters, pages over a frozen result, and by ids. No I/O."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from local.ortto.account import PERMISSION, Account, Person, is_id, new_id
from local.ortto.knobs import Knobs
from local.sandbox.api import Reply

PAGE: Final = 50
LARGEST_PAGE: Final = 500
CONDITIONS: Final = 50
NO_CURSOR: Final = "0" * 24
MOST_CURSORS: Final = 1000

type Error = tuple[int, str, Any]


class WrongFilter(Exception):
    """A filter that is not understood; the text is the answer's, and quotes it (recorded)."""


@dataclass(slots=True)
class Reads:
    """Reads one account."""

    account: Account
    cursors: dict[str, list[str]] = field(default_factory=dict)

    def by_ids(self, knobs: Knobs, body: dict[str, Any]) -> Reply | Error:
        """Return people by their ids; who is gone is left out (assumed)."""
        ids, names = body.get("contact_ids"), body.get("fields") or []
        if not isinstance(ids, list) or not ids:
            return 400, "Failed to parse request", None
        if strange := next((item for item in ids if not is_id(item)), None):
            length = len(str(strange))
            text = f"cannot unmarshal into an ID, the length must be 12 or 24 + 2 for hex but it is {length}"
            return 400, f"Failed to parse request {text}: Object not found", None
        hidden = {"both": (), "ids_only": ("tags",), "none": ("tags", "u4s::t")}[knobs.tags_in_get_by_ids]
        shown = [name for name in names if name not in hidden]
        found = {person: self._document(self.account.people[person], shown) for person in ids if self._lives(person)}
        return Reply(200, {"contacts": found})

    def page(self, knobs: Knobs, body: dict[str, Any]) -> Reply | Error:
        """Return a page of people, newest first; the cursor names a result that does not change (recorded)."""
        if body.get("type") == "archived":
            matches = self._in_archive(str(body.get("q") or ""))
            return self._answer(body, matches, self.account.archive)
        cursor = body.get("cursor_id")
        if cursor and cursor != NO_CURSOR:
            if cursor not in self.cursors:
                return 400, "Failed to parse request: Object not found", None
            return self._answer(body, self.cursors[cursor], self.account.people, str(cursor))
        try:
            matches = self._matches(knobs, body)
        except WrongFilter as error:
            return 400, str(error), None
        return self._answer(body, matches, self.account.people)

    def _answer(
        self,
        body: dict[str, Any],
        matches: list[str],
        people: dict[str, Person],
        cursor: str | None = None,
    ) -> Reply:
        asked, offset = int(body.get("limit") or PAGE), int(body.get("offset") or 0)
        limit = asked if asked <= LARGEST_PAGE else PAGE
        ids = matches[offset : offset + limit]
        if not ids:
            meta = dict.fromkeys(("total_contacts", "total_organizations", "total_matches", "total_subscribers"), 0)
            end = {"offset": 0, "next_offset": 0, "cursor_id": NO_CURSOR, "has_more": False}
            return Reply(200, {"contacts": None, "meta": meta, **end})
        if cursor is None:
            cursor = new_id()
            self.cursors[cursor] = matches
            while len(self.cursors) > MOST_CURSORS:
                del self.cursors[next(iter(self.cursors))]
        names = body.get("fields") or []
        contacts = [self._document(people[person], names) for person in ids if person in people]
        total = len(self.account.people)
        subscribed = sum(bool(person.fields.get(PERMISSION)) for person in self.account.people.values())
        meta = {
            "total_contacts": total,
            "total_organizations": 0,
            "total_matches": len(matches),
            "total_subscribers": 0 if body.get("filter") or body.get("q") else subscribed,
        }
        following = offset + len(ids)
        more = following < len(matches)
        place = {"offset": offset, "next_offset": following, "cursor_id": cursor, "has_more": more}
        return Reply(200, {"contacts": contacts, "meta": meta, **place})

    def _matches(self, knobs: Knobs, body: dict[str, Any]) -> list[str]:
        before = time.monotonic() - knobs.filter_lag_ms / 1000
        found = {person.id for person in self.account.people.values() if person.created <= before}
        if body.get("filter"):
            if _conditions(body["filter"]) > CONDITIONS:
                raise WrongFilter("Too many conditions in filter")
            found &= self._select(knobs, body["filter"], before)
        if body.get("q"):
            found &= {person for person in found if _has_words(self.account.people[person], str(body["q"]))}
        people = [self.account.people[person] for person in found]
        key: Callable[[Person], Any] = lambda person: person.number  # noqa: E731
        if body.get("sort_by_field_id"):
            name = str(body["sort_by_field_id"])
            key = lambda person: (str(person.fields.get(name, "")), person.number)  # noqa: E731
        people.sort(key=key, reverse=body.get("sort_order", "desc") != "asc")
        return [person.id for person in people]

    def _select(self, knobs: Knobs, condition: Any, before: float) -> set[str]:
        """Return whom a filter selects; addresses and tags are looked up, other fields searched."""
        if not isinstance(condition, dict) or len(condition) != 1:
            raise WrongFilter(f"Failed to decode filter {condition}")
        ((operator, value),) = condition.items()
        match operator:
            case "$and":
                return set.intersection(*(self._select(knobs, item, before) for item in value))
            case "$or":
                return set().union(*(self._select(knobs, item, before) for item in value))
            case "$u4s::is" if knobs.tag_filter != "unknown_operation":
                tag = self.account.tags.get(value.get("value"))
                return tag.seen(before) & self.account.people.keys() if tag and knobs.tag_filter != "empty" else set()
            case "$is_member_of":
                return set(self.account.people)
            case "$str::is" if value.get("field_id") == "str::email":
                return {person.id for person in self.account.find(str(value.get("value")))}
        test = _test(operator, condition)
        name = value.get("field_id")
        return {
            person.id for person in self.account.people.values() if test(person.fields.get(name), value.get("value"))
        }

    def _in_archive(self, words: str) -> list[str]:
        found = [person for person in self.account.archive.values() if _has_words(person, words)]
        return [person.id for person in sorted(found, key=lambda person: -person.number)]

    def _document(self, person: Person, names: Sequence[str]) -> dict[str, Any]:
        """Return a person with the fields that were asked for; empty ones are absent (recorded)."""
        fields = {}
        for name in names:
            match name:
                case "tags":
                    value: Any = [self.account.tags[tag].name for tag in sorted(person.tags)]
                case "u4s::t":
                    value = sorted(person.tags)
                case _:
                    value = person.fields.get(name)
            if value is not None and value != []:
                fields[name] = value
        return {"id": person.id, "fields": fields}

    def _lives(self, person: str) -> bool:
        return person in self.account.people


def _test(operator: str, condition: Any) -> Callable[[Any, Any], bool]:
    match operator:
        case "$str::is" | "$bol::is" | "$int::is":
            return lambda held, wanted: held == wanted
        case "$str::contains":
            return lambda held, wanted: isinstance(held, str) and str(wanted).lower() in held.lower()
        case "$has_any_value":
            return lambda held, _: held is not None
        case "$has_no_value":
            return lambda held, _: held is None
        case _:
            raise WrongFilter(
                f"Failed to decode filter $and body [{condition}]: Unknown operation {operator}: {condition} (Invalid value)"
            )


def _conditions(condition: Any) -> int:
    if not isinstance(condition, dict):
        return 1
    parts: Iterable[Any] = [item for name in ("$and", "$or") for item in condition.get(name, [])]
    return sum(map(_conditions, parts)) if {"$and", "$or"} & condition.keys() else 1


def _has_words(person: Person, words: str) -> bool:
    texts = [value.lower() for value in person.fields.values() if isinstance(value, str)]
    return all(any(word in text for text in texts) for word in words.lower().split())
