"""The Source port: what we need of whatever segments come from, in our words. No SDK.

A kind of source is a folder beside this file and a line in `shared.composition.sources`. docs/sources.md says how to add one;
tests/sources/contract.py is what it must do.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol

import polars as pl

from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError

ROW: Final = "\0row"
"""Column of a row's number among the table's rows (UInt64, from 0)."""

KEY: Final = "\0key"
"""Column of a row's key (String): what the source knows a person by; null where it has none, or the row is malformed."""

MALFORMED: Final = "\0malformed"
"""Column that says of a row that it could not be understood (Boolean): then all its values are null."""

WHERE: Final = "\0where"
"""Column of a malformed row's place (String): its file and number, so that its owner finds it; null for all others."""

OWN_COLUMNS: Final = (ROW, KEY, MALFORMED, WHERE)
"""The reader's own columns. No column of a source begins with such a character, so that one may well be called `row`."""

WEIGHT: Final = "\0weight"
"""Column of how many rows may stand in a malformed one (UInt32, at least 1); null for all others."""

CANDIDATES: Final = "\0candidates"
"""Column of what in a malformed row may be a key or an address (list of String); null for all others.

It stays within the process: only digests are made of it, and nothing of it is shown, logged or stored.
"""

TRACES: Final = (WEIGHT, CANDIDATES)
"""What a source may say of malformed rows besides: both columns in each batch of a table, or neither."""

DateOrder = Literal["day_first", "month_first"]


@dataclass(frozen=True, slots=True)
class Declared:
    """What a source says of a column of texts: does it hold numbers, and which comes first in a date.

    `order` is told, so that a date which does not fit it is wrong; `usual_order` is how the source writes dates where
    neither it nor the column says. With `year_day_month` it is told that 1980-05-01 has its day before its month. A column of numbers, flags, dates or moments that is read as such says so itself by its type.
    """

    is_number: bool = False
    order: DateOrder | None = None
    usual_order: DateOrder | None = None
    year_day_month: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table of a source: its columns in order, and the one of them that holds its rows' keys.

    A kind of source may add to it what it needs to find the rows.
    """

    name: str
    columns: tuple[str, ...]
    key: str
    refreshed_at: datetime | None = None
    declared: Mapping[str, Declared] = field(default_factory=dict)

    @property
    def has_key(self) -> bool:
        """Whether its rows have keys, so that it is a table of people and can be exported."""
        return self.key in self.columns


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What a source holds since its last refresh; `version` tells one refresh from another.

    `faults` says of tables that cannot be understood why not; they are not among `tables`. `title` is what people call
    the source.
    """

    tables: Mapping[str, Table]
    modified_at: datetime | None
    version: str
    faults: Mapping[str, str] = field(default_factory=dict)
    title: str = "The source"

    def table(self, name: str) -> Table:
        """Return a segment's table.

        Raise ExportError SEGMENT_MISSING with near names, SOURCE_MALFORMED with the table's fault, or SEGMENT_NOT_ELIGIBLE.
        """
        if name in self.faults:
            raise ExportError(Reason.SOURCE_MALFORMED, self.faults[name])
        found = self.tables.get(name)
        if found is None:
            near = difflib.get_close_matches(name, [*self.tables, *self.faults], n=3)
            hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
            raise ExportError(Reason.SEGMENT_MISSING, f"{self.title} has no segment {name!r}.{hint}")
        if not found.has_key:
            raise ExportError(Reason.SEGMENT_NOT_ELIGIBLE, f"Table {name!r} has no column {found.key!r}.")
        return found


class Source(Protocol):
    """A system that segments come from. Safe for threads.

    Its errors are ExportErrors whose detail says what to do and holds no value of a row. What may pass by itself (no
    answer, throttling, no token) is a Transient, and is waited out.
    """

    def catalogue(self) -> Catalogue:
        """Return what there is. Raise SOURCE_UNREACHABLE, or SOURCE_MALFORMED if nothing of it can be understood.

        One table that cannot be understood is a fault of its own, and harms no other.
        """
        ...

    def verify_settled(self, catalogue: Catalogue, names: Iterable[str], *, now: datetime, quiet: timedelta) -> str:
        """Raise SOURCE_NOT_SETTLED unless `catalogue` is the last refresh, at least `quiet` old and written to its end.

        The end is looked for in the tables of `names` only. Return a version of their rows: another one as soon as any of
        them is written again, whether or not the catalogue is. Raise SOURCE_UNREACHABLE for rows that are not there.
        """
        ...

    def read(self, table: Table, columns: Sequence[str], address: str | None = None) -> Iterator[pl.DataFrame]:
        """Return a table's rows in batches, in the same order each time.

        A batch has OWN_COLUMNS, perhaps TRACES, and those asked for: as String, null where it is empty, or as the source types them
        (integers, floats, Boolean, Date, Datetime), never written out as text. `address` is the column of e-mail
        addresses, by which a source without a schema may tell that a file is not what it is taken for.

        Rows that cannot be understood are marked, not left out: there may be anybody in them. Raise SOURCE_MALFORMED for
        rows that are not what they are taken for as a whole, COLUMN_MISSING (EMAIL_COLUMN_MISSING for `address`) for a
        column that is not there, SOURCE_NOT_SETTLED for rows that are replaced while they are read.
        """
        ...

    def parts(self, table: Table) -> Sequence[Part]:
        """Return the parts of which a table's rows consist, in order: what is counted, and remembered, by itself."""
        ...

    def count(self, table: Table, part: Part) -> Iterator[int]:
        """Count the rows of a part; return what is found step by step, so that whoever asks may stop waiting."""
        ...


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a table, by its number among the table's parts.

    Parts of one version (at most 64 characters) have the same number of rows, in whatever process they are counted; None
    where nothing tells one version from another.
    """

    number: int
    version: str | None


@dataclass(frozen=True, slots=True)
class SourceSegment:
    """One segment of a source, as a run reads it: with a `beat` for each batch, so that it is seen to be at work.

    `address` is the column of e-mail addresses; `check_unchanged` raises once another refresh is written.
    """

    source: Source
    table: Table
    address: str | None = None
    beat: Callable[[], None] = lambda: None
    check_unchanged: Callable[[], None] = lambda: None

    @property
    def name(self) -> str:
        """The segment's name."""
        return self.table.name

    @property
    def columns(self) -> Sequence[str]:
        """The columns it has."""
        return self.table.columns

    @property
    def declared(self) -> Mapping[str, Declared]:
        """What the source says of them."""
        return self.table.declared

    def read(self, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Return its rows in batches. Whatever is found wrong while the next refresh is written is only not settled."""
        try:
            for batch in self.source.read(self.table, columns, self.address):
                self.beat()
                yield batch
        except ExportError:
            self.check_unchanged()
            raise
