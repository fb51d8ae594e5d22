"""The destination port: what the product needs of any marketing platform, in its own words.

A destination declares what it can do as numbers (`Capabilities`, `ListMethod`), so that chunking, delivery and the
estimate of calls know no platform by name, and opens accounts, whose methods are the calls that they make. How to write
one, and the test suite that it must pass: docs/destinations.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Final, Protocol

from shared.cleaning.fields import Fields
from shared.exports.configuration import NewPeople
from shared.http.transport import Session

ANY_LISTS: Final = 1 << 16
"""As many lists as there are: more than an export has."""


@dataclass(frozen=True, slots=True)
class ListMethod:
    """A way to put contacts on lists: what a call that sends contacts carries beside their values.

    `name` is what the accounts table calls it. `contacts` is how many contacts a call takes that carries lists (0: there is
    no such call), `lists` on how many lists it puts each of them (0: none; ANY_LISTS: on all), and `removals`
    whether it also takes them off lists. What such a call does not carry is moved by calls of its own.
    """

    name: str
    contacts: int
    lists: int
    removals: bool = False


class Names(Enum):
    """Whom an answer speaks of."""

    EACH = auto()
    """Every contact that was sent, by its address or in an order that is known to be kept."""

    NOBODY = auto()
    """None of them: what was accepted is believed only once the contacts are read back by their ids."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a destination's calls take and tell; all sizes are of one call."""

    contacts: int
    """Contacts that a call sends without lists."""

    moves: int
    """Contacts that a call puts on lists, or takes off them, without sending their values."""

    move_lists: int
    """Lists on and off which such a call moves each contact: 1 (then either on or off it), or ANY_LISTS."""

    looks: int
    """Contacts whose lists one call reads (`Account.look`)."""

    page: int
    """Members on a full page of a list (`Account.members`)."""

    answers: Names = Names.EACH
    """Whom the answer to an accepted call names."""

    refusals: Names = Names.NOBODY
    """Whom a refusal names. Where nobody, the guilty are found by sending halves; where each, one call tells."""

    largest: int | None = None
    """Bytes that the contacts of one call may have as JSON; None if only their number counts."""


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact of a call that sends contacts.

    `fields` is the contact as planning composed it, `address` its e-mail address in lower case, `contact_id` the
    destination's id if it is known. `add` and `remove` are the ids of lists that the call puts it on and takes it off.
    """

    address: str
    fields: Mapping[str, Any]
    contact_id: str | None = None
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Move:
    """An existing contact that a call puts on the lists `add` and takes off the lists `remove`, by their ids."""

    contact_id: str
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """The destination confirmed all that the call carried for a contact, which has this id."""

    contact_id: str


class NotHeld(Enum):
    """What else an answer says of one contact."""

    REFUSED = auto()
    """The contact itself is at fault."""

    MISSING = auto()
    """The answer leaves it out, or does not say that it was taken."""

    SUPPRESSED = auto()
    """It is not created, since its address is on the account's suppression list."""

    GONE = auto()
    """There is no such contact. Only a move is answered so: sending a contact makes it."""

    NOT_DONE = auto()
    """Nothing was done, through the fault of another contact in the call, or of nobody: it is sent again."""


type Result = Held | NotHeld


@dataclass(frozen=True, slots=True)
class Seen:
    """A contact as it was read back.

    `address` is None where it has none that is a text. `lists` are ids; a page of one list need not tell them.
    `document` is the contact as the destination writes it, from which its fields' values are read.
    """

    contact_id: str | None
    address: str | None
    lists: frozenset[str] = frozenset()
    document: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list's members, where the next one begins (None: this is the last), and how many there are in all."""

    contacts: tuple[Seen, ...]
    bookmark: str | None
    total: int


@dataclass(frozen=True, slots=True)
class Identity:
    """Who an account is, as it tells itself: what it is called, and its id (None if it tells none)."""

    name: str
    id: str | None


@dataclass(frozen=True, slots=True)
class Proof:
    """What a proof showed, and whom it sent with a list: contact ids by address."""

    method: ListMethod | None
    listed: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FieldCheck:
    """How the fields of a mapping fit the account's own: sentences that warn, and one for each field that does not fit."""

    warnings: tuple[str, ...] = ()
    conflicts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OfferedField:
    """A field that an export may map: its name in a mapping, what people call it, and its type in the account's words."""

    name: str
    title: str
    type: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where an account's API is: the region that the connection names, and the `url` that the operator put in its place."""

    region: str | None = None
    url: str | None = None


class Caller(Protocol):
    """Makes an account's calls one at a time, each in its slot of the account's pace."""

    def one[T](self, call: Callable[[], T]) -> T:
        """Make one call, repeated where it had no answer; raise the DestinationError that it ended with."""
        ...


class Key(Protocol):
    """Where a connection's API key comes from."""

    def current(self) -> str:
        """Return the key as last read."""
        ...

    def renewed(self, refused: str) -> str | None:
        """Return the key if it is another one by now than the one that was refused."""
        ...


class Notes(Protocol):
    """What a destination remembers of an account, for all workers and from run to run: texts by name, nobody's data.

    What begins with `proof:` is forgotten once the account is opened with another key.
    """

    def read(self) -> Mapping[str, str]:
        """Return all notes by name."""
        ...

    def write(self, name: str, text: str | None) -> None:
        """Keep a note in place of the one of this name; None drops it."""
        ...


