"""One partition in memory, read by the real reader, quickly and carefully; storage itself is no parser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Final, cast

import polars as pl
from azure.storage.blob import BlobServiceClient

from shared.domain.cleaning import MALFORMED, ROW
from shared.source.catalogue import Dialect, Partition, Table
from shared.source.customer_insights import CustomerInsights, _body, _carefully

COLUMNS: Final = ("CustomerId", "FirstName", "Email")


@dataclass(frozen=True)
class _Download:
    data: bytes
    piece: int

    def readall(self) -> bytes:
        return self.data

    def chunks(self) -> Iterator[bytes]:
        return (self.data[start : start + self.piece] for start in range(0, len(self.data), self.piece))


@dataclass(frozen=True)
class _Blob:
    """What the reader asks of a blob."""

    data: bytes
    piece: int

    def get_blob_properties(self) -> SimpleNamespace:
        encoded = SimpleNamespace(content_encoding=None)
        return SimpleNamespace(size=len(self.data), etag="e", content_settings=encoded)

    def download_blob(self, offset: int = 0, length: int | None = None, *, decompress: bool) -> _Download:  # noqa: ARG002
        return _Download(self.data[offset:][:length], self.piece)


def quick(data: bytes, dialect: Dialect) -> pl.DataFrame:
    """Read as the reader does: with Polars as long as the rows are clean."""
    return pl.concat([_empty(ROW), *_reader(data).read(_table(dialect), COLUMNS)])


def careful(data: bytes, dialect: Dialect, piece: int) -> pl.DataFrame:
    """Read row by row from the beginning, text coming in pieces of `piece` bytes."""
    reader, table = _reader(data, piece), _table(dialect)
    file = reader._find(table.partitions[0], table)
    return pl.concat([_empty(), *_carefully(_body(file), file, COLUMNS)])


def _reader(data: bytes, piece: int = 1 << 20) -> CustomerInsights:
    service = SimpleNamespace(get_blob_client=lambda *_, **__: _Blob(data, piece))
    return CustomerInsights(cast("BlobServiceClient", service), "ci/Export")


def _table(dialect: Dialect) -> Table:
    """Give the table of one partition."""
    return Table("VIP", COLUMNS, (Partition("Export/VIP.csv", None, dialect),), None)


def _empty(*more: str) -> pl.DataFrame:
    schema = {MALFORMED: pl.Boolean} | dict.fromkeys(COLUMNS, pl.String) | dict.fromkeys(more, pl.UInt64)
    return pl.DataFrame(schema=schema)
