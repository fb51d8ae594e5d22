"""One partition in memory, read by the real reader, quickly and carefully; storage itself is no parser."""

from __future__ import annotations

from typing import Final

import polars as pl

from shared.cleaning.clean import MALFORMED, ROW, WHERE
from shared.sources.blob_export.customer_insights import CustomerInsights, _body, _carefully
from shared.sources.blob_export.dialect import Unreadable
from shared.sources.catalogue import Dialect, Partition, Table
from tests.sources.blob_export.memory import Blob, source_of

COLUMNS: Final = ("CustomerId", "FirstName", "Email")


def quick(data: bytes, dialect: Dialect) -> pl.DataFrame:
    """Read as the reader does: with Polars as long as the rows are clean."""
    return pl.concat([_empty({ROW: pl.UInt64(), WHERE: pl.String()}), *_reader(data).read(_table(dialect), COLUMNS)])


def careful(data: bytes, dialect: Dialect, piece: int) -> pl.DataFrame | Unreadable:
    """Read row by row from the beginning, text coming in pieces of `piece` bytes."""
    reader, table = _reader(data), _table(dialect)
    file = reader._find(table.partitions[0], table)
    body = b"".join(_body(file)).removesuffix(b"\x1a")
    pieces = (body[start : start + piece] for start in range(0, len(body), piece))
    try:
        return pl.concat([_empty({}), *_carefully(pieces, file, COLUMNS)])
    except Unreadable as what:
        return what


def _reader(data: bytes) -> CustomerInsights:
    return source_of({"Export/VIP.csv": Blob(data)})


def _table(dialect: Dialect) -> Table:
    """Return the table of one partition."""
    return Table("VIP", COLUMNS, (Partition("Export/VIP.csv", None, dialect),), None)


def _empty(more: dict[str, pl.DataType]) -> pl.DataFrame:
    return pl.DataFrame(schema={MALFORMED: pl.Boolean(), **dict.fromkeys(COLUMNS, pl.String()), **more})