class ListNames(Protocol):
    """The call that names an account's lists."""

    def lists(self) -> dict[str, list[str]]:
        """Return the ids of all lists by exact title; titles may be double."""
        ...


class Account(ListNames, Protocol):
    """One account of a destination.

    A method without a `caller` is exactly one call, without pacing or repeats: the caller gives it its slot. A method
    with one makes as many as it needs, each through the caller. All raise a DestinationError where there is no result;
    a call that may have been done, but was not confirmed, is never a result.
    """

    def identity(self) -> Identity:
        """Return who the key's account is. Also asked to learn whether the account answers at all."""
        ...

    def create_list(self, title: str) -> str:
        """Create a list and return its id; the caller looks before, and afterwards where the answer was lost."""
        ...

    def prepare(
        self,
        contacts: Sequence[Contact],
        new_people: NewPeople | None,
        caller: Caller,
        alone: Callable[[], AbstractContextManager[object]],
    ) -> None:
        """Make sure that sending the contacts changes nobody's permission to be mailed; raise PermissionsWouldChange.

        Called before they are sent. What must not be tried by two workers at once is tried within `alone`.
        """
        ...

    def introduce(self, contacts: Sequence[Contact]) -> None:
        """Create those who are not there yet, so that they may not be mailed; whoever is there stays as they are.

        Never called where `asks_new_people` is false.
        """
        ...

    def send(self, contacts: Sequence[Contact], method: ListMethod) -> Sequence[Result]:
        """Make the contacts, or update those that are there by their address; return a result for each, in order.

        There are as many as `method` and the capabilities allow. Values that a contact does not name stay as they are.
        Raise Refused if the answer does not say who is at fault, ListGone if a list is.
        """
        ...

    def move(self, moves: Sequence[Move]) -> Sequence[Result]:
        """Put contacts on lists and take them off; return a result for each, in order. Nobody is made.

        To be put on a list where one is, or off one where one is not, is done. Raise ContactGone, ListGone or Refused
        of a call of one move, Unclear where `look` has to tell.
        """
        ...

    def look(self, contact_ids: Sequence[str]) -> Sequence[Seen | None]:
        """Return the contacts with these ids, their `lists` included, in order; None for one that there is not."""
        ...

    def members(self, list_id: str, names: Sequence[str], bookmark: str | None = None) -> Page:
        """Return one page of a list's members with the fields of these names, from `bookmark` on; raise Unclear if there is perhaps no such list."""
        ...

    def prove(self, contacts: Sequence[Contact], caller: Caller) -> Proof:
        """Show which of the destination's list methods the account honours, on contacts that go on lists anyway.

        Never called where there is but one. Raise ListGone where there is no list that could be filled.
        """
        ...

    def check_fields(self, names: Sequence[str], caller: Caller) -> FieldCheck:
        """Hold the fields of a mapping against those of the account."""
        ...

    def offered_fields(self, caller: Caller) -> Sequence[OfferedField]:
        """Return the fields that an export may map, the account's own included."""
        ...

    def erase(self, address: str, caller: Caller) -> bool:
        """Delete whoever has this address, for good; return False if there was nobody. `is_erased` tells what was done."""
        ...

    def is_erased(self, address: str, caller: Caller) -> bool:
        """Read whether nobody has this address, be it in an archive: what an erasure is believed by."""
        ...


class Destination(Protocol):
    """A kind of system that contacts go to."""

    @property
    def kind(self) -> str:
        """What connections name it by, in lower case; it is stored."""
        ...

    @property
    def title(self) -> str:
        """What people call it."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What its calls take and tell."""
        ...

    @property
    def methods(self) -> Sequence[ListMethod]:
        """Its ways to fill lists, the one of the fewest calls first; the last one needs no proof."""
        ...

    def method_of(self, strategy: str) -> ListMethod | None:
        """Return the method that a connection's `list_strategy` names; None if a proof shall tell."""
        ...

    @property
    def fields(self) -> Fields:
        """The contact fields that every account has."""
        ...

    def fields_of(self, notes: Notes) -> Fields:
        """Return the contact fields of one account, as far as its notes know them; without a call."""
        ...

    @property
    def rate(self) -> float:
        """Calls a second that an account surely takes: a connection's `rate_limit` where none is given."""
        ...

    @property
    def calls_in_flight(self) -> int | None:
        """Calls at a time that an account surely takes, where a connection names no number; None for any."""
        ...

    @property
    def asks_new_people(self) -> bool:
        """Whether an export must say if those whom it creates may be mailed."""
        ...

    @property
    def regions(self) -> Sequence[str]:
        """The regions an account lies in, as a connection names its own; empty where there is nothing to name."""
        ...

    def open(self, place: Place, key: Key, http: Session, notes: Notes) -> Account:
        """Open an account, without a call; `notes` are the account's."""
        ...


def method_named(destination: Destination, name: str | None) -> ListMethod | None:
    """Return the list method of this name; None if there is none, as after a method was renamed or dropped."""
    return next((method for method in destination.methods if method.name == name), None)


def fills_by_sending(method: ListMethod, can: Capabilities) -> bool:
    """Whether contacts get on lists in fewer calls by being sent again than by being moved."""
    return method.lists > 0 and method.contacts > can.moves


def list_exists(account: ListNames, caller: Caller, list_id: str) -> bool:
    """Read whether there is a list of this id."""
    return any(list_id in ids for ids in caller.one(account.lists).values())
