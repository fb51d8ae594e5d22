"""What the ledger keeps of one chunk: its outcome, recorded once."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from shared.azure.records import Record


class Entry(Record):
    """What is recorded of one chunk."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    chunk: str
    """The chunk's name."""

    attempt: str = ""
    """The attempt that recorded it: a second writing of the same attempt is the same recording."""

    result: str | None = Field(default=None, validation_alias="receipts", serialization_alias="receipts")
    """The blob of its receipts or, of a verification, of the contacts that were read back. Stored as `receipts`."""

    rejected: str | None = None
    """The blob of its rejected rows, if any."""

    continued_by: str | None = None
    """The chunk that holds what is left of it for later; its operations are counted there."""

    lost: bool = False
    """Whether the chunk could not be read, so that nobody knows what was in it."""

    settled: int | None = None
    """Operations that are handled; None in what an older version of the app recorded."""

    list_index: int | None = None
    """Which of the run's lists a verification's chunk read; None elsewhere, and in what an older version recorded."""

    left: int | None = None
    """Operations that are not sent any more; None where the chunk was lost, and in what an older version recorded."""
