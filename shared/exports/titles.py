"""Titles of lists: which two are one to whoever reads them.

Whether Autopilot tells titles apart that differ in case, or in how Unicode composes a letter, is not known; its owner
cannot tell them apart at all.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable


def fold(title: str) -> str:
    """Return what a title has in common with all that look the same."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", title).casefold()).strip()


def alike(titles: Iterable[str]) -> tuple[str, str] | None:
    """Return the first two different titles that look the same, or None."""
    seen: dict[str, str] = {}
    for title in titles:
        known = seen.setdefault(fold(title), title)
        if known != title:
            return known, title
    return None
