"""What a plan leaves out: values that their field cannot take, named, and texts that stand for "no value", counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

import polars as pl

from shared.planning.spool import pack, unpack
from shared.reasons.rows import RowReason

MOST_NAMED: Final = 200_000
"""Values that are named, about; more are only counted: nobody reads more lines, and memory stays flat."""

_SCHEMA: Final = pl.Schema(
    {"customer": pl.String(), "segment": pl.UInt8(), "field": pl.String(), "reason": pl.String(), "hint": pl.String()}
)


class Omissions:
    """Collects what is left out, batch by batch."""

    def __init__(self) -> None:
        self._named = [pack(pl.DataFrame(schema=_SCHEMA))]  # packed: a few texts would keep their whole batch's
        self._count = 0
        self.placeholders: Counter[str] = Counter()
        self.values: Counter[str] = Counter()
        """Values left out, by field."""

    def take(self, omitted: pl.DataFrame, placeholders: Mapping[str, int], segment: int) -> None:
        """Take what a batch of a segment leaves out: see `Cleaned`."""
        self.placeholders.update(placeholders)
        if omitted.is_empty():
            return
        self.values.update(dict(omitted["field"].value_counts().iter_rows()))
        if self._count < MOST_NAMED:
            self._count += omitted.height
            named = omitted.with_columns(
                pl.lit(segment, pl.UInt8).alias("segment"), pl.lit(RowReason.VALUE_OMITTED.value).alias("reason")
            )
            self._named.append(pack(named.select(_SCHEMA.names())))

    def named(self) -> pl.DataFrame:
        """Return the values that are left out: whose, of which segment and field, and what they look like."""
        return pl.concat(map(unpack, self._named))
