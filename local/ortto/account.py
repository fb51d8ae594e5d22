"""What an Ortto account holds: people, tags, fields and the suppression list. No I/O.

What is fact and what is our assumption stands in docs/sandbox.md.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from local.ortto.fields import BUILT_IN, Field

EMAIL: Final = "str::email"
PERMISSION: Final = "bol::p"
OWN_TAG: Final = "My team"
"""The tag that Ortto makes itself (recorded)."""


@dataclass(slots=True)
class Tag:
    """A tag: the people who have it since when, and those who had it until when (monotonic seconds)."""

    id: int
    name: str
    created_at: str
    last_used: str
    people: dict[str, float] = field(default_factory=dict)
    left: dict[str, float] = field(default_factory=dict)

    def seen(self, before: float) -> set[str]:
        """Return who had the tag at `before`: what a filter shows that lags behind."""
        return {person for person, since in self.people.items() if since <= before} | {
            person for person, until in self.left.items() if until > before
        }


@dataclass(slots=True)
class Person:
    """A person: fields by id, tags by id, and each change of the permission to be mailed, with what made it."""

    id: str
    number: int
    fields: dict[str, Any]
    created: float
    tags: set[int] = field(default_factory=set)
    permissions: list[tuple[str, bool, str]] = field(default_factory=list)

    @property
    def email(self) -> str | None:
        """The address, if there is one."""
        found = self.fields.get(EMAIL)
        return found if isinstance(found, str) and found else None

    def permit(self, allowed: bool, why: str) -> None:
        """Grant or take back the permission to be mailed, and note it where it changes."""
        if not self.permissions or self.permissions[-1][1] is not allowed:
            self.permissions.append((now(), allowed, why))
        self.fields[PERMISSION] = allowed


class Account:
    """People that live, people in the archive, tags in the order they were made, fields, suppressed addresses."""

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}
        self.archive: dict[str, Person] = {}
        self.by_email: dict[str, list[str]] = {}
        self.tags: dict[int, Tag] = {}
        self.fields: dict[str, Field] = {item.id: item for item in BUILT_IN}
        self.custom: dict[str, dict[str, Any]] = {}
        self.suppressed: set[str] = set()
        self._numbers = 0
        self._last_tag = 0
        self.tag_named(OWN_TAG)

    def find(self, email: str, *, folds: bool = True) -> list[Person]:
        """Return everybody who has an address, who came first first."""
        found = [self.people[person] for person in self.by_email.get(email.strip().lower(), ())]
        return [person for person in found if folds or person.email == email]

    def create(self, fields: dict[str, Any], why: str) -> Person:
        """Create a person, subscribed unless the fields say otherwise (vendor)."""
        self._numbers += 1
        person = Person(new_id(), self._numbers, {}, time.monotonic())
        person.permit(bool(fields.get(PERMISSION, True)), why)
        person.fields |= {"bol::sp": False, **fields, PERMISSION: person.fields[PERMISSION]}
        self.people[person.id] = person
        self._index(person)
        return person

    def change(self, person: Person, fields: dict[str, Any], why: str) -> None:
        """Set fields; None empties one."""
        self._unindex(person)
        if isinstance(fields.get(PERMISSION), bool):
            person.permit(fields[PERMISSION], why)
        person.fields |= {name: value for name, value in fields.items() if value is not None}
        for name in [name for name, value in fields.items() if value is None]:
            person.fields.pop(name, None)
        self._index(person)

    def tag_named(self, name: str, case: str = "sensitive") -> Tag:
        """Return the tag of a name, made if there is none (vendor)."""
        found = self.known_tag(name, case)
        if found is None:
            self._last_tag += 1
            name = name.strip() if case == "trims" else name
            found = self.tags[self._last_tag] = Tag(self._last_tag, name, now(), now())
        return found

    def known_tag(self, name: str, case: str = "sensitive") -> Tag | None:
        """Return the tag of a name if there is one."""
        wanted = _folded(name, case)
        return next((tag for tag in self.tags.values() if _folded(tag.name, case) == wanted), None)

    def tag(self, person: Person, tag: Tag) -> None:
        """Add a tag to a person."""
        tag.last_used = now()
        if person.id not in tag.people:
            tag.people[person.id] = time.monotonic()
            person.tags.add(tag.id)

    def untag(self, person: Person, tag: Tag) -> None:
        """Take a tag from a person."""
        if tag.people.pop(person.id, None) is not None:
            tag.left[person.id] = time.monotonic()
            person.tags.discard(tag.id)

    def delete_tag(self, tag: Tag) -> None:
        """Delete a tag, as people do in the product (assumed)."""
        for person in tag.people:
            self.people[person].tags.discard(tag.id)
        del self.tags[tag.id]

    def archive_person(self, person: Person) -> None:
        """Put a person in the archive: out of every search and tag's count."""
        self._unindex(person)
        for tag_id in person.tags:
            self.tags[tag_id].people.pop(person.id, None)
        self.archive[person.id] = self.people.pop(person.id)

    def restore(self, person: Person) -> None:
        """Bring a person back from the archive."""
        self.people[person.id] = self.archive.pop(person.id)
        self._index(person)
        for tag in [self.tags[tag_id] for tag_id in person.tags if tag_id in self.tags]:
            tag.people[person.id] = time.monotonic()

    def emails(self, people: Iterable[str]) -> Iterator[str]:
        """Return the addresses of people, their ids where they have none."""
        for person in people:
            yield self.people[person].email or person

    def _index(self, person: Person) -> None:
        if person.email:
            self.by_email.setdefault(person.email.strip().lower(), []).append(person.id)

    def _unindex(self, person: Person) -> None:
        if person.email:
            self.by_email[person.email.strip().lower()].remove(person.id)


def now() -> str:
    """Return the time as the API writes it (recorded)."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def new_id() -> str:
    """Return an id: the kind, the time, twelve digits and `00` (recorded)."""
    return f"00{int(time.time()):08x}{secrets.token_hex(6)}00"


def is_id(value: object) -> bool:
    """Whether it has an id's form."""
    return isinstance(value, str) and len(value) == 24 and all(sign in "0123456789abcdef" for sign in value)


def _folded(name: str, case: str) -> str:
    match case:
        case "insensitive":
            return name.lower()
        case "trims":
            return name.strip()
        case _:
            return name
