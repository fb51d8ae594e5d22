"""State: what we know a destination holds because we delivered it, and the base of the next difference.

One row a person: `person` (Int128, keyed digest of the address), `contact_id` (String, the destination's), `content` (Int64,
keyed digest of the contact as last confirmed; null if unknown), `lists` (UInt64, bit n = confirmed on list n),
`attempted` (UInt64, bit n = asked for, answer lost) and `customer` (Int64, keyed digest of the CustomerId whose row stood
for them last; null if unknown, and not there at all in states that were written before it was kept). Bits count through
`State.lists`, which names the lists by id. Who has bits in `lists` and no id is on the destination's suppression list: not
there, and not sent again while the content stays the same. No profile is in it, and no address.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, reduce
from typing import Final

import polars as pl

from shared.state.digests import SCHEME

MOST_LISTS: Final = 64
"""Lists one export can be a member of: the bits of a UInt64."""

_MASKS: Final = ("lists", "attempted", "removed")

SCHEMA: Final = pl.Schema(
    {
        "person": pl.Int128(),
        "contact_id": pl.String(),
        "content": pl.Int64(),
        "lists": pl.UInt64(),
        "attempted": pl.UInt64(),
    }
)

_NOBODY: Final = pl.DataFrame(schema=SCHEMA)

CUSTOMER: Final = "customer"

CUSTOMERS: Final = pl.Schema({"person": pl.Int128(), CUSTOMER: pl.Int64()})
"""Columns of what a plan learnt: whose row, by CustomerId, stands for a person."""


@dataclass(frozen=True, slots=True)
class State:
    """What the destination holds of one export: the ids of its lists, and a row for each person.

    `digests` is the scheme that all of its digests were made by; None if that is not known, as of states that were
    written before it was noted.
    """

    lists: tuple[str, ...]
    people: pl.DataFrame
    digests: str | None = None

    @classmethod
    def empty(cls) -> State:
        """Nothing delivered yet."""
        return cls((), _NOBODY, SCHEME)

    @property
    def has_unnamed(self) -> bool:
        """Whether somebody may be on a list whose id there nobody knows: only reading the list back tells."""
        return bool((self.people["contact_id"].is_null() & (self.people["attempted"] != 0)).any())

    @property
    def is_in_doubt(self) -> bool:
        """Whether somebody may be on a list and nobody knows: a call for it had no answer."""
        return bool((self.people["attempted"] != 0).any())

    def on_lists(self, list_ids: Sequence[str]) -> pl.DataFrame:
        """Return the people with `lists` and `attempted` counted through `list_ids`; bits of other lists are left out."""
        people = self.people
        if CUSTOMER not in people.columns:
            people = people.with_columns(pl.lit(None, pl.Int64).alias(CUSTOMER))
        return remap_bits(people, self.lists, list_ids)


def without(people: pl.DataFrame, erased: Sequence[int]) -> pl.DataFrame:
    """Leave out the rows of people (column `person`) who were erased."""
    if not erased:
        return people
    return people.filter(~pl.col("person").is_in(pl.Series(list(erased), dtype=pl.Int128).implode()))


@cache
def bit(position: int) -> pl.Expr:
    """Return the mask with one bit set."""
    return pl.lit(1 << position, pl.UInt64)


def remap_bits(table: pl.DataFrame, old: Sequence[str], new: Sequence[str]) -> pl.DataFrame:
    """Count a table's masks through `new` instead of `old`; bits of lists that `new` lacks are left out."""
    masks = [name for name in _MASKS if name in table.columns]
    return table.with_columns(_remap(pl.col(name), old, new).alias(name) for name in masks)


def _remap(mask: pl.Expr, old: Sequence[str], new: Sequence[str]) -> pl.Expr:
    """Move each bit of `mask` from its list's index in `old` to its index in `new`."""
    moved = [
        pl.when((mask & bit(n)) != 0).then(bit(new.index(list_id))).otherwise(bit_none())
        for n, list_id in enumerate(old)
        if list_id in new
    ]
    return pl.sum_horizontal(moved) if moved else mask * bit_none()


