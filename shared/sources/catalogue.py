"""The catalogue: what `model.json` (Common Data Model) says of tables, columns and partitions. No SDK.

A table that cannot be understood is a fault of its own: the others are read as if it were not there (`shared.sources.blob_export.model`).
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError

CUSTOMER_ID: Final = "CustomerId"


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


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its columns in order, and its partitions in order.

    `data_types` are its columns' types and `date_formats` their own formats, as far as `model.json` says.
    """

    name: str
    columns: tuple[str, ...]
    partitions: tuple[Partition, ...]
    refreshed_at: datetime | None
    data_types: Mapping[str, str] = field(default_factory=dict)
    date_formats: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_profile_table(self) -> bool:
        """Whether it holds customer profiles, so that it can be exported."""
        return CUSTOMER_ID in self.columns


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What Customer Insights last wrote; `etag` tells one refresh from the next.

    `faults` says of tables that cannot be understood why not; they are not among `tables`.
    """

    tables: Mapping[str, Table]
    modified_at: datetime | None
    etag: str
    faults: Mapping[str, str] = field(default_factory=dict)

    def table(self, name: str) -> Table:
        """Return the segment's table.

        Raises ExportError SEGMENT_MISSING with near names, SOURCE_MALFORMED with the table's fault, or SEGMENT_NOT_ELIGIBLE.
        """
        if name in self.faults:
            raise ExportError(Reason.SOURCE_MALFORMED, self.faults[name])
        found = self.tables.get(name)
        if found is None:
            near = difflib.get_close_matches(name, [*self.tables, *self.faults], n=3)
            hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
            raise ExportError(Reason.SEGMENT_MISSING, f"Customer Insights' output has no segment {name!r}.{hint}")
        if not found.is_profile_table:
            raise ExportError(Reason.SEGMENT_NOT_ELIGIBLE, f"Table {name!r} has no column {CUSTOMER_ID!r}.")
        return found
