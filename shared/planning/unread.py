"""What of the segments was read in doubt: rows that could not be read, and whom they may name.

A line that could not be read may hold several rows, and its words may name people. They are known by their digests alone, and stay
on their lists; nothing is sent for them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from shared.cleaning.addresses import normalised
from shared.cleaning.text import normalised_keys
from shared.planning.difference import SEEN, SEEN_PEOPLE, Doubt
from shared.reasons.rows import RowReason
from shared.sources.source import CANDIDATES, MALFORMED, WEIGHT
from shared.state.digests import DigestKey
from shared.state.state import CUSTOMER

ANY_NUMBER: Final = 1 << 30
"""The weight from which on nobody can say how many rows a line stands for."""

_KEYS: Final = pl.Schema({"segment": pl.UInt8(), CUSTOMER: pl.Int64()})
_PEOPLE: Final = pl.Schema({"segment": pl.UInt8(), "person": pl.Int128()})


@dataclass(frozen=True, slots=True)
class Unread:
    """Of a batch: `rows` that may be anybody's, the rows that may stand in them (`weight`), and whom they may name (digests)."""

    rows: int = 0
    weight: int = 0
    customers: pl.Series = field(default_factory=lambda: pl.Series(dtype=pl.Int64))
    people: pl.Series = field(default_factory=lambda: pl.Series(dtype=pl.Int128))


@dataclass(frozen=True, slots=True)
class Share:
    """Of a segment: the rows that were `read`, and of those how many were in doubt.

    `unread` could not be understood, and `weight` rows may stand in them; `repeated` have the key of another row.
    """

    read: int
    unread: int
    weight: int
    repeated: int

    def is_over(self, percent: float) -> bool:
        """Return whether the rows in doubt are more than a share of those that there may be."""
        return (self.weight + self.repeated) * 100 > (self.read - self.unread + self.weight) * percent

    def __str__(self) -> str:
        """Return it as part of a sentence."""
        return f"of whose {self.read:,} rows " + " and ".join(self._told())

    def _told(self) -> list[str]:
        told = []
        if self.unread or not self.repeated:
            told.append(f"{self.unread:,} ({100 * self.unread / max(1, self.read):.2g}%) could not be read")
        if self.weight >= ANY_NUMBER:
            told.append("may stand for any number of rows")
        elif self.weight > self.unread:
            told.append(f"may hold {self.weight:,} rows")
        if self.repeated:
            told.append(
                f"{self.repeated:,} ({100 * self.repeated / max(1, self.read):.2g}%) have the key of another row"
            )
        return told


def unread_of(batch: pl.DataFrame, contacts: pl.DataFrame, key: DigestKey) -> Unread:
    """Return what of a batch may be anybody's: malformed rows, and those with neither a key nor an address.

    Where most of what stands in the column of addresses is none, it holds something else, and who it is cannot be said.
    """
    bad = contacts.filter(pl.col("reason").is_not_null())
    malformed = bad["reason"] == RowReason.ROW_MALFORMED.value
    invalid = bad["reason"] == RowReason.EMAIL_INVALID.value
    lost = malformed | (bad["email"].is_null() & bad["customer"].is_null())
    valid = contacts.height - contacts["email"].null_count()
    rows = int((lost | invalid).sum() if int(invalid.sum()) > valid else lost.sum())
    if not malformed.any():
        return Unread(rows, rows)
    broken = batch.filter(MALFORMED)
    more = (
        int(broken[WEIGHT].drop_nulls().cast(pl.Int64).sum() - broken[WEIGHT].count())
        if WEIGHT in broken.columns
        else 0
    )
    if CANDIDATES not in broken.columns:
        return Unread(rows, rows + more)
    texts = broken[CANDIDATES].explode().drop_nulls().unique().alias("text")
    addresses = normalised(texts.filter(texts.str.contains("@", literal=True))).drop_nulls()
    customers = key.of_customers(normalised_keys(texts).drop_nulls())
    return Unread(rows, rows + more, customers, key.of_people(addresses))


class Unreads:
    """What was read in doubt of all segments, by their index."""

    def __init__(self) -> None:
        self.rows: Counter[int] = Counter()
        self._weights: Counter[int] = Counter()
        self._nameless = [pl.DataFrame(schema=_KEYS)]
        self._customers = [pl.DataFrame(schema=_KEYS)]
        self._people = [pl.DataFrame(schema=_PEOPLE)]

    def take(self, segment: int, unread: Unread, nameless: pl.Series) -> None:
        """Take what is in doubt of a batch, and the digests of the keys of its rows without a valid address."""
        self.rows[segment] += unread.rows
        self._weights[segment] += unread.weight
        for held, digests, schema in (
            (self._nameless, nameless, _KEYS),
            (self._customers, unread.customers, _KEYS),
            (self._people, unread.people, _PEOPLE),
        ):
            if len(digests):
                here = pl.lit(segment, pl.UInt8).alias("segment")
                held.append(digests.to_frame(schema.names()[1]).select(here, pl.all()))

    def shares(self, read: Counter[int], rows: Iterable[pl.DataFrame]) -> dict[int, Share]:
        """Return the share of rows in doubt of each segment; `rows` have `segment` and `known_as`, the digests of their keys."""
        known = [part.select("segment", pl.col("known_as").alias(CUSTOMER)) for part in rows]
        keys = pl.concat([*known, *self._nameless]).drop_nulls()
        repeats = keys.group_by("segment").agg(pl.len() - pl.col(CUSTOMER).n_unique())
        repeated = dict(repeats.iter_rows())
        return {
            segment: Share(count, self.rows[segment], self._weights[segment], repeated.get(segment, 0))
            for segment, count in read.items()
        }

    def doubt(self, unread: int) -> Doubt:
        """Return the doubt; `unread` is the mask of segments of which too much could not be read."""
        mask = pl.lit(2, pl.UInt64).pow(pl.col("segment")).cast(pl.UInt64).alias("seen")

        def seen(tables: list[pl.DataFrame], name: str, schema: pl.Schema) -> pl.DataFrame:
            found = pl.concat(tables).select(name, mask)
            return found.group_by(name).agg(pl.col("seen").bitwise_or()).cast(schema)

        customers = seen([*self._nameless, *self._customers], CUSTOMER, SEEN)
        return Doubt(unread, customers, seen(self._people, "person", SEEN_PEOPLE))
