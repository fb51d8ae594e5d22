"""Keyed digests: how we recognise a person or a contact's content again without keeping either.

HMAC-SHA256, of which the first bytes are kept: 16 of a person, 8 of a content. A library digests a whole column at once,
several times as fast as Python does row by row. The key is random, per installation, and stays in Key Vault, so that
nobody can try addresses against the state without it. A CustomerId, which names nobody outside Customer Insights, is
hashed with a seed from that key by XXH3: a third HMAC of each row would take a twentieth of planning.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from typing import Final

import polars as pl
import polars_hash  # gives Polars' expressions their `chash`

SCHEME: Final = "hmac-sha256"
"""What states and tombstones say of the digests in them. Those of before are in `shared.state.former_digests`."""

_PERSON: Final = "person:"
_CONTENT: Final = "content:"
_CUSTOMER: Final = b"customer:"
_UPPER: Final = "[A-F]"
_HEXADECIMAL: Final = r"^\{?[0-9A-Fa-f]{8,}(-[0-9A-Fa-f]+)*\}?$"
"""Ids that are numbers in hexadecimal, GUIDs among them: systems write one and the same in either case."""

_FINGERPRINT: Final = "fingerprint:"
_API_KEY: Final = "api-key:"
KEY_BYTES: Final = 32
_SIZES: Final = {pl.Int128: 16, pl.Int64: 8}


@dataclass(frozen=True, slots=True, repr=False)
class DigestKey:
    """The secret that turns addresses and contents into digests (32 bytes)."""

    key: bytes

    @classmethod
    def new(cls) -> DigestKey:
        """Make a random key."""
        return cls(secrets.token_bytes(KEY_BYTES))

    @classmethod
    def from_text(cls, text: str) -> DigestKey:
        """Read the key as it is kept in Key Vault (hexadecimal); raise ValueError for what is none, or is too short."""
        key = bytes.fromhex(text)
        if len(key) != KEY_BYTES:
            raise ValueError(f"a digest key has {2 * KEY_BYTES} hexadecimal digits")
        return cls(key)

    def to_text(self) -> str:
        """Write the key as it is kept in Key Vault (hexadecimal)."""
        return self.key.hex()

    def fingerprint(self) -> str:
        """Return what tells this key from another, and nothing else of it: it may stand beside what depends on it."""
        return self._short(_FINGERPRINT)

    def of_api_key(self, key: str) -> str:
        """Digest an account's API key, so that it is known again and stands nowhere."""
        return self._short(_API_KEY + key)

    def of_person(self, address: str) -> int:
        """Digest one normalised address: the same number as `of_people` gives for a column."""
        digest = hmac.digest(self.to_text().encode(), (_PERSON + address).encode(), "sha256")
        return int.from_bytes(digest[: _SIZES[pl.Int128]], "little", signed=True)

    def of_people(self, addresses: pl.Series) -> pl.Series:
        """Digest a column of normalised addresses to Int128."""
        return self._column(addresses, _PERSON, pl.Int128)

    def of_contents(self, contents: pl.Series) -> pl.Series:
        """Digest a column of contacts, each as the text that would be sent, to Int64."""
        return self._column(contents, _CONTENT, pl.Int64)

    def of_customers(self, ids: pl.Series) -> pl.Series:
        """Digest a column of CustomerIds to Int64, null where there is none; those in hexadecimal whatever their case."""
        if ids.str.contains(_UPPER).any():
            ids = ids.zip_with(~ids.str.contains(_HEXADECIMAL), ids.str.to_lowercase())
        seed = int.from_bytes(hmac.digest(self.to_text().encode(), _CUSTOMER, "sha256")[:8], "little")
        hashed = polars_hash.col("id").nchash.xxh3_64(seed=seed).reinterpret(signed=True)
        return ids.to_frame("id").select_seq(hashed).to_series()

    def _short(self, text: str) -> str:
        return hmac.digest(self.to_text().encode(), text.encode(), "sha256").hex()[:32]

    def _column(self, texts: pl.Series, purpose: str, kind: type[pl.Int128 | pl.Int64]) -> pl.Series:
        told_apart = polars_hash.concat_str(pl.lit(purpose), pl.col("text"))
        digest = told_apart.chash.hmac_sha256(key=self.to_text()).str.head(2 * _SIZES[kind])
        number = digest.str.decode("hex").bin.reinterpret(dtype=kind, endianness="little")
        return texts.to_frame("text").select_seq(number.alias("text")).to_series()
