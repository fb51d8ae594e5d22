"""An Autopilot account, as delivery sees it: the calls it takes, and which of them puts a contact on a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, Protocol

BULK_SIZE: Final = 100
"""Contacts in a bulk call; more is answered 400 (vendor, 2015-06-30)."""


PAGE_SIZE: Final = 100
"""Contacts on a full page of them (vendor, 2015-06-23)."""


class Filling(StrEnum):
    """The quickest call that puts an existing contact on a list of an account."""

    BULK = "bulk"
    """100 contacts in one call, each with one list."""

    CONTACT = "contact"
    """One contact with one list: sent and put on it by the same call."""

    MEMBERSHIP = "membership"
    """A call of its own for each membership, once the contact is there."""


class ListNames(Protocol):
    """The call that names an account's lists."""

    def lists(self) -> dict[str, list[str]]:
        """Return the ids of all lists by exact title."""
        ...


class Account(ListNames, Protocol):
    """The calls that delivery makes. Each raises an DestinationError when there is no result.

    Contacts go on the list that they name as `_autopilot_list` only as far as the account's Filling says.
    """

    def upsert(self, contacts: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """Send at most BULK_SIZE contacts; gives contact ids by lower-case address. Who is missing from it failed."""
        ...

    def upsert_one(self, contact: Mapping[str, Any]) -> str:
        """Send one contact; gives its id."""
        ...

    def add(self, list_id: str, contact: str) -> None:
        """Put a contact on a list; harmless if it is there already."""
        ...

    def remove(self, list_id: str, contact: str) -> None:
        """Take a contact off a list; harmless if it is not there."""
        ...

    def is_member(self, list_id: str, contact: str) -> bool:
        """Read whether a contact is on a list; raise ContactGone if there is no such contact."""
        ...
