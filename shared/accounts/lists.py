"""The directory of an account's lists: found by title, created if absent, once, however many workers race.

A list that we filled is known by its id, whatever it is called by now. It is gone only if its own call says so: an answer
that leaves it out is no answer, since whoever believes it makes the list again and fills it from the beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import unescape
from typing import Final, Protocol

from shared.accounts.accounts import Accounts
from shared.delivery.account import Caller
from shared.delivery.errors import KeyRefused, NoAnswer, NotSent, OtherList, Refused
from shared.delivery.sending import Sender
from shared.exports.titles import fold

_CREATION: Final = 60.0
"""Seconds one worker may take to create lists before another may try."""

Existing = Mapping[str, Sequence[str]]
"""The ids of an account's lists by exact title."""


class ListCalls(Protocol):
    """The calls that the directory makes."""

    def lists(self) -> dict[str, list[str]]:
        """Return the ids of all lists by exact title."""
        ...

    def create_list(self, title: str) -> str:
        """Create a list and return its id."""
        ...

    def list_is_gone(self, list_id: str, caller: Caller) -> bool:
        """Read whether there is no list of this id any more."""
        ...


def list_of(existing: Existing, title: str, remembered: str | None) -> str:
    """Return the id of the list that stands for a title, empty text if the account has none.

    Titles can be double: the list that we filled before counts, else the one with the smallest id. One that differs only
    in case or encoding counts where none is exactly so. Where nothing bears the title, the list that we filled before was
    renamed, or is called by its account otherwise than we asked for.
    """
    ids = _of_title(existing, title)
    if remembered and (remembered in ids or (not ids and remembered in _ids(existing))):
        return remembered
    return min(ids, default="")


def known_lists(
    accounts: Accounts, account: str, titles: Sequence[str], api: ListCalls, sender: Sender
) -> tuple[str, ...]:
    """Return the id of each title's list as the account tells it, empty text for one that it does not have.

    A list that was deleted there is forgotten. Raise the DestinationError that a call ended with: NoAnswer for an answer
    that leaves out a list that is there.
    """
    filled = {title: list_id for title in titles if (list_id := accounts.list_id(account, title))}
    existing = _whole(accounts, account, filled, api, sender)
    return tuple(_found(accounts, account, title, existing) for title in titles)


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
        existing = _whole(accounts, account, accounts.lists(account), api, sender)
        found = [_found(accounts, account, title, existing) for title in titles]
        creation = _Creation(accounts, account, api, sender, check)
        return tuple(list_id or creation.make(title, existing) for title, list_id in zip(titles, found, strict=True))


def forget_gone(accounts: Accounts, account: str, lists: Mapping[str, str], api: ListCalls, sender: Sender) -> None:
    """Forget those of these lists, by title, that are gone, so that they are made again."""
    for title, list_id in lists.items():
        if api.list_is_gone(list_id, sender):
            accounts.remember_list(account, title, None)


def _whole(accounts: Accounts, account: str, filled: Mapping[str, str], api: ListCalls, sender: Sender) -> Existing:
    """Return all lists of the account, by an answer that leaves out none that we filled, but those that are gone."""
    existing = sender.one(api.lists)
    left_out = {title: list_id for title, list_id in filled.items() if list_id not in _ids(existing)}
    if not left_out:
        return existing
    for title, list_id in left_out.items():
        if not api.list_is_gone(list_id, sender):
            raise NoAnswer("the account's lists were answered without one that is there")
        accounts.remember_list(account, title, None)
    return sender.one(api.lists)


class _Creation:
    """Creates lists of an account. `check` raises if the right to do so is over: another worker may have made them."""

    def __init__(
        self, accounts: Accounts, account: str, api: ListCalls, sender: Sender, check: Callable[[], None]
    ) -> None:
        self._accounts = accounts
        self._account = account
        self._api = api
        self._sender = sender
        self._check = check

    def make(self, title: str, existing: Existing) -> str:
        """Create a list. An answer that was lost may have created one: the call is not repeated blindly but looked up.

        Where a list was made under another title, none is created until it is found: one that an answer named, or one that
        is new and that nobody named.
        """
        asked = self._accounts.creation(self._account, title)
        if asked:
            new = self._new(existing, asked.knows)
            if asked.made in new:
                return self._keep(title, str(asked.made))
            if new or asked.made:
                raise NoAnswer("a list was perhaps created under another title: none is created for now")
        before = _ids(existing)
        self._accounts.note_creation(self._account, title, before)
        answer = self._sender.attempt(lambda: self._create(title))
        if isinstance(answer, str):
            return self._keep(title, answer)
        if isinstance(answer, NotSent | Refused | KeyRefused):
            self._accounts.forget_creation(self._account, title)
        after = self._sender.one(self._api.lists)
        if found := list_of(after, title, None):
            return self._keep(title, found)
        if isinstance(answer, OtherList):
            if answer.list_id in self._new(after, before.__contains__):
                return self._keep(title, answer.list_id)
            if answer.list_id not in _ids(after):  # it is new to the account, or not told yet
                self._accounts.note_creation(self._account, title, before, answer.list_id)
        raise answer

    def _create(self, title: str) -> str:
        self._check()
        return self._api.create_list(title)

    def _new(self, existing: Existing, is_known: Callable[[str], bool]) -> set[str]:
        """Return the lists that are new and stand for no title."""
        return {
            list_id
            for list_id in _ids(existing) - set(self._accounts.lists(self._account).values())
            if not is_known(list_id)
        }

    def _keep(self, title: str, list_id: str) -> str:
        self._accounts.remember_list(self._account, title, list_id)
        self._accounts.forget_creation(self._account, title)
        return list_id


def _found(accounts: Accounts, account: str, title: str, existing: Existing) -> str:
    """Return the id of a title's list, and remember it."""
    remembered = accounts.list_id(account, title)
    found = list_of(existing, title, remembered)
    if found != (remembered or ""):
        accounts.remember_list(account, title, found or None)
    return found


def _of_title(existing: Existing, title: str) -> Sequence[str]:
    """Return the ids of the lists that bear a title, exactly or else to the eye, be it as HTML writes it."""
    if ids := existing.get(title):
        return ids
    alike = _of_those(existing, lambda name: fold(name) == fold(title))
    return alike or _of_those(existing, lambda name: fold(unescape(name)) == fold(title))


def _of_those(existing: Existing, which: Callable[[str], bool]) -> list[str]:
    return [list_id for name, ids in existing.items() if which(name) for list_id in ids]


def _ids(existing: Existing) -> set[str]:
    return {list_id for ids in existing.values() for list_id in ids}
