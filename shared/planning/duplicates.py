"""Several rows of one person: what the row that speaks for them lacks, another one says.

Rows that share an address are one contact. One row speaks (`shared.planning.difference`); a field it has no value for
takes the first value among the person's other rows, in the same order, as unification does in Customer Insights. Only
people whose rows differ are looked at: their contacts are fetched from the spool once, in one go, and put together a
share of the people at a time, so that memory stays flat.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import polars as pl

from shared.cleaning.clean import Recipe
from shared.cleaning.contact import decoded, united
from shared.planning.spool import Spool, pack, unpack
from shared.sources.ahead import in_order
from shared.state.digests import DigestKey

_WANTED: Final = pl.Schema({"segment": pl.UInt8(), "row": pl.UInt32(), "share": pl.UInt32()})
ORDER: Final = ("person", "customer", "content", "segment", "row")
"""The order of a person's rows: the first one speaks."""


class Duplicates:
    """Puts the rows of each person together. Shares of the people are looked at first, all of them, and then united."""

    def __init__(self, recipe: Recipe, key: DigestKey, spool: Spool) -> None:
        self._recipe = recipe
        self._key = key
        self._spool = spool
        self._wanted = [pl.DataFrame(schema=_WANTED)]

    def look(self, share: int, rows: pl.DataFrame) -> None:
        """Note whose rows differ among `rows`, those of people with several in a share."""
        deliverable = rows.filter(pl.col("content").is_not_null())
        known = deliverable.filter(pl.col("person").is_duplicated())
        differ = known.filter(pl.col("content").n_unique().over("person") > 1)
        if not differ.is_empty():
            self._wanted.append(differ.select("segment", "row", pl.lit(share, pl.UInt32).alias("share")))

    def gather(self) -> None:
        """Fetch the contacts of rows that differ from the spool, share by share."""
        for (segment,), wanted in pl.concat(self._wanted).partition_by("segment", as_dict=True).items():
            pick = partial(_picked, wanted.sort("row"))
            for frame, found in enumerate(in_order(pick, self._spool.packed(segment))):
                origin = (pl.lit(segment, pl.UInt8).alias("segment"), pl.lit(frame, pl.UInt32).alias("frame"))
                for (share,), some in found.partition_by("share", as_dict=True, include_key=False).items():
                    self._spool.append(("share", share), pack(some.with_columns(origin)))
        self._wanted.clear()

    def are_in(self, share: int) -> bool:
        """Return whether a share has people whose rows differ, once they are gathered."""
        return ("share", share) in self._spool

    def united(self, share: int, rows: pl.DataFrame) -> pl.DataFrame:
        """Return the rows of a share with what each person's contact comes to; what is new in it waits in the spool."""
        contacts = pl.concat([unpack(packed) for packed in self._spool.packed(("share", share))])
        met = contacts.join(rows, on=["segment", "row"]).sort(ORDER)
        bodies = pl.concat(
            [met.select("person", "fields"), decoded(met["fields"], self._recipe.mapping, self._recipe.fields)],
            how="horizontal",
        )
        whole = united(bodies, self._recipe.mapping, self._recipe.cleared, self._recipe.fields)
        spoken = met.unique("person", keep="first", maintain_order=True).select("person", pl.col("fields").alias("own"))
        news = whole.join(spoken, on="person").filter(pl.col("fields") != pl.col("own")).drop("own")
        if news.is_empty():
            return rows
        self._amend(met.drop("fields", "content").join(news, on="person"))
        news = news.select("person", self._key.of_contents(news["fields"]).alias("whole"))
        content = pl.when(pl.col("content").is_not_null()).then(pl.coalesce("whole", "content"))
        return rows.join(news, on="person", how="left").with_columns(content.alias("content")).drop("whole")

    def _amend(self, met: pl.DataFrame) -> None:
        """Set aside the whole contact of each person, for the row that speaks now that all their rows say the same."""
        speaking = met.sort("person", "customer", "segment", "row").unique("person", keep="first", maintain_order=True)
        for (segment, frame), some in speaking.partition_by("segment", "frame", as_dict=True).items():
            self._spool.amend(segment, frame, pack(some.select("row", "fields")))


def _picked(wanted: pl.DataFrame, packed: bytes) -> pl.DataFrame:
    """Return the wanted rows of a packed frame."""
    contacts = unpack(packed)
    rows = contacts["row"].cast(pl.UInt32)
    if rows.is_empty():
        return contacts.select(rows, "fields").with_columns(pl.lit(0, pl.UInt32).alias("share"))
    begin, end = wanted["row"].search_sorted(pl.Series([rows[0], rows[-1] + 1], dtype=pl.UInt32))
    here = wanted.slice(begin, end - begin)
    places = rows.search_sorted(here["row"])
    return pl.DataFrame([here["row"], contacts["fields"].gather(places), here["share"]])
