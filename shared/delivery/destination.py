"""The destination port: what the product needs of any marketing platform, in its own words.

A destination declares what it can do (`capabilities`), and opens accounts, whose methods are the calls that they make
(`account`). What those calls carry and answer is in `contacts`, what they end with where there is no result in `errors`.
How to write one, and the test suite that it must pass: docs/destinations.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.cleaning.fields import Fields
from shared.delivery.account import Account
from shared.delivery.capabilities import Capabilities, ListMethod
from shared.http.transport import Session


@dataclass(frozen=True, slots=True)
class Place:
    """Where an account's API is: the region that the connection names, and the `url` that the operator put in its place."""

    region: str | None = None
    url: str | None = None


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
    def list_word(self) -> str:
        """What people call there what a segment becomes; the API and stored names say `list` everywhere."""
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
