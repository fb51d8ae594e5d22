"""The spool: cleaned contacts set aside while the difference is not known yet, so that a source is read only once.

Small segments stay in memory; larger ones go, compressed, to a file without a name, which nobody else can open and which
is gone with the process, however that ends.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Final, Self

import polars as pl

from shared.reasons import Reason, RunEnded

IN_MEMORY: Final = 1 << 24
"""Bytes that stay in memory: the compressed contacts of about a hundred thousand people."""


def pack(frame: pl.DataFrame) -> bytes:
    """Compress a frame for the spool."""
    data = io.BytesIO()
    frame.write_ipc_stream(data, compression="lz4")
    return data.getvalue()


def unpack(packed: bytes) -> pl.DataFrame:
    """Give the frame that was packed."""
    return pl.read_ipc_stream(packed)


@dataclass(frozen=True, slots=True)
class _Part:
    segment: int
    start: int
    length: int


class Spool:
    """Frames by segment, written once and then read back in the same order. Must be closed, or used in `with`."""

    def __init__(self, in_memory: int = IN_MEMORY) -> None:
        self._file = SpooledTemporaryFile(max_size=in_memory)  # noqa: SIM115 - closed by `close`
        self._parts: list[_Part] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of everything."""
        self._file.close()

    def append(self, segment: int, packed: bytes) -> None:
        """Set a packed frame aside. Raises RunEnded when the disk is full."""
        part = _Part(segment, self._file.tell(), len(packed))
        try:
            self._file.write(packed)
        except OSError as error:
            raise RunEnded(
                Reason.INTERNAL_ERROR,
                f"The segments do not fit the instance's temporary disk ({error.strerror}). Export fewer at once.",
            ) from None
        self._parts.append(part)

    def packed(self, segment: int) -> Iterator[bytes]:
        """Give a segment's packed frames back."""
        for part in self._parts:
            if part.segment == segment:
                self._file.seek(part.start)
                yield self._file.read(part.length)
