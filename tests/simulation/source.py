"""The source: segments that are lists of people, as Customer Insights' adapter gives them; a refresh replaces them all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache

import polars as pl

from shared.cleaning.clean import MALFORMED, ROW
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.sources.blob_export.customer_insights import CustomerInsights
from shared.sources.catalogue import Catalogue, Dialect, Partition, Table
from tests.simulation.azure import Cloud
from tests.simulation.once import kept
from tests.simulation.stage import Fault

COLUMNS = ("CustomerId", "Email", "FirstName")

type Segments = Mapping[str, Mapping[str, str]]
"""Members of each segment: first name by address."""


class Source(CustomerInsights):
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
        """Say what there is."""
        self._ask("model.json")
        tables = {name: self._table(name) for name in self.segments}
        return Catalogue(tables, self.refreshed_at, f'"v{self.version}"')

    def _table(self, name: str) -> Table:
        return Table(name, COLUMNS, (Partition(f"v{self.version}/{name}.csv", None, Dialect()),), self.refreshed_at)

    def verify_settled(self, catalogue: Catalogue, names: Iterable[str], *, now: datetime, quiet: timedelta) -> None:
        """Raise ExportError SOURCE_NOT_SETTLED once the catalogue is an older one."""
        self._ask("HEAD model.json")
        if catalogue.etag != f'"v{self.version}"':
            raise ExportError(Reason.SOURCE_NOT_SETTLED, "model.json changed while it was read.")

    def read(self, table: Table, columns: Sequence[str], address: str | None = None) -> Iterator[pl.DataFrame]:
        """Give a segment's rows; raises ExportError SOURCE_NOT_SETTLED if it was replaced."""
        self._ask(f"read {table.name}")
        if table.partitions[0].path != f"v{self.version}/{table.name}.csv":
            raise ExportError(Reason.SOURCE_NOT_SETTLED, "replaced while it was read")
        yield _rows(tuple(self.segments[table.name].items()), tuple(dict.fromkeys(columns)))

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
    return kept(
        pl.DataFrame(
            {
                ROW: pl.Series(range(len(people)), dtype=pl.UInt64),
                MALFORMED: pl.Series([False] * len(people), dtype=pl.Boolean),
                **{name: pl.Series(values[name], dtype=pl.String) for name in columns},
            }
        )
    )
