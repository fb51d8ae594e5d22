"""How a column is written, as dates and numbers show that stand among other signs: `25/12/1980 ca.`, `12,50 €`.

Such a value is not read, but it is written as its column is: an ambiguous one beside it must not be taken otherwise.
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Final

import polars as pl

from shared.cleaning.notation import Mark

YEARS: Final = Mark.YEAR_DAY_MONTH | Mark.YEAR_MONTH_DAY
"""What dates show that begin with their year: of the others it says nothing."""

_DAY: Final = r"(?:1[3-9]|2[0-9]|3[01])"
"""A number that is a day, and no month."""

_EITHER: Final = r"(?:0?[1-9]|1[0-2])"
_YEAR: Final = r"(?:[0-9]{4}|[0-9]{2})"
_NO_DAY: Final = r"(?:[0-9]{4}|00|3[2-9]|[4-9][0-9])"
"""A year that is no day: in 25/12/10 the year may come first."""


def _date(one: str, sign: str, two: str, three: str) -> str:
    """Return the pattern of a date anywhere in a text, with a sign of this class between its numbers."""
    between = f" ?{sign} ?"
    return f"(?:^|[^0-9./-]){one}{between}{two}{between}{three}(?:$|[^0-9])"


_DATES: Final = (
    (Mark.DAY_FIRST, _date(_DAY, "[-/]", _EITHER, _NO_DAY)),
    (Mark.MONTH_FIRST, _date(_EITHER, "[-/]", _DAY, _YEAR)),
    (Mark.DOTTED_MONTH_FIRST, _date(_EITHER, r"\.", _DAY, _YEAR)),
    (Mark.UNUSUAL, _date(_DAY, "[-/.]", _EITHER, _YEAR)),
    (Mark.UNUSUAL, _date(_EITHER, r"\.", _EITHER, "[0-9]{4}")),
    (Mark.YEAR_DAY_MONTH, _date("[0-9]{4}", "[-/.]", _DAY, _EITHER)),
    (Mark.YEAR_MONTH_DAY, _date("[0-9]{4}", "[-/.]", _EITHER, _DAY)),
)


def _number(pattern: str) -> str:
    """Return the pattern of a number anywhere in a text; one with a power of ten has no signs between thousands."""
    return f"(?:^|[^0-9.,])(?:{pattern})[.,]?(?:$|[^0-9.,eE]|[eE](?:$|[^0-9+-]))"


_ONE_COMMA: Final = _number(r"[1-9][0-9]{0,2},[0-9]{3}")
_ONE_POINT: Final = _number(r"[1-9][0-9]{0,2}\.[0-9]{3}")
_NUMBERS: Final = (
    (Mark.UNCERTAIN, _ONE_COMMA),
    (Mark.GROUPS_BY_POINT, _number(r"[0-9]{1,3}(?:\.[0-9]{3}){2,}|[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+")),
    (Mark.DECIMAL_COMMA, _number(r"[0-9]+,(?:[0-9]{1,2}|[0-9]{4,})|0,[0-9]+|[0-9]{4,},[0-9]+")),
    (Mark.DECIMAL_COMMA, r"^[+-]?,[0-9]+$"),
)


def marks_of_dates(texts: pl.Series) -> Mark:
    """Return what dates within texts show. A text without a whole date, such as `room 12/5`, shows nothing."""
    return _seen(texts, _DATES)


def marks_of_numbers(texts: pl.Series) -> Mark:
    """Return what numbers show that are not plain, alone or within texts."""
    return _seen(texts, _NUMBERS)


def marks_of_whole_numbers(texts: pl.Series) -> Mark:
    """Return the same in a column of whole numbers: there 1.500 is none, unless its point parts thousands."""
    return marks_of_numbers(texts) | _seen(texts, ((Mark.GROUPS_BY_POINT, _ONE_POINT),))


def _seen(texts: pl.Series, patterns: tuple[tuple[Mark, str], ...]) -> Mark:
    if texts.is_empty():
        return Mark.NOTHING
    return reduce(or_, (mark for mark, pattern in patterns if texts.str.contains(pattern).any()), Mark.NOTHING)
