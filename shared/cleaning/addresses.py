"""E-mail addresses: the identity of a contact.

Autopilot identifies a contact by `Email` and was recorded to fold its case; so do we, always the same way: trimmed,
lower case, Unicode-normalised. Syntax is judged by the library email-validator; the plain shape that nearly all
addresses have is recognised by a stricter pattern in one pass, so that a million rows take a second, not a minute.

An address that is written so that anybody can read it is read: `Ann Lee <ann@example.com>`, `mailto:ann@example.com`,
`ann@example.com <ann@example.com>`, `ann@example.com.`. Two different addresses in one cell are none: nobody can say which one is meant.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

import polars as pl
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from shared.cleaning.text import UNSEEN

_PLAIN: Final = r"^[a-z0-9_+-]+(\.[a-z0-9_+-]+)*@([a-z0-9]+(-[a-z0-9]+)*\.)+[a-z]{2,24}$"
_SPECIAL: Final = r"(^|[.@])(" + "|".join(name.replace(".", r"\.") for name in SPECIAL_USE_DOMAIN_NAMES) + r")$"

_LONGEST: Final = 1000
"""Characters of a cell that is looked at closer: an address has 254 at most, a name before it some more."""

_SAME_LETTERS: Final = {0x130: "i", 0x3002: "."} | {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
"""Letters that are another's in other type: full width (East Asian input), and the Turkish capital of i."""

_JOINERS: Final = "[\u200c\u200d]+"
_OTHERS: Final = "[\x80-\U0010ffff]"
_UNSEEN: Final = re.compile(rf"(?:(?!{_JOINERS})[{UNSEEN}])+")
_LONE_JOINERS: Final = re.compile(rf"(?<!{_OTHERS}){_JOINERS}|{_JOINERS}(?!{_OTHERS})")
"""What nobody sees in an address, in two steps: which letters stand beside a joiner shows when the rest is gone. One between
two letters of a Persian or Indian name may show: it stays."""

_DAMAGED: Final = "\ufffd"
"""What programs put for a character that they could not read: whose address it was is not known any more."""

_TOKEN: Final = re.compile(r"[^\s<>()\[\],;:\"']+@[^\s<>()\[\],;:\"']+")
_NAMED: Final = re.compile(r"[^<>]*<\s*(?:mailto:)?\s*([^<>\s]+)\s*>")
_TAIL: Final = ".,;"


def normalise(address: str) -> str | None:
    """Return the address as we identify and send it, or None if it is not one."""
    text = _LONE_JOINERS.sub("", _UNSEEN.sub("", address)).translate(_SAME_LETTERS).strip()
    if "@" not in text or len(text) > _LONGEST:
        return None
    return _valid(text) or _valid(_bare(text))


def normalised(addresses: pl.Series) -> pl.Series:
    """Normalise a column of addresses (String); null where it is empty or not an address."""
    tidy = pl.col("tidy")
    table = pl.select(pl.lit(addresses).str.strip_chars().str.to_lowercase().alias("tidy"))
    table = table.select(tidy, (tidy.is_not_null() & ~_is_plain(tidy)).alias("odd"))
    places = table["odd"].arg_true()
    if places.is_empty():
        return table["tidy"].alias(addresses.name)
    odd = addresses.gather(places)
    answers = {address: normalise(address) for address in odd.unique()}
    read = odd.replace_strict(answers, default=None, return_dtype=pl.String)
    return table["tidy"].scatter(places, read).alias(addresses.name)


def delivered_as(addresses: pl.Series) -> pl.Series:
    """Return by which addresses contacts of a destination were delivered, if they were; null where nobody can have been.

    A damaged one was taken for an address once, and who was delivered by it is still known so.
    """
    tidy = pl.lit(addresses).str.strip_chars().str.to_lowercase()
    damaged = pl.when(tidy.str.contains(_DAMAGED, literal=True)).then(tidy.str.normalize("NFC"))
    return pl.select(pl.coalesce(pl.lit(normalised(addresses)), damaged).alias(addresses.name)).to_series()


def _is_plain(tidy: pl.Expr) -> pl.Expr:
    """Return which lower-case addresses are certainly valid and already in normal form (a stricter rule than the library's)."""
    shape = tidy.str.contains(_PLAIN) & (tidy.str.len_bytes() <= 63)
    return (shape & ~tidy.str.contains(_SPECIAL)).fill_null(value=False)


def are_several(addresses: pl.Series) -> pl.Series:
    """Return which cells hold more than one address."""
    return addresses.str.slice(0, _LONGEST).str.count_matches(r"[^\s<>,;:]@[^\s<>,;:]") > 1


def _valid(address: str) -> str | None:
    """Return a valid address in normal form. Case is folded before and after: some letters are folded to others first."""
    if _DAMAGED in address:
        return None
    try:
        return validate_email(address.lower(), check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        return None


def _bare(text: str) -> str:
    """Take off what people and programs write around one address; "" if there are several."""
    bare = text.strip().rstrip(_TAIL).strip()
    if named := _NAMED.fullmatch(bare):
        bare = named[1]
    for opening, closing in ("<>", "''", '""', "()", "[]"):
        if bare.startswith(opening) and bare.endswith(closing):
            bare = bare[1:-1].strip()
    if bare[:7].lower() == "mailto:":
        bare = unquote(bare[7:].lstrip("/").partition("?")[0]).strip()
    return bare.rstrip(_TAIL) if len(set(_TOKEN.findall(text.lower()))) <= 1 else ""
