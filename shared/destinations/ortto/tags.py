"""Tags as lists: a tag comes into being by its first use, and may be renamed by people.

A list's id is the name under which we first used its tag. That name stands for the tag for ever; the tag's own id is
noted as soon as it is known, so that a renamed tag is found and never doubled.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from shared.delivery.destination import Notes
from shared.delivery.errors import NoAnswer, Refused

LONGEST_NAME: Final = 255
"""Characters of a tag's name; Ortto publishes no limit (assumed: that of a text)."""

TAG_IDS: Final = "u4s::t"
"""The field that holds the ids of somebody's tags; `tags` holds their names (vendor)."""

_PREFIX: Final = "tag:"


@dataclass(frozen=True, slots=True)
class Tag:
    """One of the account's tags: its id (None while it was never used), its name now, and how many people have it."""

    id: int | None
    name: str
    people: int = 0


class Tags:
    """The tags of one account that we use, by list id, and what is noted of them."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._known: dict[str, Tag] | None = None
        self._listed: dict[str, Tag] = {}

    @property
    def are_known(self) -> bool:
        """Whether there is a tag whose id is noted, so that the account has tags."""
        return any(tag.id is not None for tag in self._all().values())

    def learn(self, tags: Sequence[Tag]) -> dict[str, list[str]]:
        """Take all tags of the account; return list ids by title: the names that tags have, and those that they had.

        A tag of ours that is left out has no title, and stays noted until `forget`: that it is gone is not said by that.
        One that was never used yet is a list that nobody is on.
        """
        by_id = {tag.id: tag for tag in tags}
        known = self._all()
        for list_id, tag in list(known.items()):
            if tag.id is None:
                found = next((other for other in tags if other.name == tag.name), None)
                if found:
                    self._note(list_id, found)
            elif tag.id in by_id and by_id[tag.id].name != tag.name:
                self._note(list_id, by_id[tag.id])
        ours = {tag.id: list_id for list_id, tag in known.items() if tag.id is not None}
        titles: dict[str, list[str]] = {}
        self._listed = {}
        for tag in tags:
            list_id = (ours.get(tag.id) if tag.id is not None else None) or (
                tag.name if tag.name not in known else f"{tag.name} ({tag.id})"
            )
            self._listed[list_id] = tag
            for title in {tag.name, list_id}:
                titles.setdefault(title, []).append(list_id)
        for list_id in known.keys() - self._listed.keys():
            if known[list_id].id is None:
                titles.setdefault(list_id, []).append(list_id)
        return titles

    def declare(self, title: str) -> str:
        """Return the id of a list that is made by its first use; raise Refused for a name that no tag can have."""
        if not can_be_named(title):
            raise Refused("a tag cannot have this name")
        if title not in self._all():
            self._note(title, Tag(None, title))
        return title

    def listed(self, list_id: str) -> Tag | None:
        """Return a list's tag as `learn` saw it last; one without an id if it was never used; None if there is none."""
        noted = self._all().get(list_id)
        return self._listed.get(list_id) or (noted if noted and noted.id is None else None)

    def id_of(self, list_id: str) -> int | None:
        """Return the id that is noted of a list's tag, None if none is."""
        noted = self._all().get(list_id)
        return noted.id if noted else None

    def names(self, list_ids: Iterable[str]) -> list[str]:
        """Return the names by which calls name lists, and note what is known of their tags."""
        return [self._used(list_id).name for list_id in list_ids]

    def lists_of(self, fields: Mapping[str, Any]) -> frozenset[str]:
        """Return the lists that a person is on, as its tags' names and ids say (vendor)."""
        known = {**self._listed, **self._all()}
        by_name = {tag.name: list_id for list_id, tag in known.items()}
        by_id = {tag.id: list_id for list_id, tag in known.items() if tag.id is not None}
        found = {by_name.get(name, name) for name in names_told(fields)}
        return frozenset(found | {by_id[n] for n in ids_told(fields) if n in by_id})

    def shows_new(self, people: Sequence[Mapping[str, Any]]) -> bool:
        """Whether people have a tag, by the fields that tell it, that is one of ours and not known by its id yet."""
        new = {tag.name for tag in self._all().values() if tag.id is None}
        known = {tag.id for tag in (self._all() | self._listed).values()}
        return bool(new) and any(
            not new.isdisjoint(names_told(fields)) or not known.issuperset(ids_told(fields)) for fields in people
        )

    def _used(self, list_id: str) -> Tag:
        tag = self._all().get(list_id)
        if tag is None or tag.id is None:
            listed = self._listed.get(list_id)
            if tag is None or listed:
                tag = listed or Tag(None, list_id)
                self._note(list_id, tag)
        return tag

    def read_again(self) -> None:
        """Read what is noted by now, by whomever."""
        self._known = self._noted()

    def _all(self) -> dict[str, Tag]:
        if self._known is None:
            self._known = self._noted()
        return self._known

    def _noted(self) -> dict[str, Tag]:
        noted = self._notes.read().items()
        return {name.removeprefix(_PREFIX): _decoded(text) for name, text in noted if name.startswith(_PREFIX)}

    def _note(self, list_id: str, tag: Tag) -> None:
        self._all()[list_id] = tag
        self._notes.write(_PREFIX + list_id, json.dumps([tag.id, tag.name]))

    def forget(self, list_id: str) -> None:
        """Forget a tag that is gone."""
        self._all().pop(list_id, None)
        self._notes.write(_PREFIX + list_id, None)


def names_told(fields: Mapping[str, Any]) -> Sequence[str]:
    """Return the names of a person's tags, as far as they are told; raise NoAnswer for what is no list of names."""
    return _told(fields.get("tags"), str)


def ids_told(fields: Mapping[str, Any]) -> Sequence[int]:
    """Return the ids of a person's tags, as far as they are told; raise NoAnswer for what is no list of numbers."""
    return _told(fields.get(TAG_IDS), int)


def _told[T](told: object, kind: type[T]) -> Sequence[T]:
    """Return what a field of tags holds: nothing is none (recorded), and what has another shape does not say that there is none."""
    if told is None:
        return ()
    if not isinstance(told, list) or any(type(item) is not kind for item in told):
        raise NoAnswer("a person's tags were told in no shape of the API's")
    return told


def can_be_named(title: str) -> bool:
    """Whether a tag can have this name."""
    return bool(title.strip()) and len(title) <= LONGEST_NAME and title.isprintable()


def _decoded(text: str) -> Tag:
    tag_id, name = json.loads(text)
    return Tag(tag_id, name)
