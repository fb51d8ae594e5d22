"""One partition in memory, read by the real reader, quickly and carefully; storage itself is no parser."""

from __future__ import annotations

from typing import Final

import polars as pl

from shared.sources.blob_export.customer_insights import CustomerInsights
from shared.sources.blob_export.dialect import Unreadable
from shared.sources.blob_export.partition import body, carefully
from shared.sources.blob_export.tables import BlobTable, Dialect, Partition
from shared.sources.source import CANDIDATES, KEY, MALFORMED, ROW, WEIGHT, WHERE
from tests.sources.blob_export.memory import Blob, source_of

COLUMNS: Final = ("CustomerId", "FirstName", "Email")
_TRACED: Final = {WEIGHT: pl.UInt32(), CANDIDATES: pl.List(pl.String())}


def quick(data: bytes, dialect: Dialect) -> pl.DataFrame:
    """Read as the reader does: with Polars as long as the rows are clean."""
    own = {ROW: pl.UInt64(), KEY: pl.String(), MALFORMED: pl.Boolean(), WHERE: pl.String(), **_TRACED}
    empty = pl.DataFrame(schema=own | dict.fromkeys(COLUMNS, pl.String()))
    return pl.concat([empty, *_reader(data).read(_table(dialect), COLUMNS)])


def careful(data: bytes, dialect: Dialect, piece: int) -> pl.DataFrame | Unreadable:
    """Read row by row from the beginning, text coming in pieces of `piece` bytes."""
    reader, table = _reader(data), _table(dialect)
    file = reader.find(table, table.partitions[0])
    whole = b"".join(body(file)).removesuffix(b"\x1a")
    pieces = (whole[start : start + piece] for start in range(0, len(whole), piece))
    empty = pl.DataFrame(schema={MALFORMED: pl.Boolean(), **_TRACED, **dict.fromkeys(COLUMNS, pl.String())})
    try:
        return pl.concat([empty, *carefully(pieces, file, COLUMNS)])
    except Unreadable as what:
        return what


def _reader(data: bytes) -> CustomerInsights:
    return source_of({"Export/VIP.csv": Blob(data)})


def _table(dialect: Dialect) -> BlobTable:
    """Return the table of one partition."""
    return BlobTable(name="VIP", columns=COLUMNS, partitions=(Partition("Export/VIP.csv", None, dialect),))
