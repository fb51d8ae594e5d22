"""An Ortto account behind the destination port: a contact is a person, a list is a tag."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any, Final

from shared.delivery.account import Caller, FieldCheck, Identity, OfferedField, Proof
from shared.delivery.capabilities import ListMethod
from shared.delivery.contacts import Contact, Held, Move, Page, Result, Seen
from shared.delivery.destination import Notes
from shared.delivery.errors import NoAnswer, Refused, Unclear
from shared.destinations.ortto.answers import Call, results
from shared.destinations.ortto.client import Ortto
from shared.destinations.ortto.erasing import Erasing
from shared.destinations.ortto.fields import check, note_kinds, offered
from shared.destinations.ortto.limits import AUDIENCES, TAGS
from shared.destinations.ortto.members import Bookmark, has_people, next_page
from shared.destinations.ortto.merging import EMAIL, OVERWRITE, PERSON_ID, merge_body
from shared.destinations.ortto.permissions import OrttoPermissions
from shared.destinations.ortto.tags import TAG_IDS, Tag, Tags, can_be_named
from shared.http.content import printable


class OrttoAccount:
    """One account; `notes` is what it remembers from run to run, `learning` is held by whoever reads which tags are new."""

    def __init__(self, api: Ortto, notes: Notes, learning: Lock) -> None:
        self._api = api
        self._learning = learning
        self._notes = notes
        self._tags = Tags(notes)
        self._erasing = Erasing(api)
        self.permissions: Final = OrttoPermissions(api, notes)

    def identity(self) -> Identity:
        """Return who the key's account is: every audience bears its name, and every account has some (recorded)."""
        audiences = self._api.call(Call.AUDIENCES, {"limit": 1})
        if not audiences:
            raise NoAnswer(f"{Call.AUDIENCES} was answered that there are none")
        told = str(audiences[0]["instance_id"])
        return Identity(name=printable(told), id=told)

    def lists(self) -> dict[str, list[str]]:
        """Return the ids of all lists by exact title, a renamed tag by both of its names."""
        return self._learn_tags()

    def create_list(self, title: str) -> str:
        """Return the id of a list whose tag is made by its first use; no call makes one that nobody has."""
        titles = self._learn_tags()
        return min(titles[title]) if title in titles else self._tags.declare(title)

    def list_is_gone(self, list_id: str, caller: Caller) -> bool:
        """Read whether a tag is gone: it is left out once more, and nobody has it.

        An account that takes no filter of tags says nothing by refusing it.
        """
        if any(list_id in ids for ids in caller.one(self._learn_tags).values()):
            return False
        tag = self._tags.id_of(list_id)
        if tag is not None and caller.one(lambda: has_people(self._api, tag)):
            return False
        self._tags.forget(list_id)
        return True

    def send(self, contacts: Sequence[Contact], method: ListMethod) -> Sequence[Result]:  # noqa: ARG002 - there is but one
        """Merge people by their addresses, tags included; an answer is believed once they are read back."""
        people = [
            {
                "fields": dict(contact.fields),
                "tags": self._tags.names(contact.add),
                "unset_tags": self._tags.names(contact.remove),
            }
            for contact in contacts
        ]
        even_suppressed = any(contact.even_suppressed for contact in contacts)
        answer = self._merge(merge_body(people, [EMAIL], strategy=OVERWRITE, even_suppressed=even_suppressed))
        if answer.get("people") == []:
            raise NoAnswer(f"{Call.MERGE} was answered about nobody")
        found = results(answer, len(contacts))
        if found is None:
            raise Refused(f"{Call.MERGE} was refused, and does not say who is at fault")
        return found

    def move(self, moves: Sequence[Move]) -> Sequence[Result]:
        """Tag and untag people by their ids; nobody is made, and only a look tells what became of whom.

        What the answer says of somebody who is gone, nobody knows; nor of a call of such people only.
        """
        people = [
            {
                "fields": {PERSON_ID: move.contact_id},
                "tags": self._tags.names(move.add),
                "unset_tags": self._tags.names(move.remove),
            }
            for move in moves
        ]
        try:
            self._merge(merge_body(people, [PERSON_ID], strategy=OVERWRITE, skip_non_existing=True))
        except Refused:
            raise Unclear(f"{Call.MERGE} was refused, perhaps since somebody is gone") from None
        return [Held(move.contact_id) for move in moves]

    def look(self, contact_ids: Sequence[str]) -> Sequence[Seen | None]:
        """Return people by their ids; where they show a tag that is new to us, a second call reads which one it is.

        That call has no slot of its own in the account's pace, so one of all workers here makes it, for all.
        """
        fields = [EMAIL, "tags", TAG_IDS]
        answer = self._api.call(Call.BY_IDS, {"contact_ids": list(contact_ids), "fields": fields})
        found: Mapping[str, Any] = answer["contacts"] or {}
        if not found.keys() <= set(contact_ids):
            raise NoAnswer(f"{Call.BY_IDS} was answered for another call")
        shown = [item["fields"] for item in found.values()]
        if self._tags.shows_new(shown):
            with self._learning:
                self._tags.read_again()
                if self._tags.shows_new(shown):
                    self._learn_tags()
        return [self._seen(found[person]) if person in found else None for person in contact_ids]

    def members(self, list_id: str, names: Sequence[str], bookmark: str | None = None) -> Page:
        """Return one page of a tag's people. The first has none of them: it finds the tag, and tells how many there are.

        Raise Unclear if there is perhaps no such tag.
        """
        if bookmark is not None:
            return next_page(self._api, Bookmark.read(bookmark), names, self._seen)
        self._learn_tags()
        tag = self._tags.listed(list_id)
        if tag is None:
            raise Unclear("the account names no such tag")
        if tag.id is None:
            return Page((), None, 0)
        return Page((), str(Bookmark(tag.id, total=tag.people)), tag.people)

    def prove(self, contacts: Sequence[Contact], caller: Caller) -> Proof:  # noqa: ARG002 - the port's
        """Return the one method that there is."""
        return Proof(TAGS, {})

    def check_fields(self, names: Sequence[str], caller: Caller) -> FieldCheck:
        """Hold the fields of a mapping against the account's schema, and note their types."""
        schema = self._schema(caller)
        note_kinds(self._notes, names, schema)
        return check(names, schema)

    def check_lists(self, titles: Sequence[str], caller: Caller) -> Sequence[str]:
        """Return a warning for each title that no tag can have, or of an audience that is no tag yet: no API fills one."""
        tags = caller.one(self._learn_tags)
        wrong = [title for title in titles if not can_be_named(title)]
        return [
            *(f"{title!r} cannot be a tag's name in Ortto. Give the segment another list." for title in wrong),
            *self._of_audiences([title for title in titles if title not in tags and title not in wrong], caller),
        ]

    def _of_audiences(self, titles: Sequence[str], caller: Caller) -> list[str]:
        return [
            f"{title!r} is an audience in Ortto, which no API can fill. The segment becomes a tag of this name: in Ortto "
            f"have an audience say 'Tag is {title}'."
            for title in titles
            if title in self._audiences(title, caller)
        ]

    def _audiences(self, title: str, caller: Caller) -> set[str]:
        """Return the names of audiences that have the words of a title."""
        body = {"search_term": title, "limit": AUDIENCES}
        found = caller.one(lambda: self._api.call(Call.AUDIENCES, body))
        return {str(item.get("name")) for item in found or ()}

    def offered_fields(self, caller: Caller) -> Sequence[OfferedField]:
        """Return the account's fields that an export may write."""
        return offered(self._schema(caller))

    def erase(self, address: str, caller: Caller) -> bool:
        """Archive and delete everybody with this address; return False if there was nobody."""
        return self._erasing.erase(address, caller)

    def is_erased(self, address: str, caller: Caller) -> bool:
        """Read whether nobody has this address, in the archive neither."""
        return not self._erasing.people(address, caller) and not self._erasing.archived(address, caller)

    def _schema(self, caller: Caller) -> Mapping[str, Any]:
        schema: Mapping[str, Any] = caller.one(lambda: self._api.call(Call.SCHEMA, {"namespaces": ["", "cm"]}))
        return schema

    def _merge(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = self._api.call(Call.MERGE, body)
        return answer

    def _learn_tags(self) -> dict[str, list[str]]:
        """Read the tags of people; those of accounts have ids of their own (recorded)."""
        found = self._api.call(Call.TAGS, {}) or []
        if not found and self._tags.are_known:
            raise NoAnswer(f"{Call.TAGS} was answered that there are none")
        return self._tags.learn([Tag(item["id"], item["name"], _count(item)) for item in found if not item["type"]])

    def _seen(self, item: Mapping[str, Any]) -> Seen:
        fields: Mapping[str, Any] = item["fields"]
        email = fields.get(EMAIL)
        address = email.lower() if isinstance(email, str) else None
        return Seen(item["id"], address, self._tags.lists_of(fields), fields)


def _count(item: Mapping[str, Any]) -> int:
    count = item.get("count")
    return count if type(count) is int and count >= 0 else 0
