"""Plan a run: read the segments, clean and deduplicate, take the difference to the state, cut it into chunks.

Two passes over the segments keep memory flat. The first keeps 40 bytes a row (digests, places), which is enough for the
difference; the second reads again and writes only the rows that have something to do. The same input gives the same
chunks to the byte.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import polars as pl

from shared.configuration import Guards
from shared.domain.chunks import Cutter, lines
from shared.domain.cleaning import ROW, Recipe, clean
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
        """Give batches of ROW (its number), MALFORMED and the asked columns, as text."""
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


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom a run concerns: do leavers go, who must never come back (digests), and, if not everybody, which CustomerIds."""

    remove_leavers: bool
    erased: Sequence[int] = ()
    only: Collection[str] | None = None


def plan(
    segments: Sequence[Rows], recipe: Recipe, key: DigestKey, state: State, list_ids: Sequence[str], scope: Scope
) -> Plan:
    """Take the difference between the segments and the state.

    `list_ids` names the segments' lists in order; a list that Autopilot does not have yet is the empty text. A segment
    with rows that cannot be read loses nobody: one of those rows may be the one that seems to have left.
    Raises RunEnded for a column that a segment lacks.
    """
    for segment in segments:
        _check_columns(segment, recipe)
    survey = _Survey(key, scope)
    for place, segment in enumerate(segments):
        for batch in segment.read(recipe.columns):
            survey.take(clean(batch, recipe), place)
    removable = sum(1 << place for place in range(len(segments)) if scope.remove_leavers and place not in survey.broken)
    held = state.on_lists(list_ids)
    found = difference(survey.rows(), held, segments=len(segments), removable=removable)
    return Plan(
        difference=found if scope.only is None else found.only(survey.chosen()),
        rows_read=tuple(survey.read[place] for place in range(len(segments))),
        rejected=survey.rejected(),
    )


class _Survey:
    """The first pass: keeps of each row what the difference needs, and the rejected rows whole."""

    def __init__(self, key: DigestKey, scope: Scope) -> None:
        self._key = key
        self._scope = scope
        self._rows = [pl.DataFrame(schema=_ROWS)]
        self._rejected = [pl.DataFrame(schema=REJECTED)]
        self._chosen = [pl.Series(dtype=pl.Int128)]
        self.read: Counter[int] = Counter()
        self.broken: set[int] = set()

    def take(self, contacts: pl.DataFrame, place: int) -> None:
        """Take a batch of cleaned rows of the segment at `place`."""
        self.read[place] += contacts.height
        compact = _compact(contacts, place, self._key)
        self._rows.append(without(compact, self._scope.erased))
        if self._scope.erased:
            self._rejected.append(_erased(contacts, compact, self._scope.erased, place))
        if self._scope.only is not None:
            customers = contacts.filter(pl.col("email").is_not_null())["customer"]
            self._chosen.append(compact["person"].filter(customers.is_in(list(self._scope.only))))
        bad = contacts.filter(pl.col("reason").is_not_null())
        if (bad["reason"] == RowReason.ROW_MALFORMED.value).any():
            self.broken.add(place)
        self._rejected.append(_rejected(bad, place))

    def rows(self) -> pl.DataFrame:
        """Give the rows, once: they are not kept."""
        rows, self._rows = pl.concat(self._rows), []
        return rows

    def rejected(self) -> pl.DataFrame:
        """Give the rejected rows."""
        return pl.concat(self._rejected)

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


def chunks(plan: Plan, segments: Sequence[Rows], recipe: Recipe) -> Iterator[bytes]:
    """Read the segments again and write the plan's operations as chunks.

    Contacts with the same kind of work share chunks, so that bulk calls are full: those that must be sent or not, by the
    number of lists they go on (a bulk call puts a contact on one); and those who left every segment.
    """
    cutters: dict[tuple[object, ...], Cutter] = {}
    operations = plan.difference.operations
    for place, segment in enumerate(segments):
        wanted = operations.filter(pl.col("segment") == place)
        if wanted.is_empty():
            continue
        for batch in segment.read(recipe.columns):
            chosen = batch.join(wanted, left_on=ROW, right_on="row", how="semi", maintain_order="left")
            contacts = clean(chosen, recipe).select("row", "customer", "fields")
            whole = contacts.join(wanted, on="row", maintain_order="left")
            kinds = whole.with_columns(pl.col("add").bitwise_count_ones().alias("lists"))
            for kind, alike in kinds.partition_by("upsert", "lists", as_dict=True).items():
                yield from cutters.setdefault(kind, Cutter()).feed(lines(alike))
    gone = operations.filter(pl.col("segment").is_null()).sort("person")
    nameless = pl.lit(None, pl.String)
    left = lines(gone.with_columns(nameless.alias("customer"), nameless.alias("fields")))
    yield from cutters.setdefault(("left",), Cutter()).feed(left)
    for cutter in cutters.values():
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
