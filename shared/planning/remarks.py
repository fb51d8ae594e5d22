"""What a plan has to say beside its counts: whom it leaves on a list although no row says that they belong there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shared.planning.plan import Plan

_MOST_NAMES: Final = 3
"""Segments that are named; a run may have 64, with long names."""


def remarks(plan: Plan, names: Sequence[str]) -> str:
    """Return whose removal is held back and why, and who is kept; empty if nobody is."""
    told = [_held_back(plan, names), _kept(plan.difference.kept)]
    return " ".join(sentence for sentence in told if sentence)


def _held_back(plan: Plan, names: Sequence[str]) -> str:
    found = [
        (held_back, f"{name!r}, of whose {read} rows {unread} ({100 * unread / read:.2g}%) could not be read")
        for name, held_back, read, unread in zip(
            names, plan.difference.held_back, plan.rows_read, plan.rows_unread, strict=True
        )
        if held_back
    ]
    if not found:
        return ""
    total = sum(held_back for held_back, _ in found)
    named = "; ".join(sentence for _, sentence in found[:_MOST_NAMES])
    more = f"; and {len(found) - _MOST_NAMES} segments more" if len(found) > _MOST_NAMES else ""
    return f"Removals held back: {total}, from {named}{more}. The next run that reads them well makes them."


def _kept(members: int) -> str:
    if not members:
        return ""
    return (
        f"Members kept: {members}, whose rows by CustomerId are still in the segment but without a valid address. Correct "
        "the address in its source; to take somebody off a list, take the profile out of the segment."
    )
