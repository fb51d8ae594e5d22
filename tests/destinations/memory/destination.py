"""A destination in memory: 100 contacts a call, any number of lists on and off, and errors on request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from threading import RLock
from typing import Any

from shared.cleaning.fields import Fields
from shared.delivery.account import Account, Caller, FieldCheck, Identity, OfferedField, Permissions, Proof
from shared.delivery.capabilities import ANY_LISTS, Capabilities, ListMethod, Names
from shared.delivery.contacts import Contact, Held, Move, NotHeld, Page, Result, Seen
from shared.delivery.destination import Key, Notes, Place
from shared.delivery.errors import DestinationError, KeyRefused, ListGone, Refused
from shared.http.transport import Session
from tests.destinations.memory.fields import MemoryFields

TAGS = ListMethod("tags", contacts=100, lists=ANY_LISTS, removals=True)


CAPABILITIES = Capabilities(
    contacts=100, moves=100, move_lists=ANY_LISTS, looks=100, page=50, answers=Names.NOBODY, refusals=Names.EACH
)


@dataclass
class Store:
    """What one account holds, and what goes wrong with its calls.

    `before` may raise before a call is carried out, `after` once it is. `refused` are addresses that it does not take,
    `dropped` those that it leaves out of its answers without taking them.
    """

    key: str = "good"
    address: str = "mail"
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    lists: dict[str, set[str]] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    dropped: set[str] = field(default_factory=set)
    before: Callable[[], DestinationError | None] = lambda: None
    after: Callable[[], DestinationError | None] = lambda: None
    shuffled: bool = False
    calls: int = 0
    numbers: Iterable[int] = field(default_factory=lambda: count(1))
    lock: RLock = field(default_factory=RLock)

    def id_of(self, address: str) -> str | None:
        """Return the id of whoever has an address."""
        return next((person for person, fields in self.people.items() if fields[self.address] == address), None)

    def delete(self, person: str) -> None:
        """Delete somebody."""
        self.people.pop(person, None)
        for members in self.lists.values():
            members.discard(person)


class Untouched:
    """Nobody's permission to be mailed is kept here, so nothing changes it."""

    def prepare(
        self, contacts: Sequence[Contact], new_people: object, caller: Caller, alone: Callable[[], object]
    ) -> None:
        """Find nothing to prove."""

    def introduce(self, contacts: Sequence[Contact]) -> Sequence[Result]:
        """Create nobody: who is not there is made when they are sent."""
        return [Held(contact.address) for contact in contacts]

    def introduced(self, held: Sequence[Held]) -> Sequence[Seen | None]:
        """Return everybody, of whom an address is all that is known."""
        return [Seen(one.contact_id, one.contact_id) for one in held]


