"""Plan a run: read the segments, clean and deduplicate, take the difference to the state, cut it into chunks.

The segments are read once. Of each row 45 bytes stay in memory (digests, places), which is enough for the difference;
its contact waits in the spool, and is written to a chunk if it has something to do. The difference is taken a part of the
people at a time. So memory stays flat, and the same input gives the same chunks to the byte.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Protocol

import polars as pl

from shared.ahead import in_order
from shared.configuration import Guards
from shared.domain.chunks import Cutter, lines
from shared.domain.cleaning import WHERE, Cleaned, Recipe, clean_batch
from shared.domain.difference import SEEN, Difference, Doubt, difference, together
from shared.domain.digests import DigestKey
from shared.domain.duplicates import Duplicates, contacts_of, unpacked
from shared.domain.notation import Declared, Notations, agreed
from shared.domain.omissions import Omissions
from shared.domain.spool import Spool, pack, unpack
from shared.domain.state import CUSTOMERS, State, without
from shared.reasons import Reason, RowReason, RunEnded

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
"""Columns of rejected rows; `segment` is the place among the run's segments, `where` the file and row of a malformed one,
of which nothing else may be said: what stands in its first field may be anything. `hint` is a Hint, where one is known."""

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

_WITHOUT_ADDRESS: Final = pl.Schema({"customer": pl.Int64(), "segment": pl.UInt8()})

_IDENTITIES: Final = -1
"""Where the spool keeps whose rows stand for whom, beside the segments' contacts."""

