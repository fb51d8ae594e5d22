"""An Autopilot account behind the destination port: contacts and lists in the API's own words, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

from shared.delivery.account import Caller, FieldCheck, Identity, OfferedField, Proof, has_gone
from shared.delivery.capabilities import ListMethod
from shared.delivery.contacts import Contact, Held, Move, NotHeld, Page, Result, Seen
from shared.delivery.errors import ContactGone
from shared.destinations.autopilot import answers, probe
from shared.destinations.autopilot.fields import STANDARD_FIELDS, field_type, is_custom
from shared.destinations.autopilot.list_methods import CONTACT


class Calls(Protocol):
    """The API's calls that the account makes: see `shared.destinations.autopilot.client`."""

    def identity(self) -> Identity: ...  # noqa: D102 - as in the client
    def custom_fields(self) -> dict[str, str]: ...  # noqa: D102
    def lists(self) -> dict[str, list[str]]: ...  # noqa: D102
    def create_list(self, title: str) -> str: ...  # noqa: D102
    def upsert(self, contacts: Sequence[Mapping[str, Any]]) -> dict[str, str]: ...  # noqa: D102
    def upsert_one(self, contact: Mapping[str, Any]) -> str: ...  # noqa: D102
    def find(self, contact: str) -> dict[str, Any] | None: ...  # noqa: D102
    def delete(self, contact: str) -> None: ...  # noqa: D102
    def add(self, list_id: str, contact: str) -> None: ...  # noqa: D102
    def remove(self, list_id: str, contact: str) -> None: ...  # noqa: D102
    def members(self, list_id: str, bookmark: str | None = None) -> answers.Page: ...  # noqa: D102


class AutopilotAccount:
    """One account; `calls` makes the calls."""

    permissions: Final = None
    """An update leaves `unsubscribed` as it is unless it names it."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def identity(self) -> Identity:
        """Return who the key's account is."""
        return self._calls.identity()

    def lists(self) -> dict[str, list[str]]:
        """Return the ids of all lists by exact title."""
        return self._calls.lists()

    def create_list(self, title: str) -> str:
        """Create a list and return its id; Autopilot may make a second one of the same title."""
        return self._calls.create_list(title)

    def list_is_gone(self, list_id: str, caller: Caller) -> bool:
        """Read from its own page whether a list is gone."""
        return has_gone(self, caller, list_id)

    def send(self, contacts: Sequence[Contact], method: ListMethod) -> Sequence[Result]:
        """Send contacts in a bulk call, or one with its list in a call for one contact; who is missing from an answer failed."""
        if method is CONTACT and contacts[0].add:
            (contact,) = contacts
            return [Held(self._calls.upsert_one(_body(contact)))]
        ids = self._calls.upsert([_body(contact) for contact in contacts])
        return [Held(ids[contact.address]) if contact.address in ids else NotHeld.MISSING for contact in contacts]

    def move(self, moves: Sequence[Move]) -> Sequence[Result]:
        """Put a contact on a list, or take it off one."""
        (move,) = moves
        if move.add:
            (list_id,) = move.add
            self._calls.add(list_id, move.contact_id)
        else:
            (list_id,) = move.remove
            self._calls.remove(list_id, move.contact_id)
        return [Held(move.contact_id)]

    def look(self, contact_ids: Sequence[str]) -> Sequence[Seen | None]:
        """Return a contact, from its own document: the one recorded answer that names both the contact and its lists."""
        (contact_id,) = contact_ids
        found = self._calls.find(contact_id)
        if found is None:
            return [None]
        lists = answers.lists_of(found, contact_id)
        return [replace(seen_of(found), lists=frozenset(lists))]

    def members(self, list_id: str, names: Sequence[str], bookmark: str | None = None) -> Page:  # noqa: ARG002
        """Return one page of a list's members, with all their fields."""
        page = self._calls.members(list_id, bookmark)
        return Page(tuple(map(seen_of, page.contacts)), page.bookmark, page.total)

    def prove(self, contacts: Sequence[Contact], caller: Caller) -> Proof:
        """Show which call puts contacts on a list."""
        return probe.prove(self, contacts, caller)

    def check_fields(self, names: Sequence[str], caller: Caller) -> FieldCheck:
        """Check custom fields against those of the account.

        Whether Autopilot makes a custom field that it does not know is not documented.
        """
        custom = [name for name in names if is_custom(name)]
        if not custom:
            return FieldCheck()
        existing = caller.one(self._calls.custom_fields)
        warnings: list[str] = []
        conflicts: dict[str, str] = {}
        for name in custom:
            label, kind = name.partition("--")[2].replace("--", " "), field_type(name)
            if label not in existing:
                warnings.append(
                    f"The account has no custom field {label!r} yet; Autopilot may have to be given it first."
                )
            elif existing[label] != kind:
                conflicts[name] = f"The account's field {label!r} is of type {existing[label]}, not {kind}."
        return FieldCheck(tuple(warnings), conflicts)

    def check_lists(self, titles: Sequence[str], caller: Caller) -> Sequence[str]:  # noqa: ARG002 - the port's
        """Return none: there are lists only."""
        return ()

    def offered_fields(self, caller: Caller) -> Sequence[OfferedField]:
        """Return the standard fields, and the account's own ones as an export names them."""
        own = caller.one(self._calls.custom_fields)
        standard = [OfferedField(name, name, field_type(name)) for name in STANDARD_FIELDS]
        return [
            *standard,
            *(OfferedField(f"{kind}--{label.replace(' ', '--')}", label, kind) for label, kind in sorted(own.items())),
        ]

    def erase(self, address: str, caller: Caller) -> bool:
        """Delete the contact with this address; return False if there was none."""
        try:
            caller.one(lambda: self._calls.delete(address))
        except ContactGone:
            return False
        return True

    def is_erased(self, address: str, caller: Caller) -> bool:
        """Read whether Autopilot itself says that there is nobody with this address."""
        return caller.one(lambda: self._calls.find(address)) is None


def _body(contact: Contact) -> Mapping[str, Any]:
    """Return a contact as a call sends it; the list that it goes on by the same call is one of its fields."""
    if not contact.add:
        return contact.fields
    (list_id,) = contact.add
    return {**contact.fields, "_autopilot_list": list_id}


def seen_of(document: Mapping[str, Any]) -> Seen:
    """Return a contact as it was read back; what a page says of its lists is not asked for."""
    contact_id, address = document.get("contact_id"), document.get("Email")
    return Seen(
        contact_id if isinstance(contact_id, str) else None,
        address if isinstance(address, str) else None,
        document=document,
    )
