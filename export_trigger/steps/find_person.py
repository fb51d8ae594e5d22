"""Find a person's rows in the segments, stream by stream: which there are, which one speaks, what cleaning makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import polars as pl
from pydantic_core import from_json

from shared.cleaning.clean import Cleaned, Recipe, clean_batch
from shared.cleaning.contact import decoded, united
from shared.cleaning.notation import Notations
from shared.composition.app import App
from shared.lifecycle.segments import open_refresh
from shared.planning.duplicates import ORDER
from shared.planning.survey import compact
from shared.planning.unread import Share, Unread, unread_of
from shared.reasons.errors import ExportError
from shared.reasons.rows import Hint, RowReason
from shared.sources.ahead import in_order
from shared.sources.source import KEY, MALFORMED, ROW, WHERE, SourceSegment
from shared.state.digests import DigestKey

READERS: Final = 2
"""Segments that are read at a time."""

MOST_ROWS: Final = 100
"""Rows of one person in one segment that are looked at."""

NO_DOUBT: Final = Share(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Omitted:
    """A value that is left out of the contact: its field, and what to do."""

    field: str
    advice: str


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One row of a person: whose by CustomerId, its number in the segment, and what cleaning made of it.

    `is_by_address` is False for a row that is known by its CustomerId alone: it has another address now, or none. `reason`
    is None where it can be delivered; `speaks` tells the row that speaks for the person.
    """

    segment: str
    customer: str | None
    row: int
    is_by_address: bool
    reason: str | None
    field: str | None
    advice: str
    omitted: tuple[Omitted, ...]
    speaks: bool = False

    @property
    def is_without_address(self) -> bool:
        """Whether it has no valid address: then its person stays on the lists, by its CustomerId."""
        return self.reason in {RowReason.EMAIL_MISSING, RowReason.EMAIL_INVALID}


@dataclass(frozen=True, slots=True)
class Looked:
    """One segment as it was read: the person's rows, cleaned, and rows that could not be read, which may be anybody's.

    `in_doubt` is the share of those, `is_named` says that one of them may name the person. `fault` is the reason why the
    segment could not be read; then nothing is known of it.
    """

    segment: str
    rows: tuple[PersonRow, ...] = ()
    unreadable: int = 0
    in_doubt: Share = NO_DOUBT
    is_named: bool = False
    fault: ExportError | None = None
    published_at: datetime | None = None

    def may_hold(self, max_unread_percent: float) -> bool:
        """Whether the person, though no row is theirs, may be among the rows in doubt, so that a run takes them off no list."""
        return self.is_named or self.in_doubt.is_over(max_unread_percent)


@dataclass(frozen=True, slots=True)
class Person:
    """A person in the segments, and the contact that would be sent, with its digest; None if there is none, or it waits."""

    segments: tuple[Looked, ...]
    contact: Mapping[str, Any] | None
    content: int | None

    @property
    def waits(self) -> bool:
        """Whether one of the rows with this address is rejected, in whatever segment: the whole contact waits for it."""
        return any(row.is_by_address and row.reason is not None for looked in self.segments for row in looked.rows)


@dataclass(frozen=True, slots=True)
class _Read:
    """What was kept of a segment while it was streamed."""

    name: str
    rows: pl.DataFrame
    unreadable: int
    in_doubt: Share
    is_named: bool
    declared: SourceSegment
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Part:
    """The same of one batch; `keys` are digests of its rows' keys."""

    rows: pl.DataFrame
    read: int
    unreadable: int
    unread: Unread
    keys: pl.Series


def find_person(
    app: App, names: Sequence[str], recipe: Recipe, key: DigestKey, address: str, customer: int | None
) -> Person:
    """Find who has this normalised address, or the CustomerId of this digest, in segments; each is read once, and may fail by itself."""
    notations = Notations(recipe.date_order)

    def read(name: str) -> _Read | ExportError:
        try:
            return _read(app, name, recipe, key, notations, address, customer)
        except ExportError as end:
            return end

    with ThreadPoolExecutor(READERS) as pool:
        found = dict(zip(names, pool.map(read, names), strict=True))
    known = [item for item in found.values() if isinstance(item, _Read)]
    cleaned = [(item, clean_batch(item.rows, recipe, notations.under(item.declared.declared))) for item in known]
    speaking, contact, content = _speaking(cleaned, recipe, key, address)
    looked = {item.name: _looked(item, one, address, speaking) for item, one in cleaned}
    return Person(
        tuple(looked.get(name) or Looked(name, fault=_fault(found[name])) for name in names), contact, content
    )


def _fault(found: _Read | ExportError) -> ExportError | None:
    return found if isinstance(found, ExportError) else None


