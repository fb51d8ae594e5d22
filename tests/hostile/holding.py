"""What a hostile destination holds in truth: contacts and lists, changed only by calls that are carried out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Protocol
from urllib.parse import unquote


class Held(Protocol):
    """What a destination holds, and how it answers."""

    def is_of_the_api(self, content: Any) -> bool:
        """Whether it is a content that the API answers with."""
        ...

    def carry_out(self, method: str, path: str, body: Any) -> tuple[Callable[[], None], int, Any]:
        """Return what a request would do, and the true answer to it."""
        ...


@dataclass
class Holding:
    """What the destination holds."""

    contacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    members: dict[str, set[str]] = field(default_factory=dict)
    fills_by_bulk: bool = False
    fills_by_contact: bool = False

    def id_of(self, email: str) -> str:
        """Return the id that a contact has, or will have."""
        return "person_" + sha256(email.encode()).hexdigest()[:16].upper()

    @staticmethod
    def is_of_the_api(content: Any) -> bool:
        """Whether it is an object that the API answers with."""
        if not isinstance(content, dict):
            return False
        telling = {"contact_id", "email_contact_map", "list_id", "lists", "total_contacts", "fullName", "instanceId"}
        return not content or bool(telling & set(content)) or set(content) == {"not_modified"} or "message" in content

    def carry_out(self, method: str, path: str, body: Any) -> tuple[Callable[[], None], int, Any]:
        """Return what a request would do, and the true answer to it."""
        match [method, *(unquote(part) for part in path.split("/")[2:])]:
            case ["GET", "account"]:
                return _nothing, 200, {"instanceId": "A-1", "fullName": "Ann Lee"}
            case ["GET", "lists"]:
                items = [{"list_id": list_id, "title": title} for list_id, title in self.titles.items()]
                return _nothing, 200, {"lists": items}
            case ["POST", "list"]:
                list_id = f"contactlist_{len(self.titles) + 1}"
                return lambda: self._create(list_id, body["name"]), 200, {"list_id": list_id, "name": body["name"]}
            case ["GET", "list", list_id, "contacts"]:
                page = [self.contacts[contact] for contact in sorted(self.members[list_id])]
                return _nothing, 200, {"contacts": page, "total_contacts": len(page)}
            case _:
                return self._of_contacts(method, path, body)

    def _of_contacts(self, method: str, path: str, body: Any) -> tuple[Callable[[], None], int, Any]:
        match [method, *(unquote(part) for part in path.split("/")[2:])]:
            case ["POST", "contacts"]:
                ids = {item["Email"]: self.id_of(item["Email"]) for item in body["contacts"]}
                store = [self._store(item, self.fills_by_bulk) for item in body["contacts"]]
                answer = {"contact_ids": [*ids.values()], "email_contact_map": ids}
                return lambda: _all(store), 200, answer
            case ["POST", "contact"]:
                item = body["contact"]
                return self._store(item, self.fills_by_contact), 200, {"contact_id": self.id_of(item["Email"])}
            case ["GET", "contact", contact]:
                return _nothing, *self._document(self.id_of(contact) if "@" in contact else contact)
            case ["DELETE", "contact", contact]:
                contact = self.id_of(contact) if "@" in contact else contact
                return lambda: self._delete(contact), *self._known(contact)
            case [("POST" | "DELETE") as how, "list", list_id, "contact", contact]:
                members = self.members.get(list_id)
                if members is None:
                    return _nothing, 404, _problem("List does not exist.")
                status, answer = self._known(contact)
                change = members.add if how == "POST" else members.discard
                return (lambda: change(contact)) if status == 200 else _nothing, status, answer
            case _:
                return _nothing, 404, _problem("Not found.")

    def _create(self, list_id: str, title: str) -> None:
        self.titles[list_id] = title
        self.members[list_id] = set()

    def _store(self, item: dict[str, Any], fills: bool) -> Callable[[], None]:
        contact = self.id_of(item["Email"])

        def store() -> None:
            fields = {name: value for name, value in item.items() if name != "_autopilot_list"}
            self.contacts[contact] = {**self.contacts.get(contact, {}), **fields, "contact_id": contact}
            if fills and item.get("_autopilot_list") in self.members:
                self.members[item["_autopilot_list"]].add(contact)

        return store

    def _document(self, contact: str) -> tuple[int, Any]:
        if contact not in self.contacts:
            return 404, _problem("Contact could not be found.")
        lists = [list_id for list_id, members in self.members.items() if contact in members]
        return 200, {**self.contacts[contact], **({"lists": lists} if lists else {})}

    def _known(self, contact: str) -> tuple[int, Any]:
        return (200, {}) if contact in self.contacts else (404, _problem("Contact could not be found."))

    def _delete(self, contact: str) -> None:
        self.contacts.pop(contact, None)
        for members in self.members.values():
            members.discard(contact)


def _all(steps: list[Callable[[], None]]) -> None:
    for step in steps:
        step()


def _nothing() -> None:
    return


def _problem(message: str) -> dict[str, str]:
    return {"error": "Not Found", "message": message}
