"""The body of `person/merge`: every member that means something is always named, since each key has defaults of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

EMAIL: Final = "str::email"
PERSON_ID: Final = "str::person_id"

OVERWRITE: Final = 2
"""Merge strategy: what is sent replaces what is there, and what is not sent stays (vendor)."""

KEEP: Final = 3
"""Merge strategy: who is there is left alone, who is not is created (vendor)."""


def merge_body(
    people: Sequence[Mapping[str, Any]],
    merge_by: Sequence[str],
    *,
    strategy: int,
    skip_non_existing: bool = False,
    even_suppressed: bool = False,
) -> Mapping[str, Any]:
    """Return the body of a merge; unless `even_suppressed` nobody is created who is on the account's suppression list (recorded)."""
    return {
        "people": people,
        "async": False,
        "merge_by": merge_by,
        "merge_strategy": strategy,
        "find_strategy": 0,
        "skip_non_existing": skip_non_existing,
        **({} if even_suppressed else {"suppression_list_field_id": EMAIL}),
    }
