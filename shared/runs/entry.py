"""What the ledger keeps of one chunk: its outcome, recorded once."""

from __future__ import annotations

from shared.azure.records import Record


class Entry(Record):
    """What is recorded of one chunk."""

    chunk: str
    """The chunk's name."""

    attempt: str = ""
    """The attempt that recorded it: a second writing of the same attempt is the same recording."""

    receipts: str | None = None
    """The blob of its receipts, if any."""

    rejected: str | None = None
    """The blob of its rejected rows, if any."""

    continued_by: str | None = None
    """The chunk that holds what is left of it for later; its operations are counted there."""

    lost: bool = False
    """Whether the chunk could not be read, so that nobody knows what was in it."""

    settled: int | None = None
    """Operations that are handled; None in what an older version of the app recorded."""

    left: int | None = None
    """Operations that are not sent any more; None where the chunk was lost, and in what an older version recorded."""
