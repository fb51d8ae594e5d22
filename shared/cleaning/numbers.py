"""Numbers and flags as systems write them: whole numbers, decimals, true or false.

Most columns hold plain digits and are read in one go; only what is written otherwise is looked at closer.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import polars as pl

from shared.cleaning.evidence import marks_of_numbers, marks_of_whole_numbers
from shared.cleaning.notation import Mark, Notation, Notations

LARGEST: Final = 2**53 - 1
"""The largest whole number that every system keeps: beyond it, a store of doubles changes the last digits."""

DIGITS: Final = 15
"""Digits that a double keeps whatever is done with it; what stands behind them is noise of arithmetic."""

_SHORT: Final = r"^[+-]?[0-9]{1,15}$"
_SHORT_END: Final = 10**15
_WHOLE: Final = r"^[+-]?[0-9]+$"
_POINT_ZEROS: Final = r"\.0+$"
_DECIMAL: Final = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?$"
_THIRD: Final = r"^[+-]?[1-9][0-9]{0,2}\.[0-9]{3}$"
"""A number that may be thousands, parted by a point, as well as a decimal."""

_COMMAS: Final = r"^[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]*)?$"
_ONE_COMMA: Final = r"^[+-]?[1-9][0-9]{0,2},[0-9]{3}$"
_DOLLARS: Final = r"^([+-]?)\$ ?([0-9])"

_TRUE: Final = ("true", "yes", "y", "1", "t", "on")
_FALSE: Final = ("false", "no", "n", "0", "f", "off")


def integers(texts: pl.Series, column: str, notations: Notations) -> pl.Series:
    """Return each text as a whole number; null for one that is none, or too large to be kept."""
    digits = texts.cast(pl.Int64, strict=False)
    if digits.null_count() == texts.null_count() and _is_short(digits):
        return digits
    text = pl.col("text")
    whole = text.str.replace(_POINT_ZEROS, "")
    plain = whole.str.contains(_SHORT)
    table = texts.alias("text").to_frame()
    table = table.select(
        "text",
        pl.when(plain).then(whole.cast(pl.Int64, strict=False)).alias("value"),
        text.str.contains(_THIRD).alias("third"),
    )
    found = table["value"]
    left = (texts.is_not_null() & found.is_null()).arg_true()
    third = table["third"].any()
    if left.is_empty() and not third:
        return found
    others = texts.gather(left)
    marks = Mark.UNCERTAIN if third else Mark.NOTHING
    notation = notations.learn(column, "integer", marks | marks_of_whole_numbers(others))
    if third and not notation.plain_signs:
        found = found.set(table["third"], None)
    return found.scatter(left, _wholes(_unadorned(others, notation))) if len(left) else found


def _is_short(numbers: pl.Series) -> bool:
    """Return whether all numbers have at most 15 digits."""
    least, most = pl.select(pl.lit(numbers).min().alias("least"), pl.lit(numbers).max().alias("most")).row(0)
    return least is None or -_SHORT_END < least <= most < _SHORT_END


def floats(texts: pl.Series, column: str, notations: Notations) -> pl.Series:
    """Return each text as a number of at most 15 digits; null for one that is none."""
    plain = texts.str.contains(_DECIMAL)
    third = texts.str.contains(_THIRD)
    left = (texts.is_not_null() & ~plain).arg_true()
    others = texts.gather(left)
    marks = Mark.UNCERTAIN if third.any() else Mark.NOTHING
    notation = notations.learn(column, "float", marks | marks_of_numbers(others))
    found = _decimals(texts, plain)
    if not notation.plain_signs:
        found = found.set(third, None)
    if len(left):
        bare = _unadorned(others, notation)
        found = found.scatter(left, _decimals(bare, bare.str.contains(_DECIMAL)))
    return found


def booleans(texts: pl.Series) -> pl.Series:
    """Return each text as true or false; null for one that is neither."""
    lower = texts.str.to_lowercase()
    if texts.str.contains(".", literal=True).any():
        lower = lower.str.replace(r"^([01])\.0+$", "${1}")
    return pl.select(pl.when(lower.is_in(_TRUE)).then(True).when(lower.is_in(_FALSE)).then(False)).to_series()


def without_decimals(texts: pl.Series) -> pl.Series:
    """Return whole numbers of a column of numbers as digits alone: `85301.0` is 85301, `1.5E10` is 15000000000, `-0.0` is 0."""
    bare = texts.str.replace(r"^([+-]?[0-9]+)\.0*$", "${1}").str.replace(r"^[+-]0+$", "0")
    powers = bare.str.contains(r"^[+-]?[0-9]+(?:\.[0-9]*)?[eE][+-]?[0-9]{1,2}$").fill_null(value=False).arg_true()
    if powers.is_empty():
        return bare
    return bare.scatter(powers, pl.Series([_digits(text) for text in bare.gather(powers)], dtype=pl.String))


def _digits(text: str) -> str:
    number = Decimal(text)
    return f"{number or abs(number):.0f}" if number == number.to_integral_value() else text


def _unadorned(texts: pl.Series, notation: Notation) -> pl.Series:
    """Take off a dollar sign, and the commas that part thousands."""
    bare = texts.str.replace(_DOLLARS, "${1}${2}")
    grouped = bare.str.contains(_COMMAS)
    if not notation.plain_signs:
        grouped = grouped & ~bare.str.contains(_ONE_COMMA)
    return bare.str.replace_all(",", "", literal=True).zip_with(grouped.fill_null(value=False), bare)


def _wholes(texts: pl.Series) -> pl.Series:
    """Read whole numbers with many digits, or with a power of ten."""
    whole = texts.str.replace(_POINT_ZEROS, "")
    digits = whole.cast(pl.Int64, strict=False).zip_with(
        whole.str.contains(_WHOLE).fill_null(value=False), _nothing(pl.Int64)
    )
    number = texts.cast(pl.Float64, strict=False)
    power = texts.str.contains(r"^[+-]?[0-9]+(?:\.[0-9]*)?[eE][+-]?[0-9]{1,3}$").fill_null(value=False)
    by_power = power & (number == number.floor()) & (number.abs() <= LARGEST)
    found = digits.zip_with(~by_power, number.cast(pl.Int64, strict=False))
    return found.zip_with(found.is_between(-LARGEST, LARGEST).fill_null(value=False), _nothing(pl.Int64))


def _decimals(texts: pl.Series, plain: pl.Series) -> pl.Series:
    """Read decimals where they are `plain`, zero without a sign, and without the noise behind 15 digits."""
    number = texts.cast(pl.Float64, strict=False)
    number = number.zip_with((number != 0).fill_null(value=True), pl.Series([0.0]))
    number = number.zip_with((plain & number.is_finite()).fill_null(value=False), _nothing(pl.Float64))
    long = (texts.str.len_bytes() > DIGITS + 1).fill_null(value=False) & number.is_not_null()
    if not long.any():
        return number
    places = long.arg_true()
    return number.scatter(places, without_noise(number.gather(places)))


def without_noise(numbers: pl.Series) -> pl.Series:
    """Return decimals without the noise behind 15 digits.

    Where powers of ten are not exact, and just below one, to which the logarithm of a number may be rounded, it is not left to Polars.
    """
    rounded, size = numbers.round_sig_figs(DIGITS), numbers.abs()
    below = (size * (1 - 1e-14)).log10().floor() != (size * (1 + 1e-14)).log10().floor()
    beyond = (~size.is_between(1e-6, 1e15) | below).fill_null(value=False).arg_true()
    exactly = pl.Series([float(f"{value:.{DIGITS}g}") for value in numbers.gather(beyond)], dtype=pl.Float64)
    return rounded.scatter(beyond, exactly)


def _nothing(kind: type[pl.DataType]) -> pl.Series:
    return pl.Series([None], dtype=kind)
