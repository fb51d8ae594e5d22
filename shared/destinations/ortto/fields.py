"""Ortto's person fields: which an account has, which an export may write, and how a segment's text becomes a value.

A field is named by its id, as Ortto shows it to be copied: `str::email`, `str:cm:tier` (type, namespace, name). The id of
a custom field is read from the account, never made up. What type `int` holds only the account tells: decimals and amounts
are kept as whole thousandths (vendor).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

import polars as pl

from shared.cleaning.dates import dates
from shared.cleaning.notation import Notations
from shared.cleaning.numbers import booleans, floats, integers, without_decimals
from shared.delivery.account import FieldCheck, OfferedField
from shared.delivery.destination import Notes
from shared.destinations.ortto.phones import phones

TEXT: Final = 255
LONG_TEXT: Final = 4_000
"""Characters that a text and a long text may have (vendor); whether more is refused or cut nobody knows."""

THOUSANDTHS: Final = frozenset({"decimal", "currency", "price"})
"""Types of numbers that are kept as whole thousandths (vendor)."""

_NOTE: Final = "field:"

SEPARATOR: Final = ";"
"""Between the values of one cell for a field of several values (our choice)."""

_WRITABLE: Final = frozenset({"str", "txt", "int", "bol", "dtz", "tme", "phn", "geo", "sst"})
_HELD_BACK: Final = frozenset({"str::person_id", "bol::sp", "bol::gdpr"})
"""Not offered: who a person is to Ortto, and consents that no segment can give."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the account: its id, what people call it, its type, and whether only Ortto writes it."""

    id: str
    name: str
    kind: str
    read_only: bool = False

    @property
    def prefix(self) -> str:
        """The kind of its values, as its id begins."""
        return self.id.partition(":")[0]

    @property
    def is_writable(self) -> bool:
        """Whether an export may write it."""
        return not self.read_only and self.prefix in _WRITABLE and self.id not in _HELD_BACK


def fields_of(schema: Mapping[str, Any]) -> dict[str, Field]:
    """Return the account's fields by id, as `instance-schema/get` tells them."""
    found = [item for space in schema["namespaces"].values() for item in (space["fields"] or {}).values()]
    return {item["id"]: _field(item) for item in found}


def _field(item: Mapping[str, Any]) -> Field:
    return Field(item["id"], str(item.get("name") or ""), item["display_type"], item.get("read_only") is True)


def check(names: Sequence[str], schema: Mapping[str, Any]) -> FieldCheck:
    """Hold the fields of a mapping against the account's: one that it has not, or that only Ortto writes, does not fit."""
    known = fields_of(schema)
    conflicts = {name: sentence for name in names if (sentence := _conflict(name, known))}
    return FieldCheck(conflicts=conflicts)


def offered(schema: Mapping[str, Any]) -> list[OfferedField]:
    """Return the account's fields that an export may write, by what people call them."""
    writable = [item for item in fields_of(schema).values() if item.is_writable]
    return [
        OfferedField(item.id, item.name, item.kind) for item in sorted(writable, key=lambda item: item.name.lower())
    ]


def note_kinds(notes: Notes, names: Sequence[str], schema: Mapping[str, Any]) -> None:
    """Note the types of the fields that an export maps: what a field of numbers holds its id does not tell."""
    known, before = fields_of(schema), noted_kinds(notes)
    for name in names:
        if name in known and before.get(name) != known[name].kind:
            notes.write(_NOTE + name, known[name].kind)


def noted_kinds(notes: Notes) -> dict[str, str]:
    """Return the types of an account's fields by id, as far as they are noted."""
    return {name.removeprefix(_NOTE): kind for name, kind in notes.read().items() if name.startswith(_NOTE)}


def _conflict(name: str, known: Mapping[str, Field]) -> str | None:
    found = known.get(name)
    if found is None:
        near = _nearest(name, known)
        hint = f" Did you mean {near}?" if near else " Make it in Ortto, under Customer data, Fields."
        return f"The account has no field {name!r}.{hint}"
    return None if found.is_writable else f"The field {name!r} cannot be written by an export."


def _nearest(name: str, known: Mapping[str, Field]) -> str | None:
    """Return the id of the field that somebody meant: by what people call it, or by an id that looks like it."""
    writable = [item for item in known.values() if item.is_writable]
    wanted = _plain(name)
    called = next(
        (item.id for item in writable if wanted in {_plain(item.name), _plain(item.id.rpartition(":")[2])}), None
    )
    return called or next(iter(get_close_matches(name, [item.id for item in writable], n=1, cutoff=0.75)), None)


def _plain(name: str) -> str:
    return "".join(sign for sign in name.lower() if sign.isalnum())


def convert(texts: pl.Series, field: Field, column: str, notations: Notations) -> pl.Series:
    """Return a column's texts, each in its one spelling, as values of a field; null for one that is no such value."""
    match field.prefix:
        case "int" if field.kind in THOUSANDTHS:
            return _thousandths(floats(texts, column, notations))
        case "int":
            return integers(texts, column, notations)
        case "bol":
            return booleans(texts)
        case "dtz":
            return _days(dates(texts, column, notations))
        case "tme":
            return dates(texts, column, notations)
        case "phn":
            return _phones(texts)
        case "geo":
            return _struct(_short(texts, TEXT), name=_short(texts, TEXT))
        case "sst":
            return _several(texts)
        case _:
            bare = without_decimals(texts) if notations.is_number(column) else texts
            return _short(bare, LONG_TEXT if field.prefix == "txt" else TEXT)


def _short(texts: pl.Series, most: int) -> pl.Series:
    too_long = texts.str.len_chars() > most
    return texts.set(too_long, None) if too_long.any() else texts


def _thousandths(numbers: pl.Series) -> pl.Series:
    """Return numbers as whole thousandths; null for one that needs more decimals, or is too large.

    Of 15 digits a fourth decimal makes a tenth: what a double loses of a number, and by the product, stays well below that.
    """
    scaled = numbers * 1000
    whole = scaled.round()
    fits = ((scaled - whole).abs() < 1e-6 + 5e-16 * scaled.abs()) & (whole.abs() < 1e15)
    return pl.select(pl.when(fits).then(whole)).to_series().cast(pl.Int64)


def _days(written: pl.Series) -> pl.Series:
    """Return days as Ortto has them: numbers, and a time zone's name."""
    day = written.str.head(10).str.to_date("%Y-%m-%d", strict=False)
    return _struct(
        day,
        year=day.dt.year().cast(pl.Int64),
        month=day.dt.month().cast(pl.Int64),
        day=day.dt.day().cast(pl.Int64),
        timezone=pl.Series(["UTC"]).new_from_index(0, len(day)),
    )


def _phones(texts: pl.Series) -> pl.Series:
    """Return phone numbers for Ortto to tell the country's code (vendor)."""
    known = phones(texts)
    return _struct(known, phone=known, parse_with_country_code=pl.Series([True]).new_from_index(0, len(known)))


def _several(texts: pl.Series) -> pl.Series:
    parts = (
        texts.str.split(SEPARATOR)
        .list.eval(pl.element().str.strip_chars())
        .list.eval(pl.element().filter(pl.element() != ""))
    )
    return pl.select(pl.when(parts.list.len() > 0).then(parts)).to_series()


def _struct(present: pl.Series, **members: pl.Series) -> pl.Series:
    """Return values of several members, null where there is none."""
    whole = pl.struct(series.alias(name) for name, series in members.items())
    return pl.select(pl.when(present.is_not_null()).then(whole)).to_series()
