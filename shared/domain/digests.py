"""Keyed digests: how we recognise a person or a contact's content again without keeping either.

BLAKE2b in its keyed mode (RFC 7693) is a message authentication code like HMAC and twice as fast; the key is random, per
installation, and stays in Key Vault, so that nobody can try addresses against the state without it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from hashlib import blake2b

import polars as pl


@dataclass(frozen=True, slots=True, repr=False)
class DigestKey:
    """The secret that turns addresses and contents into digests (32 bytes)."""

    key: bytes

    @classmethod
    def new(cls) -> DigestKey:
        """Make a random key."""
        return cls(secrets.token_bytes(32))

    @classmethod
    def from_text(cls, text: str) -> DigestKey:
        """Read the key as it is kept in Key Vault (hexadecimal)."""
        return cls(bytes.fromhex(text))

    def to_text(self) -> str:
        """Write the key as it is kept in Key Vault (hexadecimal)."""
        return self.key.hex()

    def of_person(self, address: str) -> int:
        """Digest one normalised address: the same number as `of_people` gives for a column."""
        return int.from_bytes(self._digest(address, b"person", 16), "little", signed=True)

    def of_people(self, addresses: pl.Series) -> pl.Series:
        """Digest a column of normalised addresses to Int128."""
        return self._column(addresses, b"person", pl.Int128)

    def of_contents(self, contents: pl.Series) -> pl.Series:
        """Digest a column of contacts, each as the text that would be sent, to Int64."""
        return self._column(contents, b"content", pl.Int64)

    def _digest(self, text: str, person: bytes, size: int) -> bytes:
        return blake2b(text.encode(), key=self.key, person=person, digest_size=size).digest()

    def _column(self, texts: pl.Series, person: bytes, kind: type[pl.Int128 | pl.Int64]) -> pl.Series:
        key, size = self.key, 16 if kind is pl.Int128 else 8
        # Most of the Python that a plan runs is this line: names are local, and bytes come from Polars as such.
        digests = [
            blake2b(raw, key=key, person=person, digest_size=size).digest() for raw in texts.cast(pl.Binary).to_list()
        ]
        return pl.Series(digests, dtype=pl.Binary).bin.reinterpret(dtype=kind, endianness="little")
