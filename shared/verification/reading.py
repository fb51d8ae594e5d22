"""What a chunk of a verification asks for: one list to be read, from where it was left."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from pydantic import TypeAdapter

from shared.azure.records import FIRST, check_version
from shared.delivery.chunks import UnreadableChunk


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
    """Contacts on them."""

    total: int = 0
    """Contacts that the list says it has."""

    gone: str | None = None
    """The id that a list had which does not exist, if we filled it."""

    list_index: int | None = None
    """Which of the run's lists it is, from 0; None in what an older version of the app wrote: there the chunk's name tells."""


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
