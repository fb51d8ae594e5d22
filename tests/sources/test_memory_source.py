"""The source in memory keeps the contract: another kind of source needs nothing outside its own file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

import polars as pl
import pytest

from tests.sources.contract import COLUMNS, PEOPLE, Rows, SourceContract
from tests.sources.memory_source import MemorySource

_SCHEMA: Final = {"person": pl.String, "Name": pl.String, "Email": pl.String, "Points": pl.Int32}


class Stage:
    """A source in memory."""

    def __init__(self) -> None:
        self.source = MemorySource()

    def publish(self, tables: Mapping[str, Rows], *, torn: int | None = None) -> None:
        made = {
            name: pl.DataFrame([{"person": f"k{n}", **row} for n, row in enumerate(rows)], schema=_SCHEMA)
            for name, rows in tables.items()
        }
        self.source.torn = {} if torn is None else {name: {torn} for name in tables}
        self.source.publish(made, datetime.now(UTC))

    def publish_without_key(self, name: str) -> None:
        self.source.publish({name: pl.DataFrame(PEOPLE).select(COLUMNS)}, datetime.now(UTC))

    def take_away(self, column: str) -> None:
        self.source.tables = {name: table.drop(column) for name, table in self.source.tables.items()}

    @contextmanager
    def down(self) -> Iterator[None]:
        self.source.is_down = True
        yield
        self.source.is_down = False


class TestMemorySource(SourceContract):
    """The contract, in memory."""

    @pytest.fixture
    def stage(self) -> Stage:
        return Stage()
