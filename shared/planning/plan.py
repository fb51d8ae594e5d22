"""Plan a run: read the segments, clean and deduplicate, take the difference to the state, cut it into chunks.

The segments are read once. Of each row 45 bytes stay in memory (digests, indices), which is enough for the difference;
its contact waits in the spool, and is written to a chunk if it has something to do. The difference is taken of a share of
the people at a time. So memory stays flat, and the same input gives the same chunks to the byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import polars as pl

from shared.cleaning.clean import Recipe
from shared.cleaning.notation import Notations
from shared.delivery.chunks import Cutter, lines
from shared.exports.configuration import Guards
from shared.planning.difference import Difference, combine, difference
from shared.planning.duplicates import Duplicates
from shared.planning.omissions import Omissions
from shared.planning.spool import Spool, pack, unpack, unpack_contacts
from shared.planning.survey import Rows, Scope, survey
from shared.planning.unread import Share
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.reasons.rows import RowReason
from shared.runs.counts import Counts
from shared.sources.ahead import in_order
from shared.state.digests import DigestKey
from shared.state.state import CUSTOMERS, State, is_suppressed

_IDENTITIES: Final = -1
"""Where the spool keeps whose rows stand for whom, beside the segments' contacts."""

_MOST_NAMES: Final = 3
"""Segments that are named; a run may have 64, with long names."""

