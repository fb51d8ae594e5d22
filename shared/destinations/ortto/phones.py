"""Phone numbers as people and systems write them, read to the digits that Ortto takes; what is not surely one number is none."""

from __future__ import annotations

from typing import Final

import polars as pl

from shared.cleaning.numbers import without_decimals

_SHORTEST, _LONGEST = 5, 15

_FOLDED: Final = {
    **{chr(0xFF10 + digit): str(digit) for digit in range(10)},
    "\uff0b": "+",
    "\uff08": "(",
    "\uff09": ")",
    "\uff0f": "/",
    "\uff0e": ".",
    "\u3000": " ",
    **dict.fromkeys("\uff0d\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
}
"""Full-width signs and dashes, by the plain one."""

_AS_NUMBER: Final = r"^\+?[0-9]+\.0{0,2}$|^[1-9]\.[0-9]{6,}[eE]\+?[0-9]{1,2}$"
"""A whole number as a column of numbers has it; with fewer digits before its power of ten, a spreadsheet cut it."""

_SIGNS: Final = r"[ \t.-]*"
_SOME: Final = rf"(?:[0-9]+{_SIGNS}|\([0-9][0-9 -]*\){_SIGNS})+"
_GRAMMAR: Final = rf"^(?:tel:)?(?:\+ ?|\(\+ ?[1-9][0-9]{{0,2}}\){_SIGNS})?{_SOME}(?:/{_SIGNS}{_SOME})?$"
"""A plus, digits parted by blanks, points and dashes, parts in parentheses, and one slash at most."""

_NONE: Final = (
    r"^[0-9]{4}([.-])[0-9]{1,2}[.-][0-9]{1,2}$",  # a day
    r"^[0-9]{1,2}[./-][0-9]{1,2}[./-](?:19|20)[0-9]{2}$",
    r"^\+?[0-9]+\.(?:[0-9]|[0-9]{2}|0{3,})$",  # a decimal, or perhaps one
    r"^(?:\(?\+|00)[^0-9]*(?:[124-9][0-9]{0,2}|3[0-8][0-9]?)\)?[ .-]*\(0 ?[0-9]",  # +44 (020): its zero may not be dialled
)
"""What fits the grammar and is something else than one number."""

_TRUNK: Final = r"^((?:\(?\+ ?|00)?[1-9][0-9]{0,2}\)?[ .-]*)\( ?0 ?\)"
"""The zero that is dialled within a country only, behind its code: +44 (0)20."""

_ABROAD: Final = r"^(?:\(?\+ ?|00)"
_BEFORE_SLASH: Final = r"^([^/]*)/"
_LONGEST_AREA, _LONGEST_AREA_ABROAD = 5, 8
"""Digits of an area's code, alone and with its country's: a slash behind more of them stands between two numbers."""


def phones(texts: pl.Series) -> pl.Series:
    """Return phone numbers as digits, without what is dialled to leave a country; null for a text that is not one number."""
    plain = texts.str.replace_many(list(_FOLDED), list(_FOLDED.values()))
    numbers = plain.str.contains(_AS_NUMBER).fill_null(value=False)
    plain = without_decimals(plain).zip_with(numbers, plain) if numbers.any() else plain
    text = pl.col("text")
    is_one = text.str.contains(_GRAMMAR) & ~pl.any_horizontal(text.str.contains(pattern) for pattern in _NONE)
    short = text.str.replace(_TRUNK, "${1}").str.replace(_ABROAD, "")
    area = _digits(short.str.extract(_BEFORE_SLASH)).str.len_bytes().fill_null(0)
    longest = pl.when(text.str.contains(_ABROAD)).then(_LONGEST_AREA_ABROAD).otherwise(_LONGEST_AREA)
    fits = (area <= longest) & _digits(short).str.len_bytes().is_between(_SHORTEST, _LONGEST)
    return plain.alias("text").to_frame().select(pl.when(is_one & fits).then(_digits(short))).to_series()


def _digits(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(r"[^0-9]", "")
