"""A contact's JSON, as it would be sent: composed of columns, and of several rows of one person.

Fields stand in a fixed order, so that the same values give the same text: its digest tells whether a contact changed.
Null clears a field, so an empty value is left out unless the export asks for it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from shared.cleaning.fields import Fields

_ESCAPED: Final = r'["\\\x00-\x1f]'
"""What JSON escapes; text without any of it stands in JSON as it is."""


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


def optional_fields(mapping: Iterable[str], fields: Fields) -> list[str]:
    """Return the fields of a mapping besides the address, in the order in which a contact has them."""
    return [name for name in sorted(mapping) if name != fields.address]


def compose(addresses: pl.Series, values: Sequence[Values], fields: Fields) -> pl.Expr:
    """Return the expression that composes contacts of their addresses and of their values as they are written.

    Without an address there is no contact: what stands in such a row is none.
    """
    parts = [pl.lit("{" + _label(fields.address) + '"'), pl.lit(addresses), pl.lit('"')]  # valid, it needs no escape
    for found in values:
        if fields.group_of(found.name) is None:
            parts += _pair(found, ",") if _is_everywhere(found) else [pl.concat_str(_pair(found, ","))]
    for group in _groups([found.name for found in values], fields):
        members = [pl.concat_str(_pair(found)) for found in values if fields.group_of(found.name) == group]
        some = pl.any_horizontal(pair.is_not_null() for pair in members)
        pairs = pl.concat_str(*members, separator=",", ignore_nulls=True)
        parts.append(pl.when(some).then(pl.concat_str(pl.lit("," + _label(group) + "{"), pairs, pl.lit("}"))))
    return pl.concat_str(*parts, pl.lit("}"), ignore_nulls=True)


def _groups(names: Iterable[str], fields: Fields) -> list[str]:
    """Return the members of a contact that hold fields, in the order in which it has them."""
    return list(dict.fromkeys(group for name in names if (group := fields.group_of(name)) is not None))


def _is_everywhere(field: Values) -> bool:
    """Return whether there is something to say of a field in each row."""
    return field.empty is None and not field.values.has_nulls()


def _pair(field: Values, before: str = "") -> list[pl.Expr]:
    """Return the parts of `"name":value` as JSON, `"name":null` where it shall be erased; null where nothing is to be said."""
    label, values = before + _label(field.name), field.values
    match values.dtype:
        case pl.Int64 | pl.Boolean:
            parts = [pl.lit(label), pl.lit(values).cast(pl.String)]
        case pl.String:
            parts = [pl.lit(label + '"'), pl.lit(values if field.is_bare else _escaped(values)), pl.lit('"')]
        case _:
            parts = [pl.lit(label), _encoded(pl.lit(values))]
    if field.empty is None:
        return parts
    return [pl.when(pl.lit(field.empty)).then(pl.lit(label + "null")).otherwise(pl.concat_str(parts))]


def _escaped(texts: pl.Series) -> pl.Series:
    """Return texts as they stand in JSON between quotes; only those are encoded of which it escapes something."""
    places = texts.str.contains(_ESCAPED).arg_true()
    if places.is_empty():
        return texts
    encoded = pl.select(_encoded(pl.lit(texts.gather(places)))).to_series()
    return texts.clone().scatter(places, encoded.str.strip_prefix('"').str.strip_suffix('"'))


def _encoded(values: pl.Expr) -> pl.Expr:
    """Encode values as JSON, null where there is none."""
    encoded = pl.struct(values.alias("")).struct.json_encode().str.strip_prefix('{"":').str.strip_suffix("}")
    return pl.when(values.is_not_null()).then(encoded)


def _label(name: str) -> str:
    return json.dumps(name, ensure_ascii=False) + ":"


def decoded(contacts: pl.Series, mapping: Iterable[str], fields: Fields) -> pl.DataFrame:
    """Return the values of contacts, a column for each field of the mapping; null for one without a value."""
    names = optional_fields(mapping, fields)
    shape: dict[str, pl.DataType] = {fields.address: pl.String()}
    shape |= {name: fields.value_type(name) for name in names if fields.group_of(name) is None}
    groups = _groups(names, fields)
    for group in groups:
        shape[group] = pl.Struct({name: fields.value_type(name) for name in names if fields.group_of(name) == group})
    return contacts.str.json_decode(pl.Struct(shape)).struct.unnest().unnest(groups)


def united(contacts: pl.DataFrame, mapping: Iterable[str], cleared: Collection[str], fields: Fields) -> pl.DataFrame:
    """Put the contacts of each `person` together: the first value of each field, in the order of rows.

    `contacts` has `person`, `fields` and the columns of `decoded`. A field is erased only if every row says so, and a
    permission is taken back if any row does. Returns `person` and `fields`.
    """
    names = optional_fields(mapping, fields)
    erased = [
        pl.col("fields").str.contains(_label(name) + "null", literal=True).all().alias(f"{name}\0erased")
        for name in sorted(cleared)
    ]
    takes = [_spoken(name, fields) for name in names]
    whole = contacts.group_by("person", maintain_order=True).agg(pl.col(fields.address).first(), *takes, *erased)
    values = [
        Values(name, whole[name], whole[name], empty=whole[f"{name}\0erased"] if name in cleared else None)
        for name in names
    ]
    return whole.select("person", compose(whole[fields.address], values, fields).alias("fields"))


def _spoken(name: str, fields: Fields) -> pl.Expr:
    """Return what several rows say of a field."""
    permission = fields.permission
    if permission is None or name != permission.field:
        return pl.col(name).drop_nulls().first()
    return pl.col(name).max() if permission.taken_back else pl.col(name).min()
