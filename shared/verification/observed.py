"""A list as it was read back, in one part or in several, and the file that keeps a part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from shared.azure.storage import Container, Storage
from shared.runs.entry import Entry
from shared.runs.files import load_table, write_table
from shared.verification.comparison import OBSERVED


@dataclass(frozen=True, slots=True)
class ObservedList:
    """A list as it was read back, or a part of it."""

    list_index: int | None
    """Which of the run's lists it is, from 0; None if only the chunk's name tells (see `ListReading`)."""

    list_id: str
    """Its id; empty if it does not exist."""

    gone: str
    """The id that it had, if it does not exist any more; empty where nobody knows."""

    members: pl.DataFrame
    """Its contacts, with the columns of OBSERVED and one of each compared field."""

    def write(self) -> bytes:
        """Return the file that keeps it."""
        return write_table(self.members, [self.list_id] if self.list_id else ["", self.gone])


def load_observed(storage: Storage, entry: Entry, result: str) -> ObservedList:
    """Read the part of a list that a chunk read, from its file `result`; raise Damaged for what is missing or something else."""
    members, lists = load_table(storage, Container.OUTCOMES, result, OBSERVED)
    return ObservedList(_index_of(entry), lists[0], "" if lists[0] else lists[-1], members)


def load_observed_list(
    storage: Storage, entries: Sequence[Entry], list_index: int, empty: pl.DataFrame
) -> ObservedList:
    """Return a whole list as a run read it back; `empty` are the contacts of one that does not exist. Raise Damaged.

    A list may go while it is read: then it does not exist.
    """
    parts = [
        load_observed(storage, entry, entry.result)
        for entry in entries
        if entry.result and _index_of(entry) == list_index
    ]
    if not parts:
        return ObservedList(list_index, "", "", empty)
    last = parts[-1]
    if all(part.list_id for part in parts):
        return ObservedList(list_index, last.list_id, "", pl.concat([part.members for part in parts]))
    return ObservedList(list_index, "", last.gone or last.list_id, empty)


def _index_of(entry: Entry) -> int:
    """Return which of the run's lists a chunk read; one that an older version recorded is numbered by its name, from 1."""
    return entry.list_index if entry.list_index is not None else int(entry.chunk.partition("-")[0]) - 1
