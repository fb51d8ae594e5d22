"""The source: segments that are lists of people, as Customer Insights' adapter gives them; a refresh replaces them all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import polars as pl

from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.sources.source import OWN_COLUMNS, Catalogue, Part, Table
from tests.simulation.azure import Cloud
from tests.simulation.keys import kept
from tests.simulation.stage import Fault
from tests.sources.batches import batch

COLUMNS = ("CustomerId", "Email", "FirstName")

type Segments = Mapping[str, Mapping[str, str]]
"""Members of each segment: first name by address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Members(Table):
    """A segment of one refresh."""

    version: int


class Source:
    """Segments as they stand. Each look at it is a call."""

    def __init__(self, cloud: Cloud, segments: Segments) -> None:
        self.cloud = cloud
        self.segments = segments
        self.version = 1
        self.refreshed_at: datetime = cloud.moment()

    def refresh(self, segments: Segments) -> None:
        """Replace all segments."""
        self.segments, self.version, self.refreshed_at = segments, self.version + 1, self.cloud.moment()

    def catalogue(self) -> Catalogue:
        """Return what there is."""
        self._ask("model.json")
        tables = {name: self._table(name) for name in self.segments}
        return Catalogue(tables, self.refreshed_at, f'"v{self.version}"')

    def _table(self, name: str) -> Table:
        return Members(
            name=name, columns=COLUMNS, key="CustomerId", refreshed_at=self.refreshed_at, version=self.version
        )

    def verify_settled(self, catalogue: Catalogue, names: Iterable[str], *, now: datetime, quiet: timedelta) -> str:
        """Raise ExportError SOURCE_NOT_SETTLED once the catalogue is an older one."""
        self._ask("HEAD model.json")
        if catalogue.version != f'"v{self.version}"':
            raise ExportError(Reason.SOURCE_NOT_SETTLED, "model.json changed while it was read.")
        return str(self.version)

    def read(self, table: Table, columns: Sequence[str], address: str | None = None) -> Iterator[pl.DataFrame]:
        """Yield a segment's rows; raises ExportError SOURCE_NOT_SETTLED if it was replaced."""
        self._ask(f"read {table.name}")
        if not isinstance(table, Members) or table.version != self.version:
            raise ExportError(Reason.SOURCE_NOT_SETTLED, "replaced while it was read")
        yield _rows(tuple(self.segments[table.name].items()), tuple(dict.fromkeys(columns)))

    def parts(self, table: Table) -> Sequence[Part]:
        """Return one part: a segment of one refresh."""
        return [Part(0, f"{table.name} {self.version}")]

    def count(self, table: Table, part: Part) -> Iterator[int]:
        """Count a segment's members."""
        self._ask(f"count {table.name}")
        yield len(self.segments[table.name])

    def _ask(self, what: str) -> None:
        fault = self.cloud.stage.turn(f"SOURCE {what}")
        if self.cloud.down.get("source", 0) > self.cloud.stage.now:
            fault = self.cloud.stage.fails()
        if fault in {Fault.FAIL, Fault.LOSE}:
            raise ExportError(Reason.SOURCE_UNREACHABLE, "Customer Insights' storage cannot be reached.")


@cache
def _rows(people: Sequence[tuple[str, str]], columns: Sequence[str]) -> pl.DataFrame:
    values = {
        "CustomerId": [f"c-{email}" for email, _ in people],
        "Email": [email for email, _ in people],
        "FirstName": [name for _, name in people],
    }
    table = pl.DataFrame(values, schema=dict.fromkeys(COLUMNS, pl.String))
    return kept(batch(table).select(*OWN_COLUMNS, *columns))
