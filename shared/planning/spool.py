"""The spool: cleaned contacts set aside while the difference is not known yet, so that a source is read only once.

Frames are kept by key: a segment's number for its contacts, and what else a plan sets aside under keys of its own.

Small segments stay in memory; larger ones go, compressed, to a file without a name, which nobody else can open and which
is gone with the process, however that ends.
"""

from __future__ import annotations

import io
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Final, Self

import polars as pl

from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError

IN_MEMORY: Final = 1 << 24
"""Bytes that stay in memory: the compressed contacts of about a hundred thousand people."""


def pack(frame: pl.DataFrame) -> bytes:
    """Compress a frame for the spool."""
    data = io.BytesIO()
    frame.write_ipc_stream(data, compression="lz4")
    return data.getvalue()


def unpack(packed: bytes) -> pl.DataFrame:
    """Return the frame that was packed."""
    return pl.read_ipc_stream(packed)


def unpack_contacts(frame: Sequence[bytes]) -> pl.DataFrame:
    """Return a frame's contacts as `Spool.contacts` has them, whole where several rows made one."""
    contacts, *news = map(unpack, frame)
    if not news:
        return contacts
    whole = contacts.join(pl.concat(news), on="row", how="left", maintain_order="left", suffix="_whole")
    return whole.with_columns(pl.coalesce("fields_whole", "fields").alias("fields")).drop("fields_whole")


@dataclass(frozen=True, slots=True)
class _Part:
    start: int
    length: int


class Spool:
    """Frames by key, written once and then read back in the same order. Must be closed, or used in `with`."""

    def __init__(self, in_memory: int = IN_MEMORY) -> None:
        self._file = SpooledTemporaryFile(max_size=in_memory)  # noqa: SIM115 - closed by `close`
        self._parts: dict[Hashable, list[_Part]] = {}
        self._end = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of everything."""
        self._file.close()

    def append(self, key: Hashable, packed: bytes) -> None:
        """Set a packed frame aside. Raises ExportError when the disk is full."""
        part = _Part(self._end, len(packed))
        try:
            self._file.seek(part.start)
            self._file.write(packed)
        except OSError as error:
            raise ExportError(
                Reason.INTERNAL_ERROR,
                f"The segments do not fit the instance's temporary disk ({error.strerror}). Export fewer at once.",
            ) from None
        self._end += part.length
        self._parts.setdefault(key, []).append(part)

    def packed(self, key: Hashable) -> Iterator[bytes]:
        """Return the packed frames of a key."""
        for part in self._parts.get(key, ()):
            self._file.seek(part.start)
            yield self._file.read(part.length)

    def __contains__(self, key: Hashable) -> bool:
        """Return whether anything was set aside under a key."""
        return key in self._parts

    def amend(self, segment: int, frame: int, packed: bytes) -> None:
        """Set aside what replaces some of the contacts of a segment's frame: `row` and `fields`."""
        self.append(("whole", segment, frame), packed)

    def contacts(self, segment: int) -> Iterator[Sequence[bytes]]:
        """Return a segment's packed contacts frame by frame, each with what replaces some of them."""
        for frame, packed in enumerate(self.packed(segment)):
            yield [packed, *self.packed(("whole", segment, frame))]

    def clear(self) -> None:
        """Forget everything that was set aside; its room is used again."""
        self._parts.clear()
        self._end = 0