@cache
def bit_none() -> pl.Expr:
    """Return the empty mask."""
    return pl.lit(0, pl.UInt64)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one operation came to: only what an answer confirmed, and what was asked without an answer.

    `person` is the digest; `content` the content's digest if the contact was confirmed to hold it; `unconfirmed` says that
    other values than the known ones were sent, and no answer told whether it holds them; `added`, `removed`,
    `attempted` and `perhaps_removed` name lists by id, one that is in both `removed` and `attempted`, as a table has those of
    `perhaps_removed`, is in doubt; `recreated`
    says that the contact that was known is gone: whatever else is named is of the one that took its place.
    """

    person: int
    contact_id: str | None = None
    content: int | None = None
    unconfirmed: bool = False
    recreated: bool = False
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    attempted: tuple[str, ...] = ()
    perhaps_removed: tuple[str, ...] = ()


FORMER_RECEIPTS: Final = pl.Schema({**SCHEMA, "removed": pl.UInt64(), "reborn": pl.Boolean()})
"""Columns of receipts that older versions of the app wrote too."""

RECEIPTS: Final = pl.Schema({**FORMER_RECEIPTS, "unconfirmed": pl.Boolean()})
"""Columns of receipts as a table: those of the state, lists taken off, (`reborn`) whether the contact that was known is gone,
and whether values were sent that nobody confirmed."""


def tabulate(receipts: Iterable[Receipt], list_ids: Sequence[str]) -> pl.DataFrame:
    """Write receipts as a table with the columns of RECEIPTS, masks counted through `list_ids`."""
    bits = {list_id: 1 << n for n, list_id in enumerate(list_ids)}
    rows = [
        (
            receipt.person,
            receipt.contact_id,
            receipt.content,
            sum(bits[list_id] for list_id in receipt.added),
            sum(bits[list_id] for list_id in {*receipt.attempted, *receipt.perhaps_removed}),
            sum(bits[list_id] for list_id in {*receipt.removed, *receipt.perhaps_removed}),
            receipt.recreated,
            receipt.unconfirmed,
        )
        for receipt in receipts
    ]
    return pl.DataFrame(rows, schema=RECEIPTS, orient="row")


def merge(state: State, receipts: pl.DataFrame, list_ids: Sequence[str]) -> State:
    """Merge a run's receipts into the state it started from.

    `receipts` has the columns of RECEIPTS, masks counted through `list_ids`, in the order in which they were recorded.
    Lists that nobody is on any more lose their bit (and, past MOST_LISTS, those that no run fills any more); people on no
    list stay while their contact is known, so that a return costs no second upsert. Who has no id stays while it is in
    doubt whether they are on a list: reading the list back tells. Of whom values are unconfirmed no content is known any more:
    they are sent again, also where their segment says by then what was confirmed before.
    """
    names = (*list_ids, *(list_id for list_id in state.lists if list_id not in list_ids))[:MOST_LISTS]
    news = remap_bits(_combined(receipts), list_ids, names)
    joined = state.on_lists(names).join(news, on="person", how="full", coalesce=True, suffix="_new")

    def mask(name: str) -> pl.Expr:
        return pl.col(name).fill_null(0)

    reborn = pl.col("reborn").fill_null(value=False)
    before = pl.when(reborn).then(bit_none()).otherwise(mask("lists"))
    confirmed = (before | mask("lists_new")) & ~mask("removed")
    people = joined.select(
        "person",
        _known("contact_id", reborn),
        _known("content", reborn | pl.col("unconfirmed").fill_null(value=False)),
        confirmed.alias("lists"),
        (((mask("attempted") & ~mask("removed")) | mask("attempted_new")) & ~confirmed).alias("attempted"),
        CUSTOMER,
    )
    return compact(replace(state, lists=names, people=known_or_doubted(people).sort("person")))


def _known(name: str, is_over: pl.Expr) -> pl.Expr:
    """Return what a receipt says, else what was known; that is over for all of a contact that is gone."""
    return pl.when(is_over).then(f"{name}_new").otherwise(pl.coalesce(f"{name}_new", name)).alias(name)


def known_or_doubted(people: pl.DataFrame) -> pl.DataFrame:
    """Return the people of a state that have an id at the destination, are suppressed there, or of whom it is in doubt."""
    return people.filter(pl.col("contact_id").is_not_null() | (pl.col("attempted") != 0) | (pl.col("lists") != 0))


def is_suppressed() -> pl.Expr:
    """Return whether a person of a state is on the destination's suppression list, and so on no list in truth."""
    return pl.col("contact_id").is_null() & (pl.col("attempted") == 0)