_LONGEST_PLACE: Final = 300
"""Characters of a place that is named: a file's path has 1,024 at most."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do.

    `shares` are the differences of a share of the people each; `rows_read`, `in_doubt` (of those, the ones that were
    read in doubt) and `rows_addressed` (that have a valid address) count a segment each; `rejected` has the columns of
    REJECTED; `contacts` holds what can be
    delivered: `row`, `customer`, `fields`, in the order of rows. `omissions` tells what their contacts go without.
    """

    shares: tuple[Difference, ...]
    rows_read: tuple[int, ...]
    in_doubt: tuple[Share, ...]
    rows_addressed: tuple[int, ...]
    rejected: pl.DataFrame
    contacts: Spool
    omissions: Omissions

    @property
    def difference(self) -> Difference:
        """The difference of all people."""
        return combine(self.shares)

    @property
    def counts(self) -> Counts:
        """What a run of this plan has read, and has to do."""
        found = self.difference
        return Counts(
            rows_read=sum(self.rows_read),
            profiles=found.profiles,
            duplicates=found.duplicates,
            joiners=found.joiners,
            changed=found.changed,
            leavers=found.leavers,
            held_back=sum(found.held_back),
            kept=found.kept,
            unchanged=found.unchanged,
            rejected=self.rejected.height,
            undelivered=found.set_aside,
            values_omitted=self.omissions.values.total(),
        )

    @property
    def named(self) -> pl.DataFrame:
        """What the owner of the rows is told (columns of REJECTED): rows that are rejected, values that are left out."""
        return pl.concat([self.rejected, self.omissions.named()], how="diagonal")

    def identities(self) -> Iterator[pl.DataFrame]:
        """Return, a share at a time, whose rows stand for whom where that is news (columns of CUSTOMERS)."""
        return map(unpack, self.contacts.packed(_IDENTITIES))


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

    `list_ids` names the segments' lists in order; a list that the account does not have yet is the empty text. A segment
    with too many rows that cannot be read loses nobody: behind each of them stands one who seems to have left. Nor does
    a row that is rejected make its person leave, known by its address or else by its CustomerId. `spool` is what the
    plan's contacts wait in; whoever opened it closes it.
    Raises ExportError for a column that a segment lacks.
    """
    for segment in segments:
        _check_columns(segment, recipe)
    notations = Notations(recipe.date_order)
    surveyed = survey(segments, recipe, key, scope, spool, notations)
    if not notations.settle():
        spool.clear()
        surveyed = survey(segments, recipe, key, scope, spool, notations)
    removable = sum(1 << segment_index for segment_index in range(len(segments)) if scope.remove_leavers)
    current, doubt = state.on_lists(list_ids), surveyed.doubt()
    if scope.even_suppressed:
        current = current.filter(~is_suppressed())
    shares = (
        _identified(
            difference(rows, current.filter(in_share), segments=len(segments), removable=removable, doubt=doubt), spool
        )
        for in_share, rows in surveyed.shares(Duplicates(recipe, key, spool))
    )
    return Plan(
        shares=tuple(shares if scope.only is None else (share.only(surveyed.chosen()) for share in shares)),
        rows_read=tuple(surveyed.read[segment_index] for segment_index in range(len(segments))),
        in_doubt=tuple(surveyed.in_doubt.get(index, Share(0, 0, 0, 0)) for index in range(len(segments))),
        rows_addressed=tuple(surveyed.addressed[segment_index] for segment_index in range(len(segments))),
        rejected=surveyed.rejected(),
        contacts=spool,
        omissions=surveyed.omissions,
    )


def _identified(share: Difference, spool: Spool) -> Difference:
    """Set aside in the spool whose rows stand for whom: of everybody, at a first load."""
    if not share.customers.is_empty():
        spool.append(_IDENTITIES, pack(share.customers))
    return replace(share, customers=pl.DataFrame(schema=CUSTOMERS))


def check_guards(plan: Plan, names: Sequence[str], guards: Guards, max_profiles: int) -> None:
    """Raise ExportError if the plan does more than its owner allows: too many profiles, an empty segment, a mass removal."""
    if plan.difference.profiles > max_profiles:
        raise ExportError(
            Reason.OVER_LIMIT,
            f"The segments hold {plan.difference.profiles:,} profiles; the export allows {max_profiles:,}.",
        )
    if not guards.allow_empty:
        _check_empty(plan, names)
    for name, current, leaving in zip(names, plan.difference.current, plan.difference.leaving, strict=True):
        if current and leaving * 100 > current * guards.max_removed_percent:
            raise ExportError(
                Reason.MASS_REMOVAL,
                f"{leaving:,} of {current:,} members would be removed from {name!r}; the guard allows "
                f"{guards.max_removed_percent:g}%.",
            )


def _check_empty(plan: Plan, names: Sequence[str]) -> None:
    """Raise ExportError for a segment without rows, and for one whose members would leave though none of its rows has an address."""
    counted = zip(names, plan.rows_read, plan.rows_addressed, plan.difference.leaving, strict=True)
    for name, rows, addressed, leaving in counted:
        if not rows:
            raise ExportError(Reason.EMPTY_SEGMENT, f"Segment {name!r} has no members.")
        if leaving and not addressed:
            raise ExportError(
                Reason.EMPTY_SEGMENT,
                f"None of the {rows} rows of segment {name!r} has a valid e-mail address; {leaving} members would be removed.",
            )


def remarks(plan: Plan, names: Sequence[str]) -> str:
    """Return whose removal is held back and why, and who is kept; empty if nobody is."""
    told = [_held_back(plan, names), _kept(plan.difference.kept)]
    return " ".join(sentence for sentence in told if sentence)


def _held_back(plan: Plan, names: Sequence[str]) -> str:
    counted = zip(names, plan.difference.held_back, plan.in_doubt, strict=True)
    found = [
        (
            held_back,
            f"{name!r}, {share}{_where(plan, segment_index)}",
        )
        for segment_index, (name, held_back, share) in enumerate(counted)
        if held_back
    ]
    if not found:
        return ""
    total = sum(held_back for held_back, _ in found)
    named = "; ".join(sentence for _, sentence in found[:_MOST_NAMES])
    more = f"; and {len(found) - _MOST_NAMES} segments more" if len(found) > _MOST_NAMES else ""
    return f"Removals held back: {total:,}, from {named}{more}. The next run that reads them well makes them."


def _where(plan: Plan, segment: int) -> str:
    """Name the place of the first malformed row of a segment: its file, and its number there."""
    malformed = (pl.col("segment") == segment) & (pl.col("reason") == RowReason.ROW_MALFORMED.value)
    places = plan.rejected.filter(malformed)["where"].drop_nulls()
    return f", the first of them {places[0][:_LONGEST_PLACE]}" if len(places) else ""


def _kept(members: int) -> str:
    if not members:
        return ""
    return (
        f"Members kept: {members:,}, whose rows are still in the segment but without a valid address, or in a line that could "
        "not be read. Correct that in its source; to take somebody off a list, take the profile out of the segment."
    )


def chunks(plan: Plan) -> Iterator[bytes]:
    """Write the plan's operations as chunks.

    Contacts with the same kind of work share chunks, so that bulk calls are full: those that must be sent or not, by the
    number of lists they go on (a bulk call puts a contact on one); and those who left every segment.
    """
    cutters: dict[tuple[object, ...], Cutter] = {}
    for segment_index in range(len(plan.rows_read)):
        operations = [_of_segment(share.operations, segment_index) for share in plan.shares]
        for encoded in in_order(partial(_encode, operations), plan.contacts.contacts(segment_index)):
            for kind, text in encoded.items():
                yield from cutters.setdefault(kind, Cutter()).feed(text)
    gone = pl.concat(share.operations.filter(pl.col("segment").is_null()) for share in plan.shares).sort("person")
    nameless = pl.lit(None, pl.String)
    left = lines(gone.with_columns(nameless.alias("customer"), nameless.alias("fields")))
    yield from cutters.setdefault(("left",), Cutter()).feed(left)
    for cutter in cutters.values():
        yield from cutter.rest()


def _of_segment(operations: pl.DataFrame, segment_index: int) -> pl.DataFrame:
    """Return the operations of the segment of this index: they stand together, so nothing is copied."""
    segment = pl.col("segment")
    before, here = operations.select(
        (segment < segment_index).sum().alias("before"), (segment == segment_index).sum()
    ).row(0)
    return operations.slice(before, here)


def _encode(operations: Sequence[pl.DataFrame], frame: Sequence[bytes]) -> dict[tuple[object, ...], pl.Series]:
    """Encode those of a segment's operations whose contacts are in a packed frame, by kind of work."""
    contacts = unpack_contacts(frame)
    rows = contacts["row"]
    if rows.is_empty():
        return {}
    within = pl.Series([rows[0], rows[-1] + 1], dtype=pl.UInt32)
    bounds = [share["row"].search_sorted(within) for share in operations]
    met = pl.concat(
        share.slice(begin, end - begin) for share, (begin, end) in zip(operations, bounds, strict=True)
    ).sort("row")
    places = rows.search_sorted(met["row"])
    whole = met.with_columns(
        contacts["customer"].gather(places),
        contacts["fields"].gather(places),
        pl.col("add").bitwise_count_ones().alias("lists"),
    )
    return {kind: lines(alike) for kind, alike in whole.partition_by("upsert", "lists", as_dict=True).items()}


def _check_columns(segment: Rows, recipe: Recipe) -> None:
    for field, column in recipe.mapping.items():
        if column not in segment.columns:
            reason = Reason.EMAIL_COLUMN_MISSING if field == recipe.fields.address else Reason.COLUMN_MISSING
            raise ExportError(
                reason, f"Segment {segment.name!r} has no column {column!r}, which is mapped to {field!r}."
            )
