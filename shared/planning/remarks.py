"""What a plan has to say beside its counts: whom it leaves on a list although no row says that they belong there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from shared.planning.plan import Plan
from shared.reasons.rows import RowReason

_MOST_NAMES: Final = 3
"""Segments that are named; a run may have 64, with long names."""

_LONGEST_PLACE: Final = 300
"""Characters of a place that is named: a file's path has 1,024 at most."""


def remarks(plan: Plan, names: Sequence[str]) -> str:
    """Return whose removal is held back and why, and who is kept; empty if nobody is."""
    told = [_held_back(plan, names), _kept(plan.difference.kept)]
    return " ".join(sentence for sentence in told if sentence)


def _held_back(plan: Plan, names: Sequence[str]) -> str:
    counted = zip(names, plan.difference.held_back, plan.rows_read, plan.rows_unread, strict=True)
    found = [
        (
            held_back,
            f"{name!r}, of whose {read} rows {unread} ({100 * unread / read:.2g}%) could not be read{_where(plan, segment_index)}",
        )
        for segment_index, (name, held_back, read, unread) in enumerate(counted)
        if held_back
    ]
    if not found:
        return ""
    total = sum(held_back for held_back, _ in found)
    named = "; ".join(sentence for _, sentence in found[:_MOST_NAMES])
    more = f"; and {len(found) - _MOST_NAMES} segments more" if len(found) > _MOST_NAMES else ""
    return f"Removals held back: {total}, from {named}{more}. The next run that reads them well makes them."


def _where(plan: Plan, segment: int) -> str:
    """Name the place of the first malformed row of a segment: its file, and its number there."""
    malformed = (pl.col("segment") == segment) & (pl.col("reason") == RowReason.ROW_MALFORMED.value)
    places = plan.rejected.filter(malformed)["where"].drop_nulls()
    return f", the first of them {places[0][:_LONGEST_PLACE]}" if len(places) else ""


def _kept(members: int) -> str:
    if not members:
        return ""
    return (
        f"Members kept: {members}, whose rows by CustomerId are still in the segment but without a valid address. Correct "
        "the address in its source; to take somebody off a list, take the profile out of the segment."
    )
