"""A state that is restored from a backup, where the one of before the restore is still there."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from shared.state.digests import SCHEME
from shared.state.state import CUSTOMER, MOST_LISTS, State, bit_none, compact


def doubting(restored: State, present: State) -> State:
    """Return the restored state, in doubt about all that the state of before the restore says otherwise.

    So a member who joined after the backup and has left by now is taken off the list by the next run, one who left after it
    and has come back is put on it, and a value that was delivered after it is sent again. Of whom only the restored state
    knows, it counts as it is.
    """
    names = (*restored.lists, *(list_id for list_id in present.lists if list_id not in restored.lists))[:MOST_LISTS]
    held = (pl.col("lists") | pl.col("attempted")).alias("held")
    is_news = pl.col("held") != bit_none()
    now = present.on_lists(names).select("person", "contact_id", "content", "lists", held)
    known = restored.on_lists(names).with_columns(pl.lit(value=True).alias("is_restored"))
    joined = known.join(now, on="person", how="full", coalesce=True, suffix="_present")
    joined = joined.filter(pl.col("is_restored").fill_null(value=False) | is_news)
    before = pl.col("lists").fill_null(bit_none())
    lists = before & pl.coalesce("lists_present", before)
    doubted = pl.col("attempted").fill_null(bit_none()) | ((pl.col("held").fill_null(bit_none()) | before) & ~lists)
    is_same = pl.col("held").is_null() | pl.col("content").eq_missing(pl.col("content_present"))
    people = joined.select(
        "person",
        pl.coalesce("contact_id", "contact_id_present").alias("contact_id"),
        pl.when(is_same).then("content").alias("content"),
        lists.alias("lists"),
        doubted.alias("attempted"),
        CUSTOMER,
    )
    digests = SCHEME if restored.digests == present.digests == SCHEME else None
    return compact(replace(restored, lists=names, people=people.sort("person"), digests=digests))
