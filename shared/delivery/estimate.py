"""How many calls a difference takes: what `shared.delivery.delivery` makes of it if every call is answered well.

Kept beside it: `tests/delivery/test_estimate.py` holds the one to the other. What an account answers otherwise comes on top,
as do a handful of calls a run (the account's lists, a list that has to be made, a proof), and those that contacts of many
bytes take where the destination bounds the size of a call.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from shared.delivery.capabilities import ANY_LISTS, Capabilities, ListMethod, Names, fills_by_sending
from shared.delivery.chunks import CHUNK_SIZE

_N: Final = pl.col("contacts")
_SENT: Final = pl.col("sent")
_LISTS: Final = pl.col("lists")
_OFF: Final = pl.col("removals")


def expected_calls(operations: pl.DataFrame, can: Capabilities, method: ListMethod) -> int:
    """Return the calls that `Difference.operations` take on an account whose lists are filled by `method`."""
    chunks = _chunks(operations, can, method)
    return int(chunks.select((_sends(method, can) + _moves(method, can)).sum()).item())


def introductions(operations: pl.DataFrame, can: Capabilities, method: ListMethod) -> int:
    """Return the calls that they take besides where new people may not be mailed.

    Before each call that sends contacts, one creates those of them who are not there, and is believed as the call itself is.
    """
    chunks = _chunks(operations, can, method)
    return int(chunks.select(_sends(method, can).sum()).item())


def _chunks(operations: pl.DataFrame, can: Capabilities, method: ListMethod) -> pl.DataFrame:
    """Return what each chunk of the operations holds: its contacts, and how many of them are sent, moved and taken off."""
    lists = pl.col("add").bitwise_count_ones().cast(pl.Int64)
    sent = pl.col("upsert") | ((lists > 0) & pl.col("contact_id").is_null())
    # Who was never there needs no removal; a call that sends a contact may take it off its lists too.
    leaves = pl.when(sent | pl.col("contact_id").is_not_null()).then(pl.col("remove").bitwise_count_ones())
    off = leaves.fill_null(0).cast(pl.Int64)
    taken = sent & (off > 0) if method.removals else pl.lit(value=False)
    with_lists = sent | (lists > 0) if fills_by_sending(method, can) else sent
    return (
        operations.sort("segment", "row", "person", nulls_last=True)
        .with_columns(lists.alias("lists"), sent.alias("sent"), off.alias("removals"), taken.alias("taken"))
        .with_columns(pl.when(with_lists if method.removals else False).then(0).otherwise("removals").alias("removals"))
        .with_columns(pl.col("segment").is_null().alias("gone"))
        .with_columns((pl.int_range(pl.len()).over("gone", "upsert", "lists") // CHUNK_SIZE).alias("chunk"))
        .with_columns(_moved_with(method, can).alias("moved"))
        .group_by("gone", "upsert", "lists", "chunk")
        .agg(
            pl.len().cast(pl.Int64).alias("contacts"),
            pl.col("sent", "taken").cast(pl.Int64).sum(),
            ((pl.col("removals") > 0) & ~pl.col("moved")).cast(pl.Int64).sum().alias("leaving"),
            (pl.col("removals") > 0).cast(pl.Int64).sum().alias("leavers"),
            pl.col("moved").cast(pl.Int64).sum(),
            pl.col("removals").sum(),
        )
    )


def _carried(method: ListMethod) -> pl.Expr:
    """Return on how many of its lists a call that sends a contact puts it."""
    return pl.min_horizontal(_LISTS, pl.lit(method.lists, pl.Int64))


def _moved_with(method: ListMethod, can: Capabilities) -> pl.Expr:
    """Return whether a contact goes on a list by a move, which then takes it off others too if a move does that."""
    if fills_by_sending(method, can):
        return pl.lit(value=False)
    return (_LISTS - pl.when("sent").then(_carried(method)).otherwise(0)) > 0


def _sends(method: ListMethod, can: Capabilities) -> pl.Expr:
    """Return the calls of a chunk that send contacts, and those that read them back where an answer names nobody.

    All contacts of a chunk go on as many lists. Those that are not sent for their values' sake catch up at the end.
    """
    loaded, taken = _calls(_SENT, max(1, method.contacts), can), pl.col("taken")
    alone = _calls(_SENT - taken, can.contacts, can) + _calls(taken, max(1, method.contacts), can)
    apart = pl.when(_LISTS > 0).then(loaded).otherwise(alone) if method.lists else alone
    first = loaded if method.contacts == can.contacts else apart
    if not fills_by_sending(method, can):
        return first
    rounds = (_LISTS + (method.lists - 1)) // method.lists
    more = (rounds - 1) * _calls(_N, method.contacts, can) + _calls(_N - _SENT, method.contacts, can)
    return first + pl.when(_LISTS > 0).then(more).otherwise(0)


def _moves(method: ListMethod, can: Capabilities) -> pl.Expr:
    """Return the calls of a chunk that move contacts."""
    if can.move_lists == ANY_LISTS:
        return _looked(pl.col("moved"), pl.col("moved"), can) + _looked(pl.col("leaving"), pl.col("leaving"), can)
    on = pl.lit(0, pl.Int64) if fills_by_sending(method, can) else _N * _LISTS - _SENT * _carried(method)
    return _looked(on, pl.col("moved"), can) + _looked(_OFF, pl.col("leavers"), can)


def _calls(contacts: pl.Expr, size: int, can: Capabilities) -> pl.Expr:
    """Return the calls that send contacts, `size` each, and those that read each call's contacts back if need be."""
    if can.answers is Names.EACH:
        return _parts(contacts, size)
    full = contacts // size
    return _parts(contacts, size) + full * -(-size // can.looks) + _parts(contacts - full * size, can.looks)


def _looked(moves: pl.Expr, contacts: pl.Expr, can: Capabilities) -> pl.Expr:
    """Return the calls that make moves, and those that read the contacts back if need be, each contact once."""
    made = _parts(moves, can.moves)
    return made if can.answers is Names.EACH else made + _parts(contacts, can.looks)


def _parts(things: pl.Expr, size: int) -> pl.Expr:
    return (things + (size - 1)) // size