MAX_UNREAD_PERCENT: Final = 0.1
"""Rows of a hundred that may be unreadable before nobody leaves a segment, unless the export says otherwise."""

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
        """Return batches of ROW (its number), MALFORMED and the asked columns, as text; WHERE names a malformed row's place."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do.

    `parts` are the differences of a part of the people each; `rows_read` and `rows_unread` (of those, the ones that could
    not be understood) count a segment each; `rejected` has the columns of REJECTED; `contacts` holds what can be
    delivered: `row`, `customer`, `fields`, in the order of rows. `omissions` tells what their contacts go without.
    """

    parts: tuple[Difference, ...]
    rows_read: tuple[int, ...]
    rows_unread: tuple[int, ...]
    rejected: pl.DataFrame
    contacts: Spool
    omissions: Omissions

    @property
    def difference(self) -> Difference:
        """The difference of all people."""
        return together(self.parts)

    @property
    def named(self) -> pl.DataFrame:
        """What the owner of the rows is told (columns of REJECTED): rows that are rejected, values that are left out."""
        return pl.concat([self.rejected, self.omissions.named()], how="diagonal")

    @property
    def is_nothing(self) -> bool:
        """Whether Autopilot already holds what the segments say."""
        return self.difference.operations.is_empty()

    def identities(self) -> Iterator[pl.DataFrame]:
        """Return, a part at a time, whose rows stand for whom where that is news (columns of CUSTOMERS)."""
        return map(unpack, self.contacts.packed(_IDENTITIES))


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom a run concerns: do leavers go, who must never come back (digests), and, if not everybody, which CustomerIds.

    Nobody leaves a segment of whose rows more than `max_unread_percent` could not be read.
    """

    remove_leavers: bool
    erased: Sequence[int] = ()
    only: Collection[str] | None = None
    max_unread_percent: float = MAX_UNREAD_PERCENT


def plan(
    segments: Sequence[Rows],
    recipe: Recipe,
    key: DigestKey,
    state: State,
    list_ids: Sequence[str],
    scope: Scope,
    spool: Spool,
) -> Plan:
    """Take the difference between the segments and the state.

    `list_ids` names the segments' lists in order; a list that Autopilot does not have yet is the empty text. A segment
    with too many rows that cannot be read loses nobody: behind each of them stands one who seems to have left. Nor does
    a row that is rejected make its person leave, known by its address or else by its CustomerId. `spool` is what the
    plan's contacts wait in; whoever opened it closes it.
    Raises RunEnded for a column that a segment lacks.
    """
    for segment in segments:
        _check_columns(segment, recipe)
    notations = Notations(recipe.date_order, agreed(segment.declared for segment in segments))
    survey = _surveyed(segments, recipe, key, scope, spool, notations)
    if not notations.settle():
        spool.clear()
        survey = _surveyed(segments, recipe, key, scope, spool, notations)
    removable = sum(1 << place for place in range(len(segments)) if scope.remove_leavers)
    held, doubt = state.on_lists(list_ids), survey.doubt()
    parts = (
        _identified(
            difference(rows, held.filter(mine), segments=len(segments), removable=removable, doubt=doubt), spool
        )
        for mine, rows in survey.parts(Duplicates(recipe, key, spool))
    )
    return Plan(
        parts=tuple(parts if scope.only is None else (part.only(survey.chosen()) for part in parts)),
        rows_read=tuple(survey.read[place] for place in range(len(segments))),
        rows_unread=tuple(survey.unread[place] for place in range(len(segments))),
        rejected=survey.rejected(),
        contacts=spool,
        omissions=survey.omissions,
    )


def _surveyed(
    segments: Sequence[Rows], recipe: Recipe, key: DigestKey, scope: Scope, spool: Spool, notations: Notations
) -> _Survey:
    """Read the segments, once; columns are read as `notations` knows by then, and it learns how they are written."""
    survey = _Survey(scope, spool)
    for place, segment in enumerate(segments):
        for batch in in_order(partial(_prepare, recipe, key, notations), segment.read(recipe.columns)):
            survey.take(batch, place)
    return survey


def _identified(part: Difference, spool: Spool) -> Difference:
    """Set aside in the spool whose rows stand for whom: of everybody, at a first load."""
    if not part.customers.is_empty():
        spool.append(_IDENTITIES, pack(part.customers))
    return replace(part, customers=pl.DataFrame(schema=CUSTOMERS))


@dataclass(frozen=True, slots=True)
class _Batch:
    """Cleaned rows: whole, compact, whose rows have no valid address, and what can be delivered, packed for the spool."""

    contacts: pl.DataFrame
    compact: pl.DataFrame
    without_address: pl.Series
    deliverable: bytes
    cleaned: Cleaned


class _Survey:
    """Keeps of each row what the difference needs, the rejected rows whole, and spools the contacts."""

    def __init__(self, scope: Scope, spool: Spool) -> None:
        self._scope = scope
        self._spool = spool
        self._rows = deque([pl.DataFrame(schema=_ROWS)])
        self._rejected = [pack(pl.DataFrame(schema=REJECTED))]  # packed: a few texts would keep their whole batch's
        self._chosen = [pl.Series(dtype=pl.Int128)]
        self._without_address = [pl.DataFrame(schema=_WITHOUT_ADDRESS)]
        self.read: Counter[int] = Counter()
        self.unread: Counter[int] = Counter()
        self.omissions = Omissions()

    def take(self, batch: _Batch, place: int) -> None:
        """Take a batch of the segment at `place`."""
        contacts = batch.contacts
        self.read[place] += contacts.height
        compact = batch.compact.with_columns(pl.lit(place, pl.UInt8).alias("segment")).select(_ROWS.names())
        self._rows.append(without(compact, self._scope.erased))
        self._spool.append(place, batch.deliverable)
        if self._scope.erased:
            self._rejected.append(pack(_erased(contacts, compact, self._scope.erased, place)))
        if self._scope.only is not None:
            customers = contacts.filter(pl.col("email").is_not_null())["customer"]
            self._chosen.append(compact["person"].filter(customers.is_in(list(self._scope.only))))
        bad = contacts.filter(pl.col("reason").is_not_null())
        self.unread[place] += int((bad["reason"] == RowReason.ROW_MALFORMED.value).sum())
        here = pl.lit(place, pl.UInt8).alias("segment")
        self._without_address.append(batch.without_address.to_frame("customer").with_columns(here))
        self._rejected.append(pack(_rejected(bad, place)))
        self.omissions.take(batch.cleaned, place)

    def parts(self, duplicates: Duplicates) -> Iterator[tuple[pl.Expr, pl.DataFrame]]:
        """Give the rows in parts, each with what its people have in common; once, since what is given is not kept."""
        count = 1 + sum(rows.height for rows in self._rows) // PART
        parts = [deque([pl.DataFrame(schema=_ROWS)]) for _ in range(count)]
        part = pl.col("person") % count
        while self._rows:
            rows = self._rows.popleft().with_columns(part.cast(pl.UInt32).alias("part"))
            for (place,), some in rows.partition_by("part", as_dict=True, include_key=False).items():
                parts[place].append(some)
        for number, batches in enumerate(parts):
            duplicates.look(number, pl.concat(batches))
        duplicates.gather()
        for number, batches in enumerate(parts):
            yield part == number, duplicates.united(number, pl.concat(batches))
            batches.clear()

    def doubt(self) -> Doubt:
        """Return what was read in doubt: segments with too many unread rows, and rows that name nobody by an address."""
        most = self._scope.max_unread_percent
        unread = sum(1 << place for place, rows in self.unread.items() if rows * 100 > self.read[place] * most)
        mask = pl.lit(2, pl.UInt64).pow(pl.col("segment")).cast(pl.UInt64)
        seen = pl.concat(self._without_address).select("customer", mask.alias("seen"))
        return Doubt(unread, seen.group_by("customer").agg(pl.col("seen").bitwise_or()).cast(SEEN))

    def rejected(self) -> pl.DataFrame:
        """Give the rejected rows."""
        return pl.concat(map(unpack, self._rejected))

    def chosen(self) -> pl.Series:
        """Give the people of the CustomerIds that the scope names."""
        return pl.concat(self._chosen)


def check_guards(plan: Plan, names: Sequence[str], guards: Guards, max_profiles: int) -> None:
    """Raise RunEnded if the plan does more than its owner allows: too many profiles, an empty segment, a mass removal."""
    if plan.difference.profiles > max_profiles:
        raise RunEnded(
            Reason.OVER_LIMIT,
            f"The segments hold {plan.difference.profiles} profiles; the export allows {max_profiles}.",
        )
    if not guards.allow_empty:
        for name, rows in zip(names, plan.rows_read, strict=True):
            if rows == 0:
                raise RunEnded(Reason.EMPTY_SEGMENT, f"Segment {name!r} has no members.")
    for name, held, leaving in zip(names, plan.difference.held, plan.difference.leaving, strict=True):
        if held and leaving * 100 > held * guards.max_removed_percent:
            raise RunEnded(
                Reason.MASS_REMOVAL,
                f"{leaving} of {held} members would be removed from {name!r}; the guard allows "
                f"{guards.max_removed_percent:g}%.",
            )


def chunks(plan: Plan) -> Iterator[bytes]:
    """Write the plan's operations as chunks.

    Contacts with the same kind of work share chunks, so that bulk calls are full: those that must be sent or not, by the
    number of lists they go on (a bulk call puts a contact on one); and those who left every segment.
    """
    cutters: dict[tuple[object, ...], Cutter] = {}
    for place in range(len(plan.rows_read)):
        operations = [_of_segment(part.operations, place) for part in plan.parts]
        for encoded in in_order(partial(_encode, operations), contacts_of(plan.contacts, place)):
            for kind, text in encoded.items():
                yield from cutters.setdefault(kind, Cutter()).feed(text)
    gone = pl.concat(part.operations.filter(pl.col("segment").is_null()) for part in plan.parts).sort("person")
    nameless = pl.lit(None, pl.String)
    left = lines(gone.with_columns(nameless.alias("customer"), nameless.alias("fields")))
    yield from cutters.setdefault(("left",), Cutter()).feed(left)
    for cutter in cutters.values():
        yield from cutter.rest()


def _of_segment(operations: pl.DataFrame, place: int) -> pl.DataFrame:
    """Give the operations of the segment at `place`: they stand together, so nothing is copied."""
    segment = pl.col("segment")
    before, here = operations.select((segment < place).sum().alias("before"), (segment == place).sum()).row(0)
    return operations.slice(before, here)


def _encode(operations: Sequence[pl.DataFrame], frame: Sequence[bytes]) -> dict[tuple[object, ...], pl.Series]:
    """Encode those of a segment's operations whose contacts are in a packed frame, by kind of work."""
    contacts = unpacked(frame)
    rows = contacts["row"]
    if rows.is_empty():
        return {}
    within = pl.Series([rows[0], rows[-1] + 1], dtype=pl.UInt32)
    bounds = [part["row"].search_sorted(within) for part in operations]
    met = pl.concat(part.slice(begin, end - begin) for part, (begin, end) in zip(operations, bounds, strict=True)).sort(
        "row"
    )
    places = rows.search_sorted(met["row"])
    whole = met.with_columns(
        contacts["customer"].gather(places),
        contacts["fields"].gather(places),
        pl.col("add").bitwise_count_ones().alias("lists"),
    )
    return {kind: lines(alike) for kind, alike in whole.partition_by("upsert", "lists", as_dict=True).items()}


