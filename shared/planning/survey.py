"""Read a run's segments, once: keep of each row what the difference needs, and set its contact aside in the spool."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

import polars as pl

from shared.cleaning.clean import Recipe, clean_batch
from shared.cleaning.notation import Notations
from shared.exports.configuration import MAX_UNREAD_PERCENT
from shared.planning.difference import Doubt
from shared.planning.duplicates import Duplicates
from shared.planning.omissions import Omissions
from shared.planning.spool import Spool, pack, unpack
from shared.planning.unread import Share, Unread, Unreads, unread_of
from shared.reasons.rows import RowReason
from shared.sources.ahead import in_order
from shared.sources.source import WHERE, Declared
from shared.state.digests import DigestKey
from shared.state.former_digests import former_people
from shared.state.state import without

REJECTED: Final = pl.Schema(
    {
        "customer": pl.String(),
        "segment": pl.UInt8(),
        "field": pl.String(),
        "reason": pl.String(),
        "where": pl.String(),
        "hint": pl.String(),
    }
)
"""Columns of rejected rows; `segment` is the index among the run's segments, `where` the file and row of a malformed one,
of which nothing else may be said: what stands in its first field may be anything. `hint` is a Hint, where one is known."""

NO_REJECTED: Final = pl.DataFrame(schema=REJECTED)

_ROWS: Final = pl.Schema(
    {
        "person": pl.Int128(),
        "segment": pl.UInt8(),
        "row": pl.UInt32(),
        "customer": pl.UInt64(),
        "known_as": pl.Int64(),
        "content": pl.Int64(),
    }
)

PART: Final = 200_000
"""Rows whose difference is taken at once, about: some 100 MB of work for a moment."""


class Rows(Protocol):
    """One segment's rows."""

    @property
    def name(self) -> str:
        """The segment's name."""
        ...

    @property
    def columns(self) -> Sequence[str]:
        """The columns it has."""
        ...

    @property
    def declared(self) -> Mapping[str, Declared]:
        """What the source says of them."""
        ...

    def read(self, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Return batches of the reader's own columns and of those asked for (`Source.read`)."""
        ...


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom a run concerns: do leavers go, who must never come back (digests), and, if not everybody, which CustomerIds.

    `perhaps_erased` are those of `erased` that may be former digests. Nobody leaves a segment of whose rows more than `max_unread_percent` could not be read.
    `even_suppressed`: whom the destination would not create, since they are on its suppression list, is sent again.
    """

    remove_leavers: bool
    erased: Sequence[int] = ()
    perhaps_erased: Sequence[int] = ()
    only: Collection[str] | None = None
    max_unread_percent: float = MAX_UNREAD_PERCENT
    even_suppressed: bool = False


def survey(
    segments: Sequence[Rows], recipe: Recipe, key: DigestKey, scope: Scope, spool: Spool, notations: Notations
) -> Survey:
    """Read the segments, once; columns are read as `notations` knows by then, and it learns how they are written."""
    taken = Survey(scope, spool)
    for segment_index, segment in enumerate(segments):
        prepare = partial(_prepare, recipe, key, notations.under(segment.declared), scope.perhaps_erased)
        for batch in in_order(prepare, segment.read(recipe.columns)):
            taken.take(batch, segment_index)
    return taken


@dataclass(frozen=True, slots=True)
class _Batch:
    """Cleaned rows: whole, compact, whose rows have no valid address, what may be anybody's, and what can be delivered, packed.

    `omitted` and `placeholders` are those of `Cleaned`. `erased` are people of theirs of whom a former digest says that they were erased.
    """

    contacts: pl.DataFrame
    compact: pl.DataFrame
    without_address: pl.Series
    unread: Unread
    deliverable: bytes
    omitted: pl.DataFrame
    placeholders: Mapping[str, int]
    erased: Sequence[int]


class Survey:
    """Keeps of each row what the difference needs, the rejected rows whole, and spools the contacts."""

    def __init__(self, scope: Scope, spool: Spool) -> None:
        self._scope = scope
        self._spool = spool
        self._rows = deque([pl.DataFrame(schema=_ROWS)])
        self._rejected = [pack(NO_REJECTED)]  # packed: a few texts would keep their whole batch's
        self._chosen = [pl.Series(dtype=pl.Int128)]
        self._unread = Unreads()
        self.read: Counter[int] = Counter()
        self.addressed: Counter[int] = Counter()
        self.in_doubt: dict[int, Share] = {}
        self.omissions = Omissions()

    def take(self, batch: _Batch, segment_index: int) -> None:
        """Take a batch of the segment of this index."""
        contacts = batch.contacts
        self.read[segment_index] += contacts.height
        compact = batch.compact.with_columns(pl.lit(segment_index, pl.UInt8).alias("segment")).select(_ROWS.names())
        erased = [*self._scope.erased, *batch.erased]
        self._rows.append(without(compact, erased))
        self.addressed[segment_index] += compact.height
        self._spool.append(segment_index, batch.deliverable)
        if erased:
            self._rejected.append(pack(_erased(contacts, compact, erased, segment_index)))
        if self._scope.only is not None:
            customers = contacts.filter(pl.col("email").is_not_null())["customer"]
            self._chosen.append(compact["person"].filter(customers.is_in(list(self._scope.only))))
        bad = contacts.filter(pl.col("reason").is_not_null())
        self._unread.take(segment_index, batch.unread, batch.without_address)
        self._rejected.append(pack(_rejected(bad, segment_index)))
        self.omissions.take(batch.omitted, batch.placeholders, segment_index)

    def shares(self, duplicates: Duplicates) -> Iterator[tuple[pl.Expr, pl.DataFrame]]:
        """Return the rows in shares, each with what its people have in common; once, since what is returned is not kept."""
        count = 1 + sum(rows.height for rows in self._rows) // PART
        shares = [deque([pl.DataFrame(schema=_ROWS)]) for _ in range(count)]
        share = pl.col("person") % count
        while self._rows:
            rows = self._rows.popleft().with_columns(share.cast(pl.UInt32).alias("share"))
            for (number,), some in rows.partition_by("share", as_dict=True, include_key=False).items():
                shares[number].append(some)
        for number, batches in enumerate(shares):
            duplicates.look(number, pl.concat(batches).filter(pl.col("person").is_duplicated()))
        duplicates.gather()
        for number, batches in enumerate(shares):
            rows = pl.concat(batches)
            yield share == number, duplicates.united(number, rows) if duplicates.are_in(number) else rows
            batches.clear()

    def doubt(self) -> Doubt:
        """Return what was read in doubt, before the rows are shared out; how much it is of each segment stands in `in_doubt` then."""
        self.in_doubt = self._unread.shares(self.read, self._rows)
        most = self._scope.max_unread_percent
        return self._unread.doubt(sum(1 << segment for segment, share in self.in_doubt.items() if share.is_over(most)))

    def rejected(self) -> pl.DataFrame:
        """Return the rejected rows (columns of REJECTED)."""
        return pl.concat(map(unpack, self._rejected))

    def chosen(self) -> pl.Series:
        """Return the people of the CustomerIds that the scope names."""
        return pl.concat(self._chosen)


def _prepare(
    recipe: Recipe, key: DigestKey, notations: Notations, perhaps_erased: Sequence[int], rows: pl.DataFrame
) -> _Batch:
    """Clean rows; everything that can be done for a batch by itself, in a thread of its own."""
    cleaned = clean_batch(rows, recipe, notations)
    contacts = cleaned.contacts.with_columns(rows[WHERE].alias("where"))
    deliverable = contacts.filter(pl.col("fields").is_not_null()).select("row", "customer", "fields")
    nameless = contacts.filter(pl.col("email").is_null() & pl.col("customer").is_not_null())
    without_address = key.of_customers(nameless["customer"])
    kept = compact(contacts, key)
    erased = _known_before(contacts, kept, key, perhaps_erased)
    return _Batch(
        contacts,
        kept,
        without_address,
        unread_of(rows, contacts, key) if contacts["reason"].count() else Unread(),
        pack(deliverable),
        cleaned.omitted,
        cleaned.placeholders,
        erased,
    )


def _known_before(contacts: pl.DataFrame, compact: pl.DataFrame, key: DigestKey, former: Sequence[int]) -> list[int]:
    """Return the people whose former digest is among `former`."""
    if not former:
        return []
    before = former_people(key, contacts["email"].drop_nulls())
    return compact["person"].filter(before.is_in(pl.Series(former, dtype=pl.Int128).implode())).to_list()


def compact(contacts: pl.DataFrame, key: DigestKey) -> pl.DataFrame:
    """Keep of each row with a valid address what the difference needs: 44 bytes, the segment's index to come."""
    known = contacts.filter(pl.col("email").is_not_null())
    contents = known.select(pl.col("fields").fill_null("")).to_series()
    end = pl.col("customer").fill_null("").cast(pl.Binary).bin.tail(8)
    padded = pl.lit(b"\0" * 8) + end
    return known.select(
        key.of_people(known["email"]).alias("person"),
        pl.col("row").cast(pl.UInt32),
        padded.bin.tail(8).bin.reinterpret(dtype=pl.UInt64, endianness="big").alias("customer"),
        key.of_customers(known["customer"]).alias("known_as"),
        pl.when(pl.col("fields").is_not_null()).then(key.of_contents(contents)).alias("content"),
    )


def _erased(contacts: pl.DataFrame, compact: pl.DataFrame, erased: Sequence[int], segment_index: int) -> pl.DataFrame:
    """Name the rows of people who were erased and would be delivered again."""
    back = compact.join(without(compact, erased), on="row", how="anti").filter(pl.col("content").is_not_null())
    rows = contacts.with_columns(pl.col("row").cast(pl.UInt32)).join(back.select("row"), on="row", how="semi")
    return _rejected(rows.with_columns(pl.lit(RowReason.ERASED.value).alias("reason")), segment_index)


def _rejected(bad: pl.DataFrame, segment_index: int) -> pl.DataFrame:
    return bad.select("customer", pl.lit(segment_index, pl.UInt8).alias("segment"), "field", "reason", "where", "hint")
