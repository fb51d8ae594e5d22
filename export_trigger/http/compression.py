"""Answers compressed for callers that take it: the host in front compresses nothing, and a list of exports shrinks to a fiftieth.

No answer holds a secret beside what its caller chose, from whose length the secret could be guessed.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from typing import Final

LEAST: Final = 1_000
"""Bytes below which it is not worth it."""

LEVEL: Final = 6


def compressed(content: bytes, accepted: str) -> tuple[bytes, Mapping[str, str]]:
    """Return the content as the caller takes it, and the headers that say so; `accepted` is their `Accept-Encoding`."""
    if len(content) < LEAST:
        return content, {}
    if not takes_gzip(accepted):
        return content, {"Vary": "Accept-Encoding"}
    return gzip.compress(content, LEVEL, mtime=0), {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}


def takes_gzip(accepted: str) -> bool:
    """Return whether an `Accept-Encoding` takes gzip: named, or by `*`, with a weight above 0 (RFC 9110)."""
    weights = dict(_weighed(part) for part in accepted.lower().split(","))
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0


def _weighed(part: str) -> tuple[str, float]:
    """Return a coding and its weight; one that cannot be read is none."""
    coding, _, told = part.partition(";")
    name, _, weight = told.partition("=")
    if not name.strip():
        return coding.strip(), 1.0
    try:
        return coding.strip(), float(weight) if name.strip() == "q" else 0.0
    except ValueError:
        return coding.strip(), 0.0
