"""Values that a source types itself: numbers, flags, dates and moments, taken as they are.

They are never written out as text to be read again. Each is taken as its plain text would be (docs/values.md): 3.0 is a whole
number, 1 is true, a moment becomes UTC.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import polars as pl

from shared.cleaning.dates import WRITTEN, written
from shared.cleaning.fields import FieldType
from shared.cleaning.numbers import DIGITS, LARGEST, without_noise

_MOMENT: Final = pl.Datetime("ms")
_KINDS: Final = {"integer": pl.Int64(), "float": pl.Float64(), "boolean": pl.Boolean(), "date": pl.String()}


def typed_columns(cells: pl.DataFrame, as_text: Collection[str]) -> pl.DataFrame:
    """Return a batch's columns: not a number is no value, and those of `as_text` are texts, whatever the source says."""
    texts = [texts_of(cells[name]) for name in as_text if cells[name].dtype != pl.String]
    floats = [name for name, kind in cells.schema.items() if kind.is_float()]
    return cells.with_columns(*[pl.col(name).fill_nan(None) for name in floats], *texts) if floats or texts else cells


def typed(values: pl.Series, kind: FieldType) -> pl.Series:
    """Return typed values as values of a field; null for one that the field cannot take."""
    is_number = values.dtype.is_numeric()
    match kind:
        case "string":
            return texts_of(values)
        case "integer" if is_number:
            return _integers(values)
        case "float" if is_number:
            return _floats(values)
        case "boolean" if is_number:
            return _booleans(values)
        case "boolean" if values.dtype == pl.Boolean:
            return values
        case "date" if values.dtype.is_temporal():
            return written(_moments(values))
    return pl.Series([None], dtype=_KINDS[kind]).new_from_index(0, len(values))


def texts_of(values: pl.Series) -> pl.Series:
    """Return the one text of each value: digits without needless zeros, true or false, dates by ISO 8601."""
    kind = values.dtype
    if kind.is_float():
        whole = _is_whole(values)
        digits = values.cast(pl.Int64, strict=False).cast(pl.String)
        return digits.zip_with(whole, values.cast(pl.String)).alias(values.name)
    if isinstance(kind, pl.Datetime):
        return pl.select(pl.lit(_moments(values)).dt.strftime(WRITTEN)).to_series().alias(values.name)
    return values.cast(pl.String)


def _integers(values: pl.Series) -> pl.Series:
    digits = values.cast(pl.Int64, strict=False)
    fits = _is_whole(values) if values.dtype.is_float() else digits.is_between(-LARGEST, LARGEST).fill_null(value=False)
    return digits.zip_with(fits, pl.Series([None], dtype=pl.Int64))


def _is_whole(decimals: pl.Series) -> pl.Series:
    numbers = decimals.cast(pl.Float64)
    return ((numbers == numbers.floor()) & (numbers.abs() <= LARGEST)).fill_null(value=False)


def _floats(values: pl.Series) -> pl.Series:
    numbers = values.cast(pl.Float64)
    numbers = numbers.zip_with(numbers.is_finite().fill_null(value=False), pl.Series([None], dtype=pl.Float64))
    numbers = numbers.zip_with((numbers != 0).fill_null(value=True), pl.Series([0.0]))  # zero has no sign
    noisy = ((numbers != numbers.round_sig_figs(DIGITS)) & ~_is_whole(numbers)).fill_null(value=False).arg_true()
    return numbers.scatter(noisy, without_noise(numbers.gather(noisy))) if len(noisy) else numbers


def _booleans(values: pl.Series) -> pl.Series:
    numbers = values.cast(pl.Float64)
    known = ((numbers == 0) | (numbers == 1)).fill_null(value=False)
    return (numbers == 1).zip_with(known, pl.Series([None], dtype=pl.Boolean))


def _moments(values: pl.Series) -> pl.Series:
    """Return moments in UTC; midnight with an offset is that day, since it stands for a day and not for a moment."""
    zone = values.dtype.time_zone if isinstance(values.dtype, pl.Datetime) else None
    if zone is None:
        return values.cast(_MOMENT)
    here = values.dt.replace_time_zone(None)
    utc = values.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return here.zip_with(here == here.dt.truncate("1d"), utc).cast(_MOMENT)
