"""What a chunk of a verification asks for: one list to be read, from where it was left."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final

from pydantic import TypeAdapter

from shared.azure.records import FIRST, check_version
from shared.delivery.chunks import UnreadableChunk
from shared.delivery.contacts import Page

MOST_SHORT_ENDS: Final = 3
"""Ends before all contacts came after which another one is no answer. At each the last page is asked for again, at the
second the whole list: who leaves and who joins while it is read may leave the sums open."""


@dataclass(frozen=True, slots=True)
class ListReading:
    """One list to be read, and how far it is read. Stored as JSON under these names."""

    list: str
    """Its id; empty for a list that does not exist."""

    fields: tuple[str, ...]
    """The fields of its contacts whose values are compared."""

    bookmark: str | None = None
    """Where to go on; None at the beginning."""

    pages: int = 0
    """Pages that were read."""

    contacts: int = 0
    """Contacts that they account for, each once as far as that was seen."""

    total: int = 0
    """Contacts that the list says it has: the largest number of all pages."""

    gone: str | None = None
    """The id that a list had which does not exist, if we filled it."""

    list_index: int | None = None
    """Which of the run's lists it is, from 0; None in what an older version of the app wrote: there the chunk's name tells."""

    least: int = 0
    """The smallest number of all pages since its beginning; 0 if none was told."""

    short_ends: int = 0
    """How often it ended before as many contacts came."""

    def past(self, page: Page, repeated: int = 0) -> ListReading:
        """Return what to read after a page, of whose contacts so many had come before."""
        told = [total for total in (self.least, page.total) if total]
        return replace(
            self,
            bookmark=page.bookmark,
            pages=self.pages + 1,
            contacts=self.contacts + page.accounts_for - repeated,
            total=max(self.total, page.total),
            least=min(told, default=0),
        )

    @property
    def is_short(self) -> bool:
        """Whether fewer contacts came so far than the list had at any moment since its beginning."""
        return self.contacts < self.least

    def again(self) -> ListReading:
        """Return what to read after an end that came too early: the same page, or the list from its beginning."""
        ends = self.short_ends + 1
        if ends == MOST_SHORT_ENDS - 1:
            return replace(self, bookmark=None, pages=0, contacts=0, least=0, short_ends=ends)
        return replace(self, short_ends=ends)


_READING: Final = TypeAdapter(ListReading)


def first_readings(
    list_ids: Sequence[str], filled: Sequence[str | None], fields: Sequence[str]
) -> Sequence[ListReading]:
    """Return what to read of a run's lists: their ids, empty where there is none, and the ids of those that we filled."""
    return [
        ListReading(list_id, tuple(fields), gone=was, list_index=list_index)
        for list_index, (list_id, was) in enumerate(zip(list_ids, filled, strict=True))
    ]


def encode_reading(reading: ListReading) -> bytes:
    """Write a chunk that asks for a list to be read."""
    return json.dumps({"version": FIRST, **asdict(reading)}).encode()


def decode_reading(chunk: bytes) -> ListReading:
    """Return what `encode_reading` wrote; raise UnreadableChunk for anything else, with nothing of it, and NewerVersion."""
    try:
        content = json.loads(chunk)
        version = content.pop("version", None) if isinstance(content, dict) else None
        check_version("The chunk", version, FIRST)
        return _READING.validate_python(content)
    except (ValueError, RecursionError):
        raise UnreadableChunk("it does not say which list to read") from None
