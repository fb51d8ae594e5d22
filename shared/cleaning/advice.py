"""What a value that cannot be read looks like, so that its owner is told what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from shared.cleaning.addresses import are_several
from shared.cleaning.fields import FieldType
from shared.reasons.rows import Hint

_NUMBER_SIGNS: Final = (
    (r"%$", Hint.PERCENT),
    (r"(?i)\p{Sc}|^(?:eur|usd|gbp|chf)\b|\b(?:eur|usd|gbp|chf)$", Hint.CURRENCY),
    (
        r"^[+-]?[0-9]{17,}(?:\.0*)?$|^[+-]?9[0-9]{15}(?:\.0*)?$|^[+-]?[0-9]+(?:\.[0-9]*)?[eE]\+?[0-9]{2,3}$",
        Hint.TOO_LARGE,
    ),
    (r"^[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}$", Hint.THOUSANDS),
    (r"^[+-]?[0-9.]*,[0-9]+$|^[+-]?[0-9]{1,3}(?:\.[0-9]{3}){2,}$", Hint.DECIMAL_COMMA),
)

_SIGNS: Final[Mapping[FieldType, tuple[tuple[str, Hint], ...]]] = {
    "integer": (*_NUMBER_SIGNS, (r"^[+-]?[0-9]*\.[0-9]+$", Hint.FRACTION)),
    "float": _NUMBER_SIGNS,
    "boolean": ((r".", Hint.FLAG),),
    "date": (
        (r"^[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2}(?:[T ].*)?$", Hint.TWO_DIGIT_YEAR),
        (r"^0[0-9]{3}-|[-/.]0[0-9]{3}(?:[T ].*)?$", Hint.YEAR),
        (r"^(?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|1[0-2])[-/.][0-9]{4}(?:[T ].*)?$", Hint.DATE_ORDER),
        (r"^[0-9]{1,5}(?:\.[0-9]+)?$", Hint.DAY_NUMBER),
        (r"(?i)^/date\(|^-?[0-9]{9,}(?:\.[0-9]+)?$", Hint.SECONDS),
        (r".", Hint.DATE),
    ),
    "string": (),
}  # fmt: skip


def hints_for_values(texts: pl.Series, kind: FieldType) -> pl.Series:
    """Return a Hint for each text that a field of this kind cannot take, null where nothing is known."""
    hints = pl.lit(None, pl.String)
    for pattern, hint in reversed(_SIGNS[kind]):
        hints = pl.when(pl.col("text").str.contains(pattern)).then(pl.lit(hint.value)).otherwise(hints)
    return texts.alias("text").to_frame().with_columns(hints.alias("hint"))["hint"]


def hints_for_addresses(texts: pl.Series) -> pl.Series:
    """Return a Hint for each text that is no address, null where nothing is known."""
    return are_several(texts).replace_strict({True: Hint.SEVERAL_ADDRESSES.value}, default=None, return_dtype=pl.String)
