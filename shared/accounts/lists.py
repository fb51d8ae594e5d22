"""The directory of an account's lists: found by title, created if absent, once, however many workers race."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from shared.accounts.accounts import Accounts
from shared.delivery.sending import Sender
from shared.exports.titles import fold

_CREATION: Final = 60.0
"""Seconds one worker may take to create lists before another may try."""


class ListCalls(Protocol):
    """The calls that the directory makes."""

    def lists(self) -> dict[str, list[str]]:
        """Return the ids of all lists by exact title."""
        ...

    def create_list(self, title: str) -> str:
        """Create a list and give its id."""
        ...


def known_lists(
    accounts: Accounts, account: str, titles: Sequence[str], existing: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """Return the id of each title's list, empty text for one that the account does not have.

    Titles can be double: the list that we filled before counts, else the one with the smallest id. One that differs only
    in case or encoding counts where none is exactly so. A list that was deleted there is forgotten.
    """
    return tuple(_choose(accounts, account, title, _of_title(existing, title)) for title in titles)


def ensure_lists(
    accounts: Accounts, account: str, titles: Sequence[str], api: ListCalls, sender: Sender
) -> tuple[str, ...]:
    """Return the id of each title's list, creating those that the account does not have.

    Raise TryLater while another worker creates lists of this account, and the DestinationError a call ended with.
    """
    remembered = [accounts.list_id(account, title) for title in titles]
    if all(remembered):
        return tuple(list_id for list_id in remembered if list_id)
    with accounts.locks.exclusive(account, "create lists", _CREATION) as check:
        existing = sender.one(api.lists)
        found = known_lists(accounts, account, titles, existing)
        return tuple(
            list_id or _create(accounts, account, title, api, sender, check)
            for title, list_id in zip(titles, found, strict=True)
        )


def _create(
    accounts: Accounts, account: str, title: str, api: ListCalls, sender: Sender, check: Callable[[], None]
) -> str:
    """Create a list. An answer that was lost may have created one: the call is not repeated blindly but looked up.

    `check` raises if the right to create lists is over by the moment of the call: another worker may have made it.
    """

    def create() -> str:
        check()
        return api.create_list(title)

    answer = sender.attempt(create)
    list_id = (
        answer
        if isinstance(answer, str)
        else _choose(accounts, account, title, _of_title(sender.one(api.lists), title))
    )
    if not list_id:
        raise answer if isinstance(answer, Exception) else AssertionError(title)
    accounts.remember_list(account, title, list_id)
    return list_id


def _of_title(existing: Mapping[str, Sequence[str]], title: str) -> Sequence[str]:
    """Return the ids of the lists that bear a title, exactly or else to the eye."""
    return existing.get(title) or [
        list_id for name, ids in existing.items() if fold(name) == fold(title) for list_id in ids
    ]


def _choose(accounts: Accounts, account: str, title: str, ids: Sequence[str]) -> str:
    remembered = accounts.list_id(account, title)
    if remembered in ids:
        return str(remembered)
    if remembered or ids:
        accounts.remember_list(account, title, min(ids) if ids else None)
    return min(ids, default="")
