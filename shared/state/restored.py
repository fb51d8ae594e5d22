"""A state that is restored from a backup, where the one of before the restore is still there."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from shared.state.digests import SCHEME
from shared.state.state import CUSTOMER, MOST_LISTS, State, bit_none, compact


def doubting(restored: State, present: State) -> State:
    """Return the restored state, in doubt about every membership that only the state of before the restore knows.

    So a member who joined after the backup and has left by now is taken off the list by the next run. Whatever the
    restored state knows counts as it is.
    """
    names = (*restored.lists, *(list_id for list_id in present.lists if list_id not in restored.lists))[:MOST_LISTS]
    held = (pl.col("lists") | pl.col("attempted")).alias("held")
    news = present.on_lists(names).select("person", "contact_id", held).filter(pl.col("held") != bit_none())
    joined = restored.on_lists(names).join(news, on="person", how="full", coalesce=True, suffix="_present")
    lists = pl.col("lists").fill_null(bit_none())
    doubted = pl.col("attempted").fill_null(bit_none()) | (pl.col("held").fill_null(bit_none()) & ~lists)
    people = joined.select(
        "person",
        pl.coalesce("contact_id", "contact_id_present").alias("contact_id"),
        "content",
        lists.alias("lists"),
        doubted.alias("attempted"),
        CUSTOMER,
    )
    digests = SCHEME if restored.digests == present.digests == SCHEME else None
    return compact(replace(restored, lists=names, people=people.sort("person"), digests=digests))
