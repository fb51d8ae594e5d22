"""What an export may map at Ortto, and how its values are compared: what cleaning and verification ask of its fields."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import polars as pl

from shared.cleaning.advice import hints_for_values
from shared.cleaning.fields import NOTHING, FieldType, Permission, comparable
from shared.cleaning.notation import Notations
from shared.cleaning.typed import texts_of
from shared.destinations.ortto.fields import THOUSANDTHS, Field, convert
from shared.reasons.rows import Hint

_ID: Final = re.compile(r"(str|txt|int|bol|dtz|tme|phn|geo|sst):[a-z0-9]*:[^\s:A-Z]{1,255}")
"""Type, namespace and name. Ortto makes the name of a custom field of what people call it; in which letters nobody knows."""

_TYPES: Final[Mapping[str, FieldType]] = {"int": "integer", "bol": "boolean", "dtz": "date", "tme": "date"}
_REWRITTEN: Final = frozenset({"phn", "geo", "sst"})
_DAY: Final = pl.Struct({"year": pl.Int64, "month": pl.Int64, "day": pl.Int64, "timezone": pl.String})
_PHONE: Final = pl.Struct({"phone": pl.String, "parse_with_country_code": pl.Boolean})
_VALUES: Final[Mapping[str, pl.DataType]] = {
    "int": pl.Int64(),
    "bol": pl.Boolean(),
    "dtz": _DAY,
    "phn": _PHONE,
    "geo": pl.Struct({"name": pl.String}),
    "sst": pl.List(pl.String),
}


class OrttoFields:
    """Fields by their ids; `kinds` are the account's own names of their types, as far as they are known."""

    address = "str::email"
    permission: Permission | None = Permission("bol::p", taken_back=False)
    likely: Mapping[str, Sequence[str]] = {
        "str::email": ("email", "emailaddress", "emailaddress1", "mail", "primaryemail"),
        "str::first": ("firstname", "givenname"),
        "str::last": ("lastname", "surname", "familyname"),
        "phn::phone": ("phone", "telephone", "telephone1"),
        "geo::city": ("city", "address1city"),
        "str::postal": ("postcode", "postalcode", "zip", "zipcode"),
        "geo::country": ("country", "countryregion"),
    }

    def __init__(self, kinds: Mapping[str, str] | None = None) -> None:
        self._kinds = kinds or {}

    def check(self, name: str) -> None:
        """Raise ValueError for a name that is no field's id."""
        if not (_ID.fullmatch(name) and name.isprintable()):
            raise ValueError(
                f"{name!r} is not the id of a field of Ortto; copy it there, such as str::first or str:cm:tier"
            )

    def unlearned(self, names: Iterable[str]) -> Sequence[str]:
        """Return the fields of numbers whose type is not known: 120 is kept as 120, or as 120000 thousandths."""
        return [name for name in names if name.startswith("int:") and name not in self._kinds]

    def type_of(self, name: str) -> FieldType:
        """Return the type of a field's values, by its id, or as the account tells it."""
        if self._kinds.get(name) in THOUSANDTHS:
            return "float"
        return _TYPES.get(name.partition(":")[0], "string")

    def group_of(self, name: str) -> str | None:  # noqa: ARG002 - the port's
        """Return None: all fields stand beside the address."""
        return None

    def convert(self, name: str, texts: pl.Series, column: str, notations: Notations) -> pl.Series:
        """Return a column's texts as values of the field."""
        if self.unlearned([name]):
            return pl.Series([None], dtype=pl.Int64).new_from_index(0, len(texts))
        return convert(texts, Field(name, "", self._kinds.get(name, "")), column, notations)

    def convert_typed(self, name: str, values: pl.Series) -> pl.Series:
        """Return a column that the source types itself as its texts would be."""
        return self.convert(name, texts_of(values), values.name, Notations())

    def hints(self, name: str, texts: pl.Series) -> pl.Series:
        """Return what texts look like that the field cannot take."""
        if name.startswith("phn:"):
            return _everywhere(Hint.PHONE, texts)
        if self.unlearned([name]):
            return _everywhere(Hint.TYPE_UNKNOWN, texts)
        return hints_for_values(texts, self.type_of(name))

    def value_type(self, name: str) -> pl.DataType:
        """Return the Polars type of a field's values."""
        return _VALUES.get(name.partition(":")[0], pl.String())

    def read_text(self, name: str, document: Mapping[str, Any]) -> str:
        """Return a field's value as read back."""
        return self.sent_text(name, document.get(name))

    def sent_text(self, name: str, value: object) -> str:
        """Return a value as it is compared: numbers as numbers, days as days, times to the second, as they are read back (recorded).

        Phones, places and several values are never drift: Ortto may write them in its own way, or hold more of them.
        """
        if name.partition(":")[0] in _REWRITTEN:
            return NOTHING
        if isinstance(value, Mapping):
            return str([value.get(part) for part in ("year", "month", "day")])
        if name.startswith("tme:"):
            value = _second(value)
        return comparable(value, is_number=name.startswith("int:"))


def _second(value: object) -> object:
    """Return a time without parts of its second, in one spelling; what is no time as it is."""
    try:
        moment = datetime.fromisoformat(str(value))
        moment = moment.replace(tzinfo=moment.tzinfo or UTC, microsecond=0).astimezone(UTC)
    except (ValueError, OverflowError):  # at the ends of the calendar there may be no such moment in UTC
        return value
    return moment.isoformat()


def _everywhere(hint: Hint, texts: pl.Series) -> pl.Series:
    return pl.Series([hint.value]).new_from_index(0, len(texts))


FIELDS: Final = OrttoFields()
