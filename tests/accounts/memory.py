"""What is shared of accounts, without a table: lists by title, and creations that nobody confirmed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from shared.accounts.accounts import CreationRecord, short


class MemoryAccounts:
    """The lists of one account, whatever it is called."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}
        self.asked: dict[str, CreationRecord] = {}
        self.locks = self

    def list_id(self, _: str, title: str) -> str | None:
        return self.known.get(title)

    def lists(self, _: str) -> dict[str, str]:
        return dict(self.known)

    def remember_list(self, _: str, title: str, list_id: str | None) -> None:
        if list_id is None:
            self.known.pop(title, None)
        else:
            self.known[title] = list_id

    def creation(self, _: str, title: str) -> CreationRecord | None:
        return self.asked.get(title)

    def note_creation(self, _: str, title: str, before: Iterable[str], made: str | None = None) -> None:
        self.asked[title] = CreationRecord(at=0.0, before=" ".join(map(short, before)), made=made)

    def forget_creation(self, _: str, title: str) -> None:
        self.asked.pop(title, None)

    @contextmanager
    def exclusive(self, *_: object) -> Iterator[object]:
        yield lambda: None
