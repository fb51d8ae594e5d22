"""The permission to be mailed (`bol::p`): proved not to change when people are only updated, before an account's first update.

The vendor's texts contradict each other: one says that a merge keeps what it does not name, another that `bol::p` is
assumed to be true. So the first person who is unsubscribed is updated alone, and read back. What was seen is noted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from itertools import batched
from typing import Any, Final

from shared.delivery.account import Caller
from shared.delivery.contacts import Contact, Held, NotHeld, Result, Seen
from shared.delivery.destination import Notes
from shared.delivery.errors import NoAnswer, PermissionsWouldChange, Refused
from shared.destinations.ortto.answers import Call, results
from shared.destinations.ortto.client import Ortto
from shared.destinations.ortto.limits import PAGE, PEOPLE
from shared.destinations.ortto.merging import EMAIL, KEEP, OVERWRITE, PERSON_ID, merge_body
from shared.destinations.ortto.pages import read_all, read_page
from shared.exports.configuration import NewPeople

PERMISSION: Final = "bol::p"
CONDITIONS: Final = 50
"""Conditions of one filter (vendor)."""

NOTE: Final = "proof:permission"
KEPT: Final = "kept"
CHANGES: Final = "changes"

CREATED: Final = "created"
"""What a merge's answer says of somebody whom it made (recorded)."""

_TRYING: Final = "trying "
_UNDOING: Final = "undoing "
"""Before the id of the person on whom it is tried, or whose permission is to be taken back: so whoever takes over from a
worker that died finishes it."""


