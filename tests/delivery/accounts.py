"""An Autopilot account in memory, for tests of delivery: what is known of its API, with faults on request."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.delivery.account import Identity
from shared.delivery.errors import ContactGone, DestinationError, ListGone, Refused
from shared.delivery.pace import Pace, Window
from shared.destinations.autopilot.answers import Page


@dataclass
class MemoryAccount:
    """Contacts by address, lists by id. `fault` may raise before a call is carried out."""

    bulk_lists: bool = False
    contact_lists: bool = False
    poisoned: frozenset[str] = frozenset()
    dropped: frozenset[str] = frozenset()
    contacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    on: dict[str, set[str]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    fault: Callable[[str], DestinationError | None] = lambda call: None

    def _call(self, name: str) -> None:
        self.calls.append(name)
        error = self.fault(name)
        if error is not None:
            raise error

    def upsert(self, contacts: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        self._call("upsert")
        if len(contacts) > 100 or any(contact["Email"] in self.poisoned for contact in contacts):
            raise Refused("POST /contacts answered 400")
        ids = {}
        for contact in contacts:
            email = contact["Email"]
            if email in self.dropped:
                continue
            ids[email] = self._store(contact, fills_lists=self.bulk_lists)
        return ids

    def upsert_one(self, contact: Mapping[str, Any]) -> str:
        self._call("upsert_one")
        if contact["Email"] in self.poisoned:
            raise Refused("POST /contact answered 400")
        return self._store(contact, fills_lists=self.contact_lists)

    def add(self, list_id: str, contact: str) -> None:
        self._call("add")
        self._of(list_id, contact).add(contact.removeprefix("person_"))

    def remove(self, list_id: str, contact: str) -> None:
        self._call("remove")
        self._of(list_id, contact).discard(contact.removeprefix("person_"))

    def find(self, contact: str) -> dict[str, Any] | None:
        self._call("find")
        email = contact.removeprefix("person_")
        if email not in self.contacts:
            return None
        lists = [list_id for list_id, members in self.on.items() if email in members]
        return {**self.contacts[email], "contact_id": contact, "lists": lists}

    def identity(self) -> Identity:
        raise AssertionError("delivery does not make this call")

    def custom_fields(self) -> dict[str, str]:
        raise AssertionError("delivery does not make this call")

    def create_list(self, title: str) -> str:  # noqa: ARG002 - nobody calls it
        raise AssertionError("delivery does not make this call")

    def delete(self, contact: str) -> None:  # noqa: ARG002 - nobody calls it
        raise AssertionError("delivery does not make this call")

    def members(self, list_id: str, bookmark: str | None = None) -> Page:  # noqa: ARG002 - there is one page
        self._call("members")
        if list_id not in self.on:
            raise ListGone("list")
        contacts = tuple(
            {**self.contacts[email], "contact_id": f"person_{email}"} for email in sorted(self.on[list_id])
        )
        return Page(contacts, None, len(contacts))

    def lists(self) -> dict[str, list[str]]:
        self._call("lists")
        return {list_id: [list_id] for list_id in self.on}

    def _store(self, contact: Mapping[str, Any], *, fills_lists: bool) -> str:
        email = contact["Email"]
        self.contacts.setdefault(email, {}).update(contact)
        if fills_lists and "_autopilot_list" in contact:
            self.on[contact["_autopilot_list"]].add(email)
        return f"person_{email}"

    def _of(self, list_id: str, contact: str) -> set[str]:
        if list_id not in self.on:
            raise ListGone("list")
        if contact.removeprefix("person_") not in self.contacts:
            raise ContactGone("contact")
        return self.on[list_id]


class ManualClock:
    """A clock that moves only when somebody waits."""

    def __init__(self, start: float = 1_000_000.0) -> None:
        self.time = start

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


class MemorySlots:
    """One account's pace, kept in memory."""

    def __init__(self, clock: ManualClock, rate: float = 1000) -> None:
        self.clock = clock
        self.rate = rate
        self.pace = Pace()
        self.windows: list[Window] = []

    def reserve(self, slots: int, latest: float) -> Window:
        self.pace, window = self.pace.reserve(slots, self.rate, self.clock.now(), latest)
        self.windows.append(window)
        return window

    def throttled(self, retry_after: float | None) -> None:
        self.pace = self.pace.throttled(self.clock.now(), retry_after)
