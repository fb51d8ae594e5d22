"""The difference between what the segments say and what the account holds: joiners, changed, unchanged, leavers.

All on digests and bit masks: one row a person, bit n of a mask stands for the run's n-th segment and its list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import polars as pl

from shared.state.state import CUSTOMER, CUSTOMERS, bit, bit_none


@dataclass(frozen=True, slots=True)
class Difference:
    """What a run has to do.

    `operations` has one row a person: `person`, `segment` (UInt8) and `row` (UInt32) where the profile stands (null for
    someone without a row that can be delivered), `contact_id`, `content`, `upsert`, `changed` (Boolean), `add` and `remove` (masks).
    They are in the order of segments and rows, those who left at the end.
    The numbers are the run's counts; `current`, `leaving` and `held_back` (who would leave, were the segment understood) count
    members a list, those in doubt included, in the order of the segments; `kept` counts members who stay because a row without a valid address is
    theirs. `customers` (as CUSTOMERS) says whose rows stand for whom, where that is news. `set_aside` counts rows with
    something to do that this run leaves alone.
    """

    operations: pl.DataFrame
    profiles: int
    duplicates: int
    unchanged: int
    current: tuple[int, ...]
    leaving: tuple[int, ...]
    held_back: tuple[int, ...]
    kept: int
    customers: pl.DataFrame
    set_aside: int = 0

    @property
    def joiners(self) -> int:
        """Memberships to add."""
        return int(self.operations.select(_members("add")).item())

    @property
    def leavers(self) -> int:
        """Memberships to remove."""
        return int(self.operations.select(_members("remove")).item())

    @property
    def changed(self) -> int:
        """Contacts with new values."""
        return int(self.operations["changed"].sum())

    def only(self, people: pl.Series) -> Difference:
        """Return the share of it that concerns `people` (Int128), the rest set aside."""
        chosen = self.operations.filter(pl.col("person").is_in(people.implode()))
        return replace(
            self,
            operations=chosen,
            held_back=(0,) * len(self.held_back),
            kept=0,
            set_aside=self.operations["content"].count() - chosen["content"].count(),
        )


SEEN: Final = pl.Schema({CUSTOMER: pl.Int64(), "seen": pl.UInt64()})
"""Columns of rows without a valid address: whose they are, and the mask of the segments they stand in."""

SEEN_PEOPLE: Final = pl.Schema({"person": pl.Int128(), "seen": pl.UInt64()})
"""The same of people who are named by rows that could not be read."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """What was read in doubt, and so takes nobody off a list.

    `unread` is the mask of segments of which too many rows could not be read. `without_address` says of rows that have
    no valid address, or could not be read, whose they are: `customer` (Int64, as in the state, each once) and the mask of
    segments they are `seen` in. `people` says the same by `person` of rows that could not be read.
    """

    unread: int = 0
    without_address: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SEEN))
    people: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SEEN_PEOPLE))


def difference(
    rows: pl.DataFrame, current: pl.DataFrame, *, segments: int, removable: int, doubt: Doubt | None = None
) -> Difference:
    """Compare the segments' rows with the current members.

    `rows` has a row for each row with a valid address: `person`, `segment`, `row`, `customer` (UInt64, the order of rows
    that share an address), `known_as` (Int64, its CustomerId's digest), `content` (Int64; null for a row that cannot be
    delivered, whose person stays where they are). `current` is `State.on_lists` of the run's lists. `removable` is the mask
    of lists from which leavers go, save for those in `doubt`.
    """
    doubt = doubt or Doubt()
    profiles = _profiles(rows)
    current = _seen(current, doubt)
    joined = profiles.join(current, on="person", how="left", suffix="_current")
    unread = pl.lit(doubt.unread, pl.UInt64)
    gone = current.join(profiles, on="person", how="anti")
    everyone = pl.concat([_staying(joined, removable), _gone(gone, removable)]).with_columns(
        (pl.col("absent") & ~pl.col("seen") & ~unread).alias("remove"),
        (pl.col("absent") & ~pl.col("seen") & unread).alias("held_back"),
        (pl.col("absent") & pl.col("seen")).alias("kept"),
    )
    busy = pl.col("upsert") | (pl.col("add") != 0) | (pl.col("remove") != 0)
    narrow = pl.col("add", "remove").cast(pl.UInt8 if segments <= 8 else pl.UInt64)  # millions of them are kept
    operations = everyone.filter(busy).select(_OPERATION).with_columns(narrow)
    operations = operations.sort("segment", "row", "person", nulls_last=True)
    total = everyone["content"].count()
    return Difference(
        operations=operations,
        profiles=total,
        duplicates=rows["content"].count() - total,
        unchanged=total - operations["content"].count(),
        current=_per_list(current.select(pl.col("lists") | pl.col("attempted")), "lists", segments),
        leaving=_per_list(operations, "remove", segments),
        held_back=_per_list(everyone, "held_back", segments),
        kept=int(everyone.select(_members("kept")).item()),
        customers=joined.filter(
            pl.col("known_as").is_not_null() & pl.col("known_as").ne_missing(pl.col(CUSTOMER))
        ).select("person", pl.col("known_as").alias(CUSTOMER)),
    )


def _staying(joined: pl.DataFrame, removable: int) -> pl.DataFrame:
    """Return what is to be done for each of the profiles, `joined` with who they are among the current members.

    `absent` is the mask of lists that they would be taken off, if nothing was in doubt.
    """
    deliverable = pl.col("content").is_not_null()
    upsert = deliverable & (pl.col("content") != pl.coalesce("content_current", ~pl.col("content")))
    asked = pl.coalesce(pl.col("attempted"), bit_none())
    lists = pl.coalesce(pl.col("lists"), bit_none())
    # Who is suppressed is on no list in truth: once there is anything to send, they are put on all of theirs.
    again = pl.col("contact_id").is_null() & (upsert | ((pl.col("deliverable") & ~lists) != 0))
    known = pl.when(again).then(bit_none()).otherwise(lists)
    return joined.select(
        "person",
        pl.when(deliverable).then("segment").alias("segment"),  # a row that is not delivered has no contact to go along
        pl.when(deliverable).then("row").alias("row"),
        "contact_id",
        "content",
        upsert.alias("upsert"),
        (pl.col("content_current").is_not_null() & (pl.col("content") != pl.col("content_current"))).alias("changed"),
        (pl.col("deliverable") & ~known).alias("add"),
        ((known | asked) & ~pl.col("present") & pl.lit(removable, pl.UInt64)).alias("absent"),
        pl.coalesce(pl.col("seen"), bit_none()).alias("seen"),
    )


def _gone(gone: pl.DataFrame, removable: int) -> pl.DataFrame:
    """Return the same for current members without a profile: nothing but the lists that they would be taken off."""
    # Without an id nobody can be taken off: a verification finds it first.
    absent = pl.when(pl.col("contact_id").is_not_null()).then(
        (pl.col("lists") | pl.col("attempted")) & pl.lit(removable, pl.UInt64)
    )
    return gone.select(
        "person",
        pl.lit(None, pl.UInt8).alias("segment"),
        pl.lit(None, pl.UInt32).alias("row"),
        "contact_id",
        pl.lit(None, pl.Int64).alias("content"),
        pl.lit(value=False).alias("upsert"),
        pl.lit(value=False).alias("changed"),
        bit_none().alias("add"),
        absent.otherwise(bit_none()).alias("absent"),
        "seen",
    )


def _seen(current: pl.DataFrame, doubt: Doubt) -> pl.DataFrame:
    """Add to the current members the segments in which their own row stands without a valid address, or may not have been read."""
    found = current.with_columns(bit_none().alias("seen"))
    for seen, name in ((doubt.without_address, CUSTOMER), (doubt.people, "person")):
        if not seen.is_empty():
            more = pl.col("seen") | pl.col("seen_more").fill_null(bit_none())
            found = found.join(seen, on=name, how="left", suffix="_more").with_columns(more.alias("seen"))
            found = found.drop("seen_more")
    return found


def combine(shares: Sequence[Difference]) -> Difference:
    """Add up the differences of shares of the people; their operations stay as they are, one after the other."""
    return Difference(
        operations=pl.concat([share.operations for share in shares], rechunk=False),
        profiles=sum(share.profiles for share in shares),
        duplicates=sum(share.duplicates for share in shares),
        unchanged=sum(share.unchanged for share in shares),
        current=tuple(map(sum, zip(*[share.current for share in shares], strict=True))),
        leaving=tuple(map(sum, zip(*[share.leaving for share in shares], strict=True))),
        held_back=tuple(map(sum, zip(*[share.held_back for share in shares], strict=True))),
        kept=sum(share.kept for share in shares),
        customers=pl.concat([pl.DataFrame(schema=CUSTOMERS), *(share.customers for share in shares)]),
        set_aside=sum(share.set_aside for share in shares),
    )


_OPERATION: Final = ("person", "segment", "row", "contact_id", "content", "upsert", "changed", "add", "remove")


def _profiles(rows: pl.DataFrame) -> pl.DataFrame:
    """Return one row a person: the row that speaks for them, and the segments they are `present` and `deliverable` in.

    Among rows that share an address the smallest `customer` speaks, whatever the order in which Customer Insights
    wrote them, so that an unchanged segment stays unchanged. The contact waits while one of its rows cannot be delivered.
    """
    can = pl.col("content").is_not_null()
    mask = pl.lit(2, pl.UInt64).pow(pl.col("segment")).cast(pl.UInt64)
    masks = (mask.alias("present"), pl.when(can).then(mask).otherwise(bit_none()).alias("deliverable"))
    doubled = rows["person"].is_duplicated()
    single = rows.filter(~doubled).drop("customer").with_columns(*masks)
    if not doubled.any():
        return single
    several = (
        rows.filter(doubled)
        .with_columns(_waiting().alias("content"))
        .with_columns(*masks)
        .sort("person", ~can, "customer", "content", "segment", "row")
    )
    combined = several.group_by("person").agg(pl.col("present", "deliverable").bitwise_or())
    speaking = several.unique("person", keep="first", maintain_order=True).drop("customer", "present", "deliverable")
    return pl.concat([single, speaking.join(combined, on="person")])


def _waiting() -> pl.Expr:
    """Return the content of rows that share an address: none where one of them is not delivered, so that no other speaks for it."""
    return pl.when(pl.col("content").is_not_null().all().over("person")).then("content")


def _members(mask: str) -> pl.Expr:
    return pl.col(mask).bitwise_count_ones().cast(pl.Int64).sum()


def _per_list(people: pl.DataFrame, mask: str, segments: int) -> tuple[int, ...]:
    if segments == 0:
        return ()
    return people.select(((pl.col(mask) & bit(n)) != 0).sum().alias(str(n)) for n in range(segments)).row(0)
