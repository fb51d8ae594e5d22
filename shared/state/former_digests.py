"""Digests as the app made them before HMAC-SHA256: keyed BLAKE2b (RFC 7693). They are read, and never written any more.

States and tombstones of that time say nothing of it; `shared.state.recognition` finds out whose they are.
"""

from __future__ import annotations

from hashlib import blake2b

import polars as pl

from shared.state.digests import DigestKey

_PERSON = b"person"
_CONTENT = b"content"


def former_person(key: DigestKey, address: str) -> int:
    """Digest one normalised address."""
    return int.from_bytes(_digest(key, address.encode(), _PERSON, 16), "little", signed=True)


def former_people(key: DigestKey, addresses: pl.Series) -> pl.Series:
    """Digest a column of normalised addresses to Int128."""
    return _column(key, addresses, _PERSON, 16, pl.Int128())


def former_contents(key: DigestKey, contents: pl.Series) -> pl.Series:
    """Digest a column of contacts to Int64."""
    return _column(key, contents, _CONTENT, 8, pl.Int64())


def _digest(key: DigestKey, text: bytes, purpose: bytes, size: int) -> bytes:
    return blake2b(text, key=key.key, person=purpose, digest_size=size).digest()


def _column(key: DigestKey, texts: pl.Series, purpose: bytes, size: int, kind: pl.DataType) -> pl.Series:
    digests = [_digest(key, text, purpose, size) for text in texts.cast(pl.Binary).to_list()]
    return pl.Series(digests, dtype=pl.Binary).bin.reinterpret(dtype=kind, endianness="little")
