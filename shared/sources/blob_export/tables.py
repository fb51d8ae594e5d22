"""Tables of Customer Insights' Blob export: of which files they consist, and how those are told to be written. No SDK."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from shared.sources.blob_export.date_format import order_of
from shared.sources.source import DateOrder, Declared, Table

CUSTOMER_ID: Final = "CustomerId"
"""The key column of Customer Insights' tables of profiles."""

TITLE: Final = "Customer Insights' output"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a partition is written, as far as `model.json` says; `header` is None where it does not.

    `quote` is None where values are told to be written without quotes.
    """

    delimiter: str = ","
    quote: str | None = '"'
    header: bool | None = None


@dataclass(frozen=True, slots=True)
class Partition:
    """One file of a table: its path in the container, and its snapshot if the location names one."""

    path: str
    snapshot: str | None
    dialect: Dialect


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobTable(Table):
    """One table, and its partitions in order."""

    key: str = CUSTOMER_ID
    partitions: tuple[Partition, ...]


def partitions_of(table: Table) -> tuple[Partition, ...]:
    """Return a table's partitions; raise TypeError for a table of another source, which nobody mixes up on purpose."""
    if not isinstance(table, BlobTable):
        raise TypeError(f"{table.name!r} is no table of a Blob export")
    return table.partitions


def version_key(table: Table, partition: Partition, version: str) -> str:
    """Return what names a version of a partition as it is told to be read; `version` is its snapshot or its ETag."""
    dialect = partition.dialect
    told = [
        table.columns,
        partition.path,
        partition.snapshot,
        dialect.delimiter,
        dialect.quote,
        dialect.header,
        version,
    ]
    return sha256(json.dumps(told).encode()).hexdigest()[:32]


_NUMBERS: Final = {"int64", "double", "decimal"}
_DATES: Final = {"date", "datetime", "datetimeoffset"}


def declared(data_type: str, date_format: str | None = None) -> Declared:
    """Return what a data type of the Common Data Model and a date format such as `dd/MM/yyyy` say of a column.

    Customer Insights itself writes its dates in US format; where a format is told that is not understood, nothing is assumed.
    """
    kind = data_type.lower()
    said = order_of(date_format) if date_format and date_format.strip() else "says_nothing"
    order: DateOrder | None = said if said in ("day_first", "month_first") else None
    is_usual = kind in _DATES and said not in ("not_understood", "year_day_month")
    return Declared(kind in _NUMBERS, order, "month_first" if is_usual else None, said == "year_day_month")