class OrttoPermissions:
    """Proves on one account that updates keep permissions."""

    def __init__(self, api: Ortto, notes: Notes) -> None:
        self._api = api
        self._notes = notes

    def prepare(
        self,
        contacts: Sequence[Contact],
        new_people: NewPeople | None,
        caller: Caller,
        alone: Callable[[], AbstractContextManager[object]],
    ) -> None:
        """Make sure that sending the contacts subscribes nobody again; raise PermissionsWouldChange.

        As long as no unsubscribed person was seen, each call of this looks for one among the contacts: what an earlier one
        saw tells nothing of who unsubscribed since.
        """
        if self._is_kept():
            return
        if self._noted().startswith((_TRYING, _UNDOING)):
            with alone():
                self._resume(caller)
        concerned = [contact for contact in contacts if PERMISSION not in contact.fields]
        for part in _parts(concerned, new_people):
            if new_people == "not_subscribed":
                self._introduce_all(part, caller)
            for contact, person in self._unsubscribed(part, caller):
                with alone():
                    self._resume(caller)
                    if self._is_kept() or self._is_tried(contact, person, caller):
                        return

    def introduce(self, contacts: Sequence[Contact]) -> Sequence[Result]:
        """Create those who are not there, unsubscribed: any other call subscribes whom it creates. Strategy 3 leaves alone who is there (vendor).

        What it answers is believed once they are read back by `introduced`. Raise NoAnswer if somebody is left out, Refused if
        somebody was not tried: their update would create them, subscribed.
        """
        people = [{"fields": {EMAIL: contact.address, PERMISSION: False}} for contact in contacts]
        answer = self._api.call(Call.MERGE, merge_body(people, [EMAIL], strategy=KEEP, even_suppressed=_even(contacts)))
        found = results(answer, len(contacts))
        if found is None or NotHeld.NOT_DONE in found:
            raise Refused(f"{Call.MERGE} was refused")
        if NotHeld.MISSING in found:
            raise NoAnswer(f"{Call.MERGE} leaves somebody out")
        entries = answer.get("people") or ()
        made = [place for place, entry in enumerate(entries) if entry["status"] == CREATED]
        return [
            replace(result, is_new=place in made) if isinstance(result, Held) else result
            for place, result in enumerate(found)
        ]

    def introduced(self, held: Sequence[Held]) -> Sequence[Seen | None]:
        """Read back whom `introduce` says to be there, in order; None for who is not, and for who was made and is not unsubscribed.

        One who was made subscribed is noted as the account's way: nobody else is sent to it.
        """
        found = self._by_ids([one.contact_id for one in held])
        if _made_subscribed(held, found):
            self._notes.write(NOTE, CHANGES)
        return [_seen(one, found) for one in held]

    def _noted(self) -> str:
        return self._notes.read().get(NOTE) or ""

    def _is_kept(self) -> bool:
        noted = self._noted()
        if noted == CHANGES:
            raise PermissionsWouldChange("the account subscribes people again")
        return noted == KEPT

    def _resume(self, caller: Caller) -> None:
        """Finish a trial that nobody knows the end of: that somebody is unsubscribed still does not tell that it was made."""
        noted = self._noted()
        if noted.startswith(_UNDOING):
            self._undo([noted.removeprefix(_UNDOING)], caller)
        if noted.startswith(_TRYING):
            person = noted.removeprefix(_TRYING)
            if self._permission(person, caller):
                self._undo([person], caller)
            self._notes.write(NOTE, None)

    def _introduce_all(self, contacts: Sequence[Contact], caller: Caller) -> None:
        """Create people for the proof, and read them back; whoever was made subscribed is unsubscribed, and that ends it."""
        try:
            answer = caller.one(lambda: self.introduce(contacts))
        except Refused:
            return  # who is at fault is found when they are sent
        held = [result for result in answer if isinstance(result, Held)]
        found = caller.one(lambda: self._by_ids([one.contact_id for one in held])) if held else {}
        if wrong := _made_subscribed(held, found):
            self._undo(wrong, caller)

    def _unsubscribed(self, contacts: Sequence[Contact], caller: Caller) -> Iterator[tuple[Contact, str]]:
        """Yield those who are there and unsubscribed, each with their id."""
        by_address = {contact.address: contact for contact in contacts}
        asked = _asking({"$and": [{"$bol::is": {"field_id": PERMISSION, "value": False}}]})
        first = caller.one(lambda: read_page(self._api, asked))
        people = self._looked_up(list(by_address), caller) if first["has_more"] else first["contacts"] or ()
        for item in people:
            address = str(item["fields"].get(EMAIL) or "").lower()
            if address in by_address and not _is_allowed(item, Call.PAGE):
                yield by_address[address], item["id"]

    def _looked_up(self, addresses: Sequence[str], caller: Caller) -> Iterator[Mapping[str, Any]]:
        for some in batched(addresses, CONDITIONS, strict=False):
            conditions = [{"$str::is": {"field_id": EMAIL, "value": address}} for address in some]
            yield from read_all(self._api, _asking({"$or": conditions}), caller)

    def _is_tried(self, contact: Contact, person: str, caller: Caller) -> bool:
        """Update one unsubscribed person, without any tag; return whether that told what updates do."""
        self._notes.write(NOTE, _TRYING + person)
        body = merge_body([{"fields": dict(contact.fields)}], [EMAIL], strategy=OVERWRITE, skip_non_existing=True)
        try:
            answer = caller.one(lambda: self._api.call(Call.MERGE, body))
        except Refused:
            answer = {"people": []}
        found = results(answer, 1)
        if found is None or found[0] != Held(person):  # of two with one address perhaps the other one
            self._notes.write(NOTE, None)
            return False
        match self._permission(person, caller):
            case True:
                self._undo([person], caller)
            case False:
                self._notes.write(NOTE, KEPT)
            case None:  # gone meanwhile, so it told nothing
                self._notes.write(NOTE, None)
        return self._is_kept()

    def _permission(self, person: str, caller: Caller) -> bool | None:
        """Read somebody's permission; None if they are gone."""
        found = caller.one(lambda: self._by_ids([person])).get(person)
        return None if found is None else _is_allowed(found, Call.BY_IDS)

    def _by_ids(self, people: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """Read people's addresses and permissions, by their ids."""
        body = {"contact_ids": list(people), "fields": [EMAIL, PERMISSION]}
        found: Mapping[str, Mapping[str, Any]] = self._api.call(Call.BY_IDS, body)["contacts"] or {}
        if not found.keys() <= set(people):
            raise NoAnswer(f"{Call.BY_IDS} was answered for another call")
        return found

    def _undo(self, persons: Sequence[str], caller: Caller) -> None:
        """Take permissions back that a call gave people, and raise PermissionsWouldChange once they are read to be gone."""
        for person in persons:
            self._notes.write(NOTE, _UNDOING + person)
            people = [{"fields": {PERSON_ID: person, PERMISSION: False}}]
            body = merge_body(people, [PERSON_ID], strategy=OVERWRITE, skip_non_existing=True)
            caller.one(partial(self._api.call, Call.MERGE, body))
            if self._permission(person, caller):
                raise NoAnswer(f"{Call.MERGE} did not take a permission back")
        self._notes.write(NOTE, CHANGES)
        raise PermissionsWouldChange("the account subscribes people again")


def _asking(condition: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"limit": PAGE, "fields": [EMAIL, PERMISSION], "filter": condition}


def _is_allowed(item: Mapping[str, Any], call: Call) -> bool:
    """Return somebody's permission; raise NoAnswer where it is not told: an account may leave out what is false."""
    allowed = item["fields"].get(PERMISSION)
    if not isinstance(allowed, bool):
        raise NoAnswer(f"{call} does not tell a permission")
    return allowed


def _made_subscribed(held: Sequence[Held], found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the ids of those who were made by a call and are read back to be subscribed."""
    made = [one.contact_id for one in held if one.is_new and one.contact_id in found]
    return [person for person in made if found[person]["fields"].get(PERMISSION) is True]


def _seen(one: Held, found: Mapping[str, Mapping[str, Any]]) -> Seen | None:
    item = found.get(one.contact_id)
    if item is None or (one.is_new and item["fields"].get(PERMISSION) is not False):
        return None
    email = item["fields"].get(EMAIL)
    return Seen(item["id"], email.lower() if isinstance(email, str) else None)


def _even(contacts: Sequence[Contact]) -> bool:
    return any(contact.even_suppressed for contact in contacts)


def _parts(contacts: Sequence[Contact], new_people: NewPeople | None) -> Iterator[Sequence[Contact]]:
    """Yield the contacts in the parts that are looked at; new people are created for the proof, so at first only one."""
    if new_people != "not_subscribed":
        yield contacts
        return
    yield contacts[:1]
    yield from batched(contacts[1:], PEOPLE, strict=False)
