"""A contact's JSON, as it would be sent: composed of columns, and of several rows of one person.

Fields stand in a fixed order, custom ones under `custom` (vendor, 2015), so that the same values give the same text: its
digest tells whether a contact changed. Null clears a field at Autopilot (vendor's documents, quoted 2017), so an empty
value is left out unless the export asks for it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from shared.destinations.autopilot.fields import FieldType, field_type, is_custom

_EMAIL: Final = "Email"
PERMISSION: Final = "unsubscribed"
"""Whether somebody may be mailed: true takes the permission back, false gives it."""

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
    nowhere); `placeholders` counts texts that stand for "no value". `is_bare` says that JSON escapes nothing of them.
    """

    name: str
    values: pl.Series
    texts: pl.Series
    bad: pl.Series | None = None
    empty: pl.Series | None = None
    placeholders: int = 0
    is_bare: bool = False


def optional_fields(mapping: Iterable[str]) -> list[str]:
    """Return the fields of a mapping besides the address, in the order in which a contact has them."""
    return [name for name in sorted(mapping) if name != _EMAIL]


def compose(addresses: pl.Series, fields: Sequence[Values]) -> pl.Expr:
    """Return the expression that composes contacts of their addresses and of the values of `fields`."""
    pairs = [(found.name, _pair(found)) for found in fields]
    parts = [_pair(Values(_EMAIL, addresses, addresses, is_bare=True))]  # a valid address needs no escape
    parts += [pair for name, pair in pairs if not is_custom(name)]
    custom = [pair for name, pair in pairs if is_custom(name)]
    if custom:
        some = pl.any_horizontal(pair.is_not_null() for pair in custom)
        parts.append(pl.when(some).then(pl.lit('"custom":') + _object(custom)))
    return _object(parts)


def _pair(field: Values) -> pl.Expr:
    """Encode `"name":value` as JSON, `"name":null` where it shall be erased, and null where there is nothing to say."""
    label, values = _label(field.name), field.values
    value = pl.lit(values)
    match values.dtype:
        case pl.Int64 | pl.Boolean:
            text = pl.concat_str(pl.lit(label), value.cast(pl.String))
        case pl.String if field.is_bare or not values.str.contains(_ESCAPED).any():
            text = pl.concat_str(pl.lit(label + '"'), value, pl.lit('"'))
        case _:
            encoded = pl.struct(value.alias("")).struct.json_encode().str.strip_prefix('{"":').str.strip_suffix("}")
            text = pl.when(value.is_not_null()).then(pl.concat_str(pl.lit(label), encoded))
    if field.empty is None:
        return text
    return pl.when(pl.lit(field.empty)).then(pl.lit(label + "null")).otherwise(text)


def _object(pairs: list[pl.Expr]) -> pl.Expr:
    return pl.concat_str(pl.lit("{"), pl.concat_str(*pairs, separator=",", ignore_nulls=True), pl.lit("}"))


def _label(name: str) -> str:
    return json.dumps(name, ensure_ascii=False) + ":"


def decoded(fields: pl.Series, mapping: Iterable[str]) -> pl.DataFrame:
    """Return the values of contacts, a column for each field of the mapping and `Email`; null for one without a value."""
    kinds = {name: _TYPES[field_type(name)] for name in optional_fields(mapping)}
    own = {name: kind for name, kind in kinds.items() if not is_custom(name)}
    custom = {name: kind for name, kind in kinds.items() if is_custom(name)}
    shape = {_EMAIL: pl.String(), **own} | ({"custom": pl.Struct(custom)} if custom else {})
    table = fields.str.json_decode(pl.Struct(shape)).struct.unnest()
    return table.unnest("custom") if custom else table


def united(contacts: pl.DataFrame, mapping: Iterable[str], cleared: Collection[str]) -> pl.DataFrame:
    """Put the contacts of each `person` together: the first value of each field, in the order of rows.

    `contacts` has `person`, `fields` and the columns of `decoded`. A field is erased only if every row says so, and a
    permission is taken back if any row does. Returns `person` and `fields`.
    """
    names = optional_fields(mapping)
    takes = [pl.col(name).max() if name == PERMISSION else pl.col(name).drop_nulls().first() for name in names]
    erased = [
        pl.col("fields").str.contains(_label(name) + "null", literal=True).all().alias(f"{name}\0erased")
        for name in sorted(cleared)
    ]
    whole = contacts.group_by("person", maintain_order=True).agg(pl.col(_EMAIL).first(), *takes, *erased)
    values = [
        Values(name, whole[name], whole[name], empty=whole[f"{name}\0erased"] if name in cleared else None)
        for name in names
    ]
    return whole.select("person", compose(whole[_EMAIL], values).alias("fields"))