class MemoryAccount:
    """One account, opened with a key."""

    def __init__(self, store: Store, key: Key, can: Capabilities, permissions: Permissions | None) -> None:
        self.permissions = permissions
        self._store = store
        self._key = key
        self._can = can

    def identity(self) -> Identity:
        """Return who it is."""
        return self._call(lambda: Identity("Memory", "memory-1"))

    def lists(self) -> dict[str, list[str]]:
        """Return the ids of all lists by title."""
        return self._call(lambda: {title: [list_id] for list_id, title in self._store.titles.items()})

    def list_is_gone(self, list_id: str, caller: Caller) -> bool:
        """Read whether a list is gone."""
        return caller.one(lambda: self._call(lambda: list_id not in self._store.lists))

    def create_list(self, title: str) -> str:
        """Create a list."""

        def create() -> str:
            list_id = f"list-{len(self._store.titles) + 1}"
            self._store.titles[list_id], self._store.lists[list_id] = title, set()
            return list_id

        return self._call(create)

    def send(self, contacts: Sequence[Contact], method: ListMethod) -> Sequence[Result]:
        """Make or update contacts, and put them on lists and off them."""
        loaded = any(contact.add or contact.remove for contact in contacts)
        assert len(contacts) <= (method.contacts if loaded else self._can.contacts)
        assert all(len(contact.add) <= method.lists for contact in contacts)

        def store() -> list[Result]:
            bad = [contact for contact in contacts if contact.address in self._store.refused]
            if bad and self._can.refusals is Names.NOBODY:
                raise Refused("a contact is refused")
            self._check_lists(list_id for contact in contacts for list_id in contact.add)
            results = [self._store_one(contact) for contact in contacts]
            return results[::-1] if self._store.shuffled else results

        return self._call(store)

    def move(self, moves: Sequence[Move]) -> Sequence[Result]:
        """Put contacts on lists, and off them."""
        assert len(moves) <= self._can.moves
        assert all(len(move.add) + len(move.remove) <= self._can.move_lists for move in moves)

        def change() -> list[Result]:
            self._check_lists(list_id for move in moves for list_id in move.add)
            return [self._move_one(move) for move in moves]

        return self._call(change)

    def look(self, contact_ids: Sequence[str]) -> Sequence[Seen | None]:
        """Read contacts by their ids."""
        assert len(contact_ids) <= self._can.looks
        return self._call(lambda: [self._seen(person) for person in contact_ids])

    def members(self, list_id: str, names: Sequence[str], bookmark: str | None = None) -> Page:
        """Read a page of a list's members."""

        def read() -> Page:
            self._check_lists([list_id])
            ids = sorted(self._store.lists[list_id], key=lambda person: int(person.partition("-")[2]))
            start = int(bookmark or 0)
            end = start + self._can.page
            found = tuple(seen for person in ids[start:end] if (seen := self._seen(person)))
            return Page(found, str(end) if end < len(ids) else None, len(ids))

        return self._call(read)

    def prove(self, contacts: Sequence[Contact], caller: Caller) -> Proof:
        """There is but one method."""
        return Proof(TAGS, {})

    def offered_fields(self, caller: Caller) -> Sequence[OfferedField]:
        """Return the two fields that there are."""
        return [OfferedField(name, name, "string") for name in ("mail", "name")]

    def check_lists(self, titles: Sequence[str], caller: Caller) -> Sequence[str]:
        """There are lists only."""
        return ()

    def check_fields(self, names: Sequence[str], caller: Caller) -> FieldCheck:
        """Any field will do."""
        return FieldCheck()

    def erase(self, address: str, caller: Caller) -> bool:
        """Delete whoever has this address: found by one call, deleted by another."""
        person = caller.one(lambda: self._call(lambda: self._store.id_of(address)))
        if person is None:
            return False
        caller.one(lambda: self._call(lambda: self._store.delete(person)))
        return True

    def is_erased(self, address: str, caller: Caller) -> bool:
        """Read whether nobody has this address."""
        return caller.one(lambda: self._call(lambda: self._store.id_of(address))) is None

    def _call[T](self, carry_out: Callable[[], T]) -> T:
        with self._store.lock:
            self._store.calls += 1
            if self._key.current() != self._store.key:
                raise KeyRefused("401")
            if error := self._store.before():
                raise error
            result = carry_out()
            if error := self._store.after():
                raise error
            return result

    def _check_lists(self, list_ids: Iterable[str]) -> None:
        if any(list_id not in self._store.lists for list_id in list_ids):
            raise ListGone("there is no such list")

    def _store_one(self, contact: Contact) -> Result:
        if contact.address in self._store.refused:
            return NotHeld.REFUSED
        if contact.address in self._store.dropped:
            return NotHeld.MISSING
        person = self._store.id_of(contact.address) or f"person-{next(iter(self._store.numbers))}"
        self._store.people.setdefault(person, {}).update(contact.fields)
        self._change(person, contact.add, contact.remove)
        return Held(person)

    def _move_one(self, move: Move) -> Result:
        if move.contact_id not in self._store.people:
            return NotHeld.GONE
        self._change(move.contact_id, move.add, move.remove)
        return Held(move.contact_id)

    def _change(self, person: str, add: Sequence[str], remove: Sequence[str]) -> None:
        for list_id in add:
            self._store.lists[list_id].add(person)
        for list_id in remove:
            self._store.lists.get(list_id, set()).discard(person)

    def _seen(self, person: str) -> Seen | None:
        fields = self._store.people.get(person)
        if fields is None:
            return None
        lists = frozenset(list_id for list_id, members in self._store.lists.items() if person in members)
        return Seen(person, fields[self._store.address], lists, fields)


@dataclass(frozen=True)
class MemoryDestination:
    """A kind of destination whose accounts are all one store."""

    store: Store
    capabilities: Capabilities = CAPABILITIES
    methods: Sequence[ListMethod] = (TAGS,)
    kind: str = "memory"
    title: str = "Memory"
    fields: Fields = field(default_factory=MemoryFields)
    rate: float = 1000.0
    calls_in_flight: int | None = None
    list_word = "list"
    asks_new_people: bool = False
    regions: Sequence[str] = ()

    def method_of(self, strategy: str) -> ListMethod | None:
        """Return the only method."""
        return self.methods[0]

    def fields_of(self, notes: Notes) -> Fields:
        """Return the fields of any account."""
        return self.fields

    def open(self, place: Place, key: Key, http: Session, notes: Notes) -> Account:
        """Open the account."""
        return MemoryAccount(self.store, key, self.capabilities, Untouched() if self.asks_new_people else None)


class MemoryNotes:
    """Notes that are forgotten with the test."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def read(self) -> Mapping[str, str]:
        """Return all notes."""
        return dict(self.texts)

    def write(self, name: str, text: str | None) -> None:
        """Keep a note."""
        self.texts.pop(name, None)
        if text is not None:
            self.texts[name] = text


def naming_each(destination: MemoryDestination) -> MemoryDestination:
    """Return a destination that names each contact in its answers, and nobody in a refusal."""
    capabilities = replace(destination.capabilities, answers=Names.EACH, refusals=Names.NOBODY)
    return replace(destination, capabilities=capabilities)


def composed(address: str, **values: str) -> Mapping[str, Any]:
    """Return a contact as planning would compose it."""
    return {"mail": address, **values}