def identify(state: State, customers: pl.DataFrame) -> State:
    """Note whose row stands for each person; `customers` has the columns of CUSTOMERS, each person once."""
    known = state.on_lists(state.lists).join(customers, on="person", how="left", suffix="_new")
    named = pl.coalesce(f"{CUSTOMER}_new", CUSTOMER).alias(CUSTOMER)
    return replace(state, people=known.with_columns(named).drop(f"{CUSTOMER}_new"))


def _combined(receipts: pl.DataFrame) -> pl.DataFrame:
    """Combine the receipts of each person into one, in their order: a chunk that was continued leaves several."""
    doubled = receipts["person"].is_duplicated()
    if not doubled.any():
        return receipts
    turns = receipts.filter(doubled).with_columns(pl.int_range(pl.len()).over("person").alias("turn"))
    turns_by_number = turns.partition_by("turn", maintain_order=True, include_key=False)
    several = reduce(_one_after_the_other, turns_by_number)
    return pl.concat([receipts.filter(~doubled), several.select(receipts.columns)])


def _one_after_the_other(first: pl.DataFrame, second: pl.DataFrame) -> pl.DataFrame:
    """Return one receipt a person that comes to the same as the first and then, where there is one, the second."""
    joined = first.join(second, on="person", how="left", suffix="_new")
    reborn = pl.col("reborn_new").fill_null(value=False)
    unconfirmed = pl.col("unconfirmed_new").fill_null(value=False)

    def before(name: str) -> pl.Expr:
        return pl.when(reborn).then(bit_none()).otherwise(pl.col(name))

    def then(name: str) -> pl.Expr:
        return pl.col(f"{name}_new").fill_null(bit_none())

    return joined.select(
        "person",
        _known("contact_id", reborn),
        _known("content", reborn | unconfirmed),
        ((before("lists") | then("lists")) & ~then("removed")).alias("lists"),
        ((pl.col("attempted") & ~then("removed")) | then("attempted")).alias("attempted"),
        ((pl.col("removed") & ~then("lists")) | then("removed")).alias("removed"),
        (pl.col("reborn") | reborn).alias("reborn"),
        (unconfirmed | (pl.col("unconfirmed") & pl.col("content_new").is_null())).alias("unconfirmed"),
    )


def displaced(former: State, state: State, receipts: pl.DataFrame, list_ids: Sequence[str]) -> int:
    """Count who lost lists to a contact that is gone, though nobody took them off: `state` is `former` with the receipts."""
    gone = receipts.filter("reborn").select("person")
    if gone.is_empty():
        return 0
    off = receipts.join(gone, on="person", how="semi").group_by("person").agg(pl.col("removed").bitwise_or())
    now = state.on_lists(list_ids).select("person", pl.col("lists").alias("now"))
    people = former.on_lists(list_ids).join(off, on="person").join(now, on="person", how="left")
    lost = pl.col("lists") & ~pl.col("removed") & ~pl.col("now").fill_null(bit_none())
    return int(people.select((lost != 0).sum()).item())


def compact(state: State) -> State:
    """Drop the bits of lists that nobody is on."""
    used = state.people.select(
        (((pl.col("lists") | pl.col("attempted")) & bit(n)) != 0).any().alias(str(n)) for n in range(len(state.lists))
    )
    kept = tuple(list_id for n, list_id in enumerate(state.lists) if used.item(0, str(n)))
    return replace(state, lists=kept, people=state.on_lists(kept)) if kept != state.lists else state
