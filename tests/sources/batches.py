"""Batches of rows as a source returns them, of tables that a test writes down."""

from __future__ import annotations

import polars as pl

from shared.sources.source import KEY, MALFORMED, OWN_COLUMNS, ROW, WHERE


def batch(table: pl.DataFrame, *, first: int = 0, malformed: bool = False) -> pl.DataFrame:
    """Return a table's columns beside the reader's own; keys are those in `CustomerId`, if it has such a column."""
    key = pl.col("CustomerId") if "CustomerId" in table.columns else pl.lit(None, pl.String)
    missing = {
        ROW: pl.int_range(first, first + pl.len(), dtype=pl.UInt64),
        KEY: key,
        MALFORMED: pl.lit(malformed),
        WHERE: pl.lit(None, pl.String),
    }
    whole = table.with_columns(value.alias(name) for name, value in missing.items() if name not in table.columns)
    return whole.select(*OWN_COLUMNS, pl.exclude(OWN_COLUMNS))
