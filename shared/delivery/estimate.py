"""How many calls a difference takes: what `shared.delivery.delivery` makes of it if every call is answered well.

Kept beside it: `tests/delivery/test_estimate.py` holds the one to the other. What an account answers otherwise comes on top,
as do a handful of calls a run: the account's lists, a list that has to be made, a proof.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from shared.delivery.account import BULK_SIZE, Filling
from shared.delivery.chunks import CHUNK_SIZE

_N: Final = pl.col("contacts")
_SENT: Final = pl.col("sent")
_LISTS: Final = pl.col("lists")


def expected_calls(operations: pl.DataFrame, filling: Filling) -> int:
    """Return the calls that `Difference.operations` take on an account whose lists are filled by `filling`."""
    lists = pl.col("add").bitwise_count_ones().cast(pl.Int64)
    sent = pl.col("upsert") | ((lists > 0) & pl.col("contact_id").is_null())
    removed = pl.when(sent | pl.col("contact_id").is_not_null()).then(pl.col("remove").bitwise_count_ones())
    chunks = (
        operations.sort("segment", "row", "person", nulls_last=True)
        .with_columns(lists.alias("lists"), sent.alias("sent"), removed.cast(pl.Int64).alias("removed"))
        .with_columns((pl.int_range(pl.len()).over("upsert", "lists") // CHUNK_SIZE).alias("chunk"))
        .group_by("upsert", "lists", "chunk")
        .agg(pl.len().cast(pl.Int64).alias("contacts"), pl.col("sent", "removed").cast(pl.Int64).sum())
    )
    return int(chunks.select((_of_a_chunk(filling) + pl.col("removed")).sum()).item())


def _of_a_chunk(filling: Filling) -> pl.Expr:
    """Return the calls of a chunk but for its removals: all of its contacts go on as many lists, some must be sent."""
    match filling:
        case Filling.BULK:  # each call puts its contacts on one list; those that are not sent catch up at the end
            rounds = (_LISTS - 1) * _in_bulk(_N) + _in_bulk(_N - _SENT)
            return _in_bulk(_SENT) + pl.when(_LISTS > 0).then(rounds).otherwise(0)
        case Filling.CONTACT:  # the call that sends a contact puts it on its first list
            return pl.when(_LISTS > 0).then(_N * _LISTS).otherwise(_in_bulk(_SENT))
        case Filling.MEMBERSHIP:
            return _in_bulk(_SENT) + _N * _LISTS


def _in_bulk(contacts: pl.Expr) -> pl.Expr:
    return (contacts + (BULK_SIZE - 1)) // BULK_SIZE
