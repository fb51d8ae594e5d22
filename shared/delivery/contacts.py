"""What the calls of a destination carry of contacts, and what its answers say of them: the values of its port."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from shared.exports.configuration import NewPeople


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact of a call that sends contacts.

    `fields` is the contact as planning composed it, `address` its e-mail address in lower case, `contact_id` the
    destination's id if it is known. `add` and `remove` are the ids of lists that the call puts it on and takes it off.
    `even_suppressed` says that it is created although its address is on the account's suppression list.
    """

    address: str
    fields: Mapping[str, object]
    contact_id: str | None = None
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    even_suppressed: bool = False


@dataclass(frozen=True, slots=True)
class Creation:
    """What an export decided about people who are created, where its destination asks: `new_people` and `create_suppressed`."""

    new_people: NewPeople | None = None
    even_suppressed: bool = False


UNASKED: Final = Creation()
"""Where the destination asks nothing."""


@dataclass(frozen=True, slots=True)
class Move:
    """An existing contact that a call puts on the lists `add` and takes off the lists `remove`, by their ids."""

    contact_id: str
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """The destination confirmed all that the call carried for a contact, which has this id; `is_new` if it says to have made it."""

    contact_id: str
    is_new: bool = False


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
    document: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list's members, where the next one begins (None: this is the last), and how many there are in all.

    `looked_at` is how many of them it accounts for, where it leaves some out that are no members.
    """

    contacts: tuple[Seen, ...]
    bookmark: str | None
    total: int
    looked_at: int | None = None

    @property
    def accounts_for(self) -> int:
        """How many of all it accounts for."""
        return len(self.contacts) if self.looked_at is None else self.looked_at