def _prepare(recipe: Recipe, key: DigestKey, notations: Notations, rows: pl.DataFrame) -> _Batch:
    """Clean rows; everything that can be done for a batch by itself, in a thread of its own."""
    where = rows[WHERE].alias("where") if WHERE in rows.columns else pl.lit(None, pl.String).alias("where")
    cleaned = clean_batch(rows, recipe, notations)
    contacts = cleaned.contacts.with_columns(where)
    deliverable = contacts.filter(pl.col("fields").is_not_null()).select("row", "customer", "fields")
    nameless = contacts.filter(pl.col("email").is_null() & pl.col("customer").is_not_null())
    without_address = key.of_customers(nameless["customer"])
    return _Batch(contacts, _compact(contacts, key), without_address, pack(deliverable), cleaned)


def _compact(contacts: pl.DataFrame, key: DigestKey) -> pl.DataFrame:
    """Keep of each row with a valid address what the difference needs: 44 bytes, the segment's place to come."""
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


def _erased(contacts: pl.DataFrame, compact: pl.DataFrame, erased: Sequence[int], place: int) -> pl.DataFrame:
    """Name the rows of people who were erased and would be delivered again."""
    back = compact.join(without(compact, erased), on="row", how="anti").filter(pl.col("content").is_not_null())
    rows = contacts.with_columns(pl.col("row").cast(pl.UInt32)).join(back.select("row"), on="row", how="semi")
    return _rejected(rows.with_columns(pl.lit(RowReason.ERASED.value).alias("reason")), place)


def _rejected(bad: pl.DataFrame, place: int) -> pl.DataFrame:
    return bad.select("customer", pl.lit(place, pl.UInt8).alias("segment"), "field", "reason", "where", "hint")


def _check_columns(segment: Rows, recipe: Recipe) -> None:
    for field, column in recipe.mapping.items():
        if column not in segment.columns:
            reason = Reason.EMAIL_COLUMN_MISSING if field == "Email" else Reason.COLUMN_MISSING
            raise RunEnded(reason, f"Segment {segment.name!r} has no column {column!r}, which is mapped to {field!r}.")
