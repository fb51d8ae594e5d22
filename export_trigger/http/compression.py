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
    if "gzip" not in accepted:
        return content, {"Vary": "Accept-Encoding"}
    return gzip.compress(content, LEVEL, mtime=0), {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
