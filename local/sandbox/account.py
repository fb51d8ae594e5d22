"""What an Autopilot account holds: contacts and lists. No I/O.

What is fact and what is our assumption is said here and in docs/sandbox.md.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

PAGE: Final = 100

_CONTROL: Final = {"custom", "_autopilot_list", "_autopilot_session_id", "_NewEmail", "notify", "contact_id"}


@dataclass(slots=True)
class Contact:
    """One contact: fields as sent, custom fields by their typed name, the lists it is on."""

    id: str
    email: str | None
    created_at: str
    updated_at: str
    fields: dict[str, Any] = field(default_factory=dict)
    custom: dict[str, Any] = field(default_factory=dict)
    lists: set[str] = field(default_factory=set)

    def document(self) -> dict[str, Any]:
        """Return the contact as the API reads it back: custom fields as a list of kinds (recorded)."""
        body: dict[str, Any] = {
            **self.fields,
            "contact_id": self.id,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "api_originated": True,
        }
        if self.lists:
            body["lists"] = sorted(self.lists)
        if self.custom:
            body["custom_fields"] = [
                {"kind": _label(name), "value": value, "fieldType": name.partition("--")[0], "deleted": False}
                for name, value in self.custom.items()
            ]
        return body


class Account:
    """Contacts by id and by address, lists by id in the order they were made."""

    def __init__(self) -> None:
        self.contacts: dict[str, Contact] = {}
        self.by_email: dict[str, str] = {}
        self.titles: dict[str, str] = {}
        self.members: dict[str, set[str]] = {}
        self.custom_fields: dict[str, str] = {}

    def save(self) -> dict[str, Any]:
        """Return all that the account holds, as plain JSON values."""
        contacts = [{**asdict(contact), "lists": sorted(contact.lists)} for contact in self.contacts.values()]
        return {"contacts": contacts, "titles": self.titles, "custom_fields": self.custom_fields}

    @classmethod
    def load(cls, saved: Mapping[str, Any]) -> Account:
        """Return an account that holds what `save` returned."""
        account = cls()
        account.titles = dict(saved["titles"])
        account.custom_fields = dict(saved["custom_fields"])
        account.members = {list_id: set() for list_id in account.titles}
        for item in saved["contacts"]:
            contact = Contact(**{**item, "lists": set()})
            account.contacts[contact.id] = contact
            if contact.email:
                account.by_email[contact.email.lower()] = contact.id
            for list_id in item["lists"]:
                account.add(list_id, contact)
        return account

    def find(self, id_or_email: str) -> Contact | None:
        """Return a contact by id or address; addresses fold case (that they are stored so is recorded)."""
        contact_id = id_or_email if id_or_email in self.contacts else self.by_email.get(id_or_email.lower(), "")
        return self.contacts.get(contact_id)

    def upsert(self, body: Mapping[str, Any], *, honour_list: bool) -> Contact:
        """Create or update a contact by its address, or its id: null clears, what is left out stays (vendor, 2017).

        A field that was cleared reads back as null (third-party clients).
        """
        now = _now()
        email = body.get("Email")
        contact = self.find(str(email)) if email else self.contacts.get(str(body.get("contact_id")))
        if contact is None:
            contact = Contact(f"person_{str(uuid.uuid4()).upper()}", None, now, now)
            self.contacts[contact.id] = contact
        contact.updated_at = now
        contact.fields.update({name: value for name, value in body.items() if name not in _CONTROL})
        for name, value in (body.get("custom") or {}).items():
            self.custom_fields[_label(name)] = name.partition("--")[0]
            contact.custom[name] = value
        self._readdress(contact, body.get("_NewEmail") or email)
        list_id = body.get("_autopilot_list")
        if honour_list and list_id in self.members:
            self.add(str(list_id), contact)
        return contact

    def delete(self, contact: Contact) -> None:
        """Delete a contact, which takes it off its lists."""
        for list_id in contact.lists:
            self.members[list_id].discard(contact.id)
        del self.contacts[contact.id]
        if contact.email:
            self.by_email.pop(contact.email.lower(), None)

    def merge(self, gone: Contact, into: Contact) -> None:
        """Merge a contact into another, as a person does in the product: its id goes, its lists are kept (assumed)."""
        lists = set(gone.lists)
        self.delete(gone)
        for list_id in lists:
            self.add(list_id, into)

    def create_list(self, title: str) -> str:
        """Create a list; a second one of the same title is another list (third-party report)."""
        list_id = f"contactlist_{str(uuid.uuid4()).upper()}"
        self.titles[list_id] = title
        self.members[list_id] = set()
        return list_id

    def delete_list(self, list_id: str) -> None:
        """Delete a list, as a person does in the product."""
        for contact_id in self.members.pop(list_id):
            self.contacts[contact_id].lists.discard(list_id)
        del self.titles[list_id]

    def add(self, list_id: str, contact: Contact) -> bool:
        """Put a contact on a list; False if it was there."""
        members = self.members[list_id]
        if contact.id in members:
            return False
        members.add(contact.id)
        contact.lists.add(list_id)
        contact.updated_at = _now()  # recorded
        return True

    def remove(self, list_id: str, contact: Contact) -> bool:
        """Take a contact off a list; False if it was not there."""
        members = self.members[list_id]
        if contact.id not in members:
            return False
        members.discard(contact.id)
        contact.lists.discard(list_id)
        return True

    def page(self, ids: set[str] | dict[str, Contact], bookmark: str | None) -> tuple[list[Contact], str | None]:
        """Return a page of 100 in ascending order of ids (recorded), after the bookmark, and the next bookmark."""
        ordered = sorted(contact_id for contact_id in ids if bookmark is None or contact_id > bookmark)
        found = [self.contacts[contact_id] for contact_id in ordered[:PAGE]]
        return found, (found[-1].id if len(ordered) > PAGE else None)

    def emails_of(self, list_id: str) -> Iterator[str]:
        """Yield the addresses of a list's members."""
        for contact_id in self.members[list_id]:
            yield self.contacts[contact_id].email or contact_id

    def _readdress(self, contact: Contact, email: object) -> None:
        if not email:
            return
        if contact.email:
            self.by_email.pop(contact.email.lower(), None)
        contact.email = str(email).lower()  # recorded
        contact.fields["Email"] = contact.email
        self.by_email[contact.email.lower()] = contact.id


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _label(name: str) -> str:
    """Return the name of a typed custom field as people see it: `integer--Loyalty--Points` is "Loyalty Points"."""
    return name.partition("--")[2].replace("--", " ")