def _read(
    app: App, name: str, recipe: Recipe, key: DigestKey, notations: Notations, address: str, customer: int | None
) -> _Read:
    """Stream a segment and keep the person's rows; how its dates and numbers are written is learnt from all of them."""
    column = recipe.address
    refresh = open_refresh(app, [name], column, quiet=0)
    (segment,) = refresh.segments
    learning, known = _learning(recipe), notations.under(segment.declared)

    def own(batch: pl.DataFrame) -> _Part:
        contacts = clean_batch(batch, learning, known).contacts
        keys = key.of_customers(contacts["customer"])
        mine = (contacts["email"] == address).fill_null(value=False)
        if customer is not None:
            mine |= (keys == customer).fill_null(value=False)
        unread = unread_of(batch, contacts, key)
        return _Part(batch.filter(mine).head(MOST_ROWS), batch.height, int(batch[MALFORMED].sum()), unread, keys)

    kept = list(in_order(own, segment.read(recipe.columns)))
    refresh.check_unchanged()
    rows = pl.concat([part.rows for part in kept]) if kept else _no_rows(recipe)
    named = any(_names(part.unread, key.of_person(address), customer) for part in kept)
    broken = sum(part.unreadable for part in kept)
    return _Read(name, rows.head(MOST_ROWS), broken, _share(kept), named, segment, refresh.published_at)


def _names(unread: Unread, person: int, customer: int | None) -> bool:
    """Return whether rows that could not be read may name a person, by the address or by the CustomerId."""
    by_key = customer is not None and (unread.customers == customer).any()
    return by_key or unread.people.is_in(pl.Series([person], dtype=pl.Int128).implode()).any()


def _share(parts: Sequence[_Part]) -> Share:
    """Return the share of a segment's rows that are in doubt, as a plan counts them."""
    keys = pl.concat([pl.Series(dtype=pl.Int64), *(part.keys for part in parts)]).drop_nulls()
    return Share(
        read=sum(part.read for part in parts),
        unread=sum(part.unread.rows for part in parts),
        weight=sum(part.unread.weight for part in parts),
        repeated=len(keys) - keys.n_unique(),
    )


def _no_rows(recipe: Recipe) -> pl.DataFrame:
    own = {ROW: pl.UInt64, KEY: pl.String, MALFORMED: pl.Boolean, WHERE: pl.String}
    return pl.DataFrame(schema={**own, **dict.fromkeys(recipe.columns, pl.String)})


def _learning(recipe: Recipe) -> Recipe:
    """Return the part of a recipe that says who somebody is, and whose values the whole column has to tell how to read."""
    doubtful = {
        name: column for name, column in recipe.mapping.items() if recipe.fields.type_of(name) in _WRITTEN_IN_WAYS
    }
    return replace(recipe, mapping={recipe.fields.address: recipe.address, **doubtful})


_WRITTEN_IN_WAYS: Final = {"date", "float", "integer"}


def _speaking(
    cleaned: Sequence[tuple[_Read, Cleaned]], recipe: Recipe, key: DigestKey, address: str
) -> tuple[tuple[str, int] | None, Mapping[str, Any] | None, int | None]:
    """Return which row speaks (segment, row), the contact of all rows together, and its digest; none while one of them is rejected."""
    met = [
        one.contacts.filter(pl.col("email") == address).with_columns(
            pl.lit(segment_index, pl.UInt8).alias("segment"), pl.lit(item.name).alias("name")
        )
        for segment_index, (item, one) in enumerate(cleaned)
    ]
    rows = pl.concat(met) if met else pl.DataFrame()
    if rows.is_empty() or rows["fields"].has_nulls():
        return None, None, None
    digests = compact(rows, key).select("person", "content", pl.col("customer").alias("order"))
    ordered = pl.concat([rows.drop("customer"), digests.rename({"order": "customer"})], how="horizontal").sort(ORDER)
    bodies = pl.concat(
        [ordered.select("person", "fields"), decoded(ordered["fields"], recipe.mapping, recipe.fields)],
        how="horizontal",
    )
    whole = united(bodies, recipe.mapping, recipe.cleared, recipe.fields)["fields"]
    return (ordered["name"][0], int(ordered["row"][0])), from_json(whole[0]), int(key.of_contents(whole)[0])


def _looked(item: _Read, cleaned: Cleaned, address: str, speaking: tuple[str, int] | None) -> Looked:
    rows = tuple(
        PersonRow(
            segment=item.name,
            customer=row["customer"],
            row=int(row["row"]),
            is_by_address=row["email"] == address,
            reason=row["reason"],
            field=row["field"],
            advice=_advice(row["reason"], row["hint"]),
            omitted=_omitted(cleaned, row["row"]),
            speaks=speaking == (item.name, int(row["row"])),
        )
        for row in cleaned.contacts.iter_rows(named=True)
    )
    return Looked(item.name, rows, item.unreadable, item.in_doubt, item.is_named, published_at=item.published_at)


def _omitted(cleaned: Cleaned, row: int) -> tuple[Omitted, ...]:
    found = cleaned.omitted.filter(pl.col("row") == row)
    return tuple(
        Omitted(str(field), _advice(RowReason.VALUE_OMITTED, hint))
        for field, hint in found.select("field", "hint").iter_rows()
    )


def _advice(reason: str | None, hint: str | None) -> str:
    if hint is not None:
        return Hint(hint).advice
    return RowReason(reason).advice if reason else ""
