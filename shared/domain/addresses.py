"""E-mail addresses: the identity of a contact.

Autopilot identifies a contact by `Email`; whether it folds case is not known, so we do, always the same way: trimmed,
lower case, Unicode-normalised. Syntax is judged by the library email-validator; the plain shape that nearly all
addresses have is recognised by a stricter pattern in one pass, so that a million rows take a second, not a minute.
"""

from __future__ import annotations

from typing import Final

import polars as pl
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

_PLAIN: Final = r"^[a-z0-9_+-]+(\.[a-z0-9_+-]+)*@([a-z0-9]+(-[a-z0-9]+)*\.)+[a-z]{2,24}$"
_SPECIAL: Final = r"(^|[.@])(" + "|".join(name.replace(".", r"\.") for name in SPECIAL_USE_DOMAIN_NAMES) + r")$"


def normalise(address: str) -> str | None:
    """Return the address as we identify and send it, or None if it is not one."""
    try:
        return validate_email(address.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        return None


def normalised(addresses: pl.Series) -> pl.Series:
    """Normalise a column of addresses (String); null where it is empty or not an address."""
    tidy = addresses.str.strip_chars().str.to_lowercase()
    plain = is_plain(tidy)
    odd = tidy.filter(~plain & tidy.is_not_null()).unique()
    if odd.is_empty():
        return tidy
    answers = {address: normalise(address) for address in odd}
    replaced = tidy.replace_strict(answers, default=None, return_dtype=pl.String)
    return pl.select(pl.when(plain).then(tidy).otherwise(replaced)).to_series().rename(addresses.name)


def is_plain(tidy: pl.Series) -> pl.Series:
    """Tell which lower-case addresses are certainly valid and already in normal form (a stricter rule than the library's)."""
    shape = tidy.str.contains(_PLAIN) & (tidy.str.len_bytes() <= 63)
    special = tidy.str.contains(_SPECIAL)
    return (shape & ~special).fill_null(value=False)
