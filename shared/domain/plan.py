"""Plan a run: read the segments, clean and deduplicate, take the difference to the state, cut it into chunks.

Two passes over the segments keep memory flat. The first keeps 40 bytes a row (digests, places), which is enough for the
difference; the second reads again and writes only the rows that have something to do. The same input gives the same
chunks to the byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import polars as pl

from shared.configuration import Guards
from shared.domain.chunks import Cutter, lines
from shared.domain.cleaning import Recipe, clean
from shared.domain.difference import Difference, difference
from shared.domain.digests import DigestKey
from shared.domain.state import State, without
from shared.reasons import Reason, RowReason, RunEnded

REJECTED: Final = pl.Schema(
    {"customer": pl.String(), "segment": pl.UInt8(), "field": pl.String(), "reason": pl.String()}
)
"""Columns of rejected rows; `segment` is the place among the run's segments."""

_ROWS: Final = pl.Schema(
    {
        "person": pl.Int128(),
        "segment": pl.UInt8(),
        "row": pl.UInt64(),
        "customer": pl.UInt64(),
        "content": pl.Int64(),
    }
)


class Rows(Protocol):
    """One segment's rows: can be read more than once, always the same."""

    @property
    def name(self) -> str:
        """The segment's name."""
        ...

    @property
    def columns(self) -> Sequence[str]:
        """The columns it has."""
        ...

    def read(self, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Give batches of `row` (its number), `malformed` and the asked columns, as text."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do. `rows_read` counts a segment each; `rejected` has the columns of REJECTED."""

    difference: Difference
    rows_read: tuple[int, ...]
    rejected: pl.DataFrame

    @property
    def is_nothing(self) -> bool:
        """Whether Autopilot already holds what the segments say."""
        return self.difference.operations.is_empty()


def plan(
    segments: Sequence[Rows],
    recipe: Recipe,
    key: DigestKey,
    state: State,
    list_ids: Sequence[str],
    *,
    remove_leavers: bool,
    erased: Sequence[int] = (),
) -> Plan:
    """Take the difference between the segments and the state.

    `list_ids` names the segments' lists in order; a list that Autopilot does not have yet is the empty text. `erased` are people whom no run may bring back. A segment
    with rows that cannot be read loses nobody: one of those rows may be the one that seems to have left.
    Raises RunEnded for a column that a segment lacks.
    """
    for segment in segments:
        _check_columns(segment, recipe)
    found: list[pl.DataFrame] = []
    rejected: list[pl.DataFrame] = []
    rows_read = [0] * len(segments)
    removable = 0
    for place, segment in enumerate(segments):
        whole = True
        for batch in segment.read(recipe.columns):
            contacts = clean(batch, recipe)
            rows_read[place] += contacts.height
            compact = _compact(contacts, place, key)
            found.append(without(compact, erased))
            rejected.append(_erased(contacts, compact, erased, place))
            bad = contacts.filter(pl.col("reason").is_not_null())
            whole = whole and not (bad["reason"] == RowReason.ROW_MALFORMED.value).any()
            rejected.append(_rejected(bad, place))
        removable |= (whole and remove_leavers) << place
    rows = pl.concat(found) if found else pl.DataFrame(schema=_ROWS)
    found.clear()
    return Plan(
        difference=difference(rows, state.on_lists(list_ids), segments=len(segments), removable=removable),
        rows_read=tuple(rows_read),
        rejected=pl.concat(rejected) if rejected else pl.DataFrame(schema=REJECTED),
    )


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


def chunks(plan: Plan, segments: Sequence[Rows], recipe: Recipe) -> Iterator[bytes]:
    """Read the segments again and write the plan's operations as chunks.

    Contacts that must be sent fill chunks, and so bulk calls, of their own; so do those who only move between lists,
    and those who left every segment.
    """
    sent, moved, left = Cutter(), Cutter(), Cutter()
    operations = plan.difference.operations
    for place, segment in enumerate(segments):
        wanted = operations.filter(pl.col("segment") == place)
        if wanted.is_empty():
            continue
        for batch in segment.read(recipe.columns):
            chosen = batch.join(wanted.select("row"), on="row", how="semi", maintain_order="left")
            contacts = clean(chosen, recipe).select("row", "customer", "fields")
            whole = contacts.join(wanted, on="row", maintain_order="left")
            yield from sent.feed(lines(whole.filter("upsert")))
            yield from moved.feed(lines(whole.filter(~pl.col("upsert"))))
    gone = operations.filter(pl.col("segment").is_null()).sort("person")
    nameless = pl.lit(None, pl.String)
    yield from left.feed(lines(gone.with_columns(nameless.alias("customer"), nameless.alias("fields"))))
    for cutter in (sent, moved, left):
        yield from cutter.rest()


def _compact(contacts: pl.DataFrame, place: int, key: DigestKey) -> pl.DataFrame:
    """Keep of each row with a valid address what the difference needs: 40 bytes."""
    known = contacts.filter(pl.col("email").is_not_null())
    contents = known.select(pl.col("fields").fill_null("")).to_series()
    end = pl.col("customer").fill_null("").cast(pl.Binary).bin.tail(8)
    padded = pl.lit(b"\0" * 8) + end
    return known.select(
        key.of_people(known["email"]).alias("person"),
        pl.lit(place, pl.UInt8).alias("segment"),
        pl.col("row").cast(pl.UInt64),
        padded.bin.tail(8).bin.reinterpret(dtype=pl.UInt64, endianness="big").alias("customer"),
        pl.when(pl.col("fields").is_not_null()).then(key.of_contents(contents)).alias("content"),
    )


def _erased(contacts: pl.DataFrame, compact: pl.DataFrame, erased: Sequence[int], place: int) -> pl.DataFrame:
    """Name the rows of people who were erased and would be delivered again."""
    if not erased:
        return pl.DataFrame(schema=REJECTED)
    back = compact.join(without(compact, erased), on="row", how="anti").filter(pl.col("content").is_not_null())
    rows = contacts.with_columns(pl.col("row").cast(pl.UInt64)).join(back.select("row"), on="row", how="semi")
    return _rejected(rows.with_columns(pl.lit(RowReason.ERASED.value).alias("reason")), place)


def _rejected(bad: pl.DataFrame, place: int) -> pl.DataFrame:
    return bad.select("customer", pl.lit(place, pl.UInt8).alias("segment"), "field", "reason")


def _check_columns(segment: Rows, recipe: Recipe) -> None:
    for field, column in recipe.mapping.items():
        if column not in segment.columns:
            reason = Reason.EMAIL_COLUMN_MISSING if field == "Email" else Reason.COLUMN_MISSING
            raise RunEnded(reason, f"Segment {segment.name!r} has no column {column!r}, which is mapped to {field!r}.")
