"""An account of a destination: the half of the port whose methods are the calls that it makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from shared.delivery.capabilities import ListMethod
from shared.delivery.contacts import Contact, Held, Move, Page, Result, Seen
from shared.delivery.errors import ListGone, Unclear
from shared.exports.configuration import NewPeople


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


class Caller(Protocol):
    """Makes an account's calls one at a time, each in its slot of the account's pace."""

    def one[T](self, call: Callable[[], T]) -> T:
        """Make one call, repeated where it had no answer; raise the DestinationError that it ended with."""
        ...


class ListNames(Protocol):
    """The call that names an account's lists."""

    def lists(self) -> dict[str, list[str]]:
        """Return the ids of all lists by exact title; titles may be double."""
        ...


class Permissions(Protocol):
    """People's permission to be mailed, at an account where sending them could change it."""

    def prepare(
        self,
        contacts: Sequence[Contact],
        new_people: NewPeople | None,
        caller: Caller,
        alone: Callable[[], AbstractContextManager[object]],
    ) -> None:
        """Make sure that sending the contacts changes nobody's permission; raise PermissionsWouldChange.

        Called before they are sent. What must not be tried by two workers at once is tried within `alone`.
        """
        ...

    def introduce(self, contacts: Sequence[Contact]) -> Sequence[Result]:
        """Create those who are not there yet, so that they may not be mailed; whoever is there stays as they are.

        One call, as an account's method without a `caller`; a result for each, as of `Account.send`.
        """
        ...

    def introduced(self, held: Sequence[Held]) -> Sequence[Seen | None]:
        """Return whom `introduce` says to be there, read back, in order; None for who is not, or may be mailed although new.

        One call, of as many as `Account.look` takes, where answers name nobody.
        """
        ...


class Account(ListNames, Protocol):
    """One account of a destination.

    A method without a `caller` is exactly one call, without pacing or repeats: the caller gives it its slot. A method
    with one makes as many as it needs, each through the caller. All raise a DestinationError where there is no result;
    a call that may have been done, but was not confirmed, is never a result.
    """

    @property
    def permissions(self) -> Permissions | None:
        """People's permission to be mailed; None where sending cannot change it, and nobody has to be asked about it."""
        ...

    def identity(self) -> Identity:
        """Return who the key's account is. Also asked to learn whether the account answers at all."""
        ...

    def create_list(self, title: str) -> str:
        """Create a list and return its id; the caller looks before, and afterwards where the answer was lost."""
        ...

    def list_is_gone(self, list_id: str, caller: Caller) -> bool:
        """Read whether a list that we filled is there no more: an answer of all lists that leaves it out is no proof.

        Raise NoAnswer where nobody knows.
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
        """Return the contacts with these ids, their `lists` included, in order; None for one that the answer does not have.

        That there is no such contact is believed only of one who was asked about alone.
        """
        ...

    def members(self, list_id: str, names: Sequence[str], bookmark: str | None = None) -> Page:
        """Return one page of a list's members with the fields of these names, from `bookmark` on; raise Unclear if there is perhaps no such list."""
        ...

    def prove(self, contacts: Sequence[Contact], caller: Caller) -> Proof:
        """Show which of the destination's list methods the account honours, on contacts that go on lists anyway.

        Where there is but one, that is it, without a call. Raise ListGone where there is no list that could be filled.
        """
        ...

    def check_fields(self, names: Sequence[str], caller: Caller) -> FieldCheck:
        """Hold the fields of a mapping against those of the account."""
        ...

    def check_lists(self, titles: Sequence[str], caller: Caller) -> Sequence[str]:
        """Return a sentence of warning for each title of something else there, which an export cannot fill."""
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


def list_exists(account: ListNames, caller: Caller, list_id: str) -> bool:
    """Read whether there is a list of this id."""
    return any(list_id in ids for ids in caller.one(account.lists).values())


def has_gone(account: Account, caller: Caller, list_id: str) -> bool:
    """Read from a list's own page whether it is gone; where the page leaves that open, from all lists besides."""
    try:
        caller.one(lambda: account.members(list_id, ()))
    except ListGone:
        return True
    except Unclear:
        return not list_exists(account, caller, list_id)
    return False
