"""A small source of another kind: tables in memory whose columns have types, and that may be replaced, torn or out of reach.

It is what somebody writes who adds a kind of source (docs/sources.md), and nothing else knows of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError, Transient
from shared.sources.source import KEY, MALFORMED, ROW, WHERE, Catalogue, Declared, Part, Table

BATCH: Final = 2
"""Rows of a batch: few, so that a test has several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryTable(Table):
    """A table of one refresh."""

    version: int


@dataclass
class MemorySource:
    """Tables by name, their key column called `key`; `torn` names rows that nobody understands, by their numbers."""

    key: str = "person"
    tables: dict[str, pl.DataFrame] = field(default_factory=dict)
    torn: dict[str, set[int]] = field(default_factory=dict)
    version: int = 0
    modified_at: datetime | None = None
    is_down: bool = False

    def publish(self, tables: dict[str, pl.DataFrame], now: datetime) -> None:
        """Replace all tables: a refresh."""
        self.tables, self.version, self.modified_at = tables, self.version + 1, now

    def catalogue(self) -> Catalogue:
        """Return what there is."""
        self._ask()
        tables = {
            name: MemoryTable(
                name=name,
                columns=tuple(table.columns),
                key=self.key,
                refreshed_at=self.modified_at,
                declared=dict.fromkeys(table.columns, Declared()),
                version=self.version,
            )
            for name, table in self.tables.items()
        }
        return Catalogue(tables, self.modified_at, str(self.version), title="Memory")

    def verify_settled(self, catalogue: Catalogue, names: Iterable[str], *, now: datetime, quiet: timedelta) -> str:
        """Raise SOURCE_NOT_SETTLED for an older refresh, or one that is too young."""
        self._ask()
        if catalogue.version != str(self.version):
            raise ExportError(Reason.SOURCE_NOT_SETTLED, "The tables were replaced.")
        if self.modified_at is not None and now - self.modified_at < quiet:
            raise ExportError(Reason.SOURCE_NOT_SETTLED, "The tables are too young.")
        for name in names:
            catalogue.table(name)
        return str(self.version)

    def read(self, table: Table, columns: Sequence[str], address: str | None = None) -> Iterator[pl.DataFrame]:
        """Return a table's rows as they are typed."""
        self._check(table)
        rows = self.tables[table.name]
        for name in columns:
            if name not in rows.columns:
                reason = Reason.EMAIL_COLUMN_MISSING if name == address else Reason.COLUMN_MISSING
                raise ExportError(reason, f"Table {table.name!r} has no column {name!r}. Correct the mapping.")
        torn = pl.int_range(pl.len()).is_in(list(self.torn.get(table.name, ())))
        place = pl.format("row {} of {}", pl.int_range(pl.len()) + 1, pl.lit(table.name))
        whole = rows.select(
            pl.int_range(pl.len(), dtype=pl.UInt64).alias(ROW),
            pl.when(~torn).then(pl.col(self.key).cast(pl.String)).alias(KEY),
            torn.alias(MALFORMED),
            pl.when(torn).then(place).alias(WHERE),
            *[pl.when(~torn).then(pl.col(name)).alias(name) for name in dict.fromkeys(columns)],
        )
        for batch in whole.iter_slices(BATCH):
            yield batch
            self._check(table)

    def parts(self, table: Table) -> Sequence[Part]:
        """Return the one part of a table."""
        self._check(table)
        return [Part(0, f"{table.name} {self.version}")]

    def count(self, table: Table, part: Part) -> Iterator[int]:  # noqa: ARG002 - there is one
        """Count a table's rows."""
        self._check(table)
        yield self.tables[table.name].height

    def _check(self, table: Table) -> None:
        self._ask()
        if not isinstance(table, MemoryTable) or table.version != self.version:
            raise ExportError(Reason.SOURCE_NOT_SETTLED, "The table was replaced while it was read.")

    def _ask(self) -> None:
        if self.is_down:
            raise Transient(Reason.SOURCE_UNREACHABLE, "Memory does not answer. Wait, or look why it is down.")
