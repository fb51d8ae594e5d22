"""A contact's JSON, as it would be sent: composed of columns, and of several rows of one person.

Fields stand in a fixed order, custom ones under `custom` (vendor, 2015), so that the same values give the same text: its
digest tells whether a contact changed. Null clears a field at Autopilot (vendor's documents, quoted 2017), so an empty
value is left out unless the export asks for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from shared.domain.fields import FieldType, field_type, is_custom

_EMAIL: Final = "Email"

_ESCAPED: Final = r'["\\\x00-\x1f]'
"""What JSON escapes; text without any of it stands in JSON as it is."""

_TYPES: Final[Mapping[FieldType, pl.DataType]] = {
    "string": pl.String(),
    "integer": pl.Int64(),
    "float": pl.Float64(),
    "boolean": pl.Boolean(),
    "date": pl.String(),
}


@dataclass(frozen=True, slots=True)
class Values:
    """A field's values, row for row, and the `texts` they were read from.

    `bad` marks texts that cannot be read (None: there is none), `empty` where the field shall be erased (None:
    nowhere); `placeholders` counts texts that stand for "no value".
    """

    name: str
    values: pl.Series
    texts: pl.Series
    bad: pl.Series | None = None
    empty: pl.Series | None = None
    placeholders: int = 0


def optional_fields(mapping: Iterable[str]) -> list[str]:
    """Return the fields of a mapping besides the address, in the order in which a contact has them."""
    return [name for name in sorted(mapping) if name != _EMAIL]


def compose(addresses: pl.Series, fields: Sequence[Values]) -> pl.Expr:
    """Return the expression that composes contacts of their addresses and of the values of `fields`."""
    pairs = [(found.name, _pair(found.name, found.values, found.empty)) for found in fields]
    parts = [_pair(_EMAIL, addresses, None)]
    parts += [pair for name, pair in pairs if not is_custom(name)]
    custom = [pair for name, pair in pairs if is_custom(name)]
    if custom:
        some = pl.any_horizontal(pair.is_not_null() for pair in custom)
        parts.append(pl.when(some).then(pl.lit('"custom":') + _object(custom)))
    return _object(parts)


def _pair(name: str, values: pl.Series, empty: pl.Series | None) -> pl.Expr:
    """Encode `"name":value` as JSON, `"name":null` where it shall be erased, and null where there is nothing to say."""
    label = _label(name)
    value = pl.lit(values)
    match values.dtype:
        case pl.Int64 | pl.Boolean:
            text = pl.concat_str(pl.lit(label), value.cast(pl.String))
        case pl.String if not values.str.contains(_ESCAPED).any():
            text = pl.concat_str(pl.lit(label + '"'), value, pl.lit('"'))
        case _:
            encoded = pl.struct(value.alias("")).struct.json_encode().str.strip_prefix('{"":').str.strip_suffix("}")
            text = pl.when(value.is_not_null()).then(pl.concat_str(pl.lit(label), encoded))
    if empty is None:
        return text
    return pl.when(pl.lit(empty)).then(pl.lit(label + "null")).otherwise(text)


def _object(pairs: list[pl.Expr]) -> pl.Expr:
    return pl.concat_str(pl.lit("{"), pl.concat_str(*pairs, separator=",", ignore_nulls=True), pl.lit("}"))


def _label(name: str) -> str:
    return json.dumps(name, ensure_ascii=False) + ":"
