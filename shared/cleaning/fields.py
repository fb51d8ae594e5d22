"""Fields: what cleaning needs to know of a destination's contact fields, and how texts become values of their types."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

import polars as pl

from shared.cleaning.dates import dates
from shared.cleaning.notation import Notations
from shared.cleaning.numbers import booleans, floats, integers, without_decimals

FieldType = Literal["string", "integer", "float", "boolean", "date"]

VALUE_TYPES: Final[Mapping[FieldType, pl.DataType]] = {
    "string": pl.String(),
    "integer": pl.Int64(),
    "float": pl.Float64(),
    "boolean": pl.Boolean(),
    "date": pl.String(),
}
"""The values of each type as cleaning makes them; a date is written 1980-12-25, or as a moment in UTC."""

NOTHING: Final = "null"
"""How a value that is not there is compared."""


@dataclass(frozen=True, slots=True)
class Permission:
    """The field that says whether somebody may be mailed, and the value by which the permission is taken back."""

    field: str
    taken_back: bool


class Fields(Protocol):
    """A destination's contact fields. A field's name is what an export maps to a column."""

    @property
    def address(self) -> str:
        """The field of the e-mail address, which says who a contact is."""
        ...

    @property
    def permission(self) -> Permission | None:
        """The field of the permission to be mailed; None if no field says it."""
        ...

    @property
    def likely(self) -> Mapping[str, Sequence[str]]:
        """Fields that a mapping may suggest, with names that their column may have, in lower case without `_` and blanks."""
        ...

    def check(self, name: str) -> None:
        """Raise ValueError, with a sentence that says what to write instead, for a name that is no field's."""
        ...

    def unlearned(self, names: Iterable[str]) -> Sequence[str]:
        """Return the fields of which only the account tells how a value is written, and nobody has asked it yet.

        `Account.check_fields` has it tell. Until then `convert` takes none of their values, rather than write one wrong.
        """
        ...

    def type_of(self, name: str) -> FieldType:
        """Return the type of a field's values."""
        ...

    def group_of(self, name: str) -> str | None:
        """Return the member of a contact's JSON in which the field stands; None if it stands beside the address."""
        ...

    def convert(self, name: str, texts: pl.Series, column: str, notations: Notations) -> pl.Series:
        """Return a column's texts, each in its one spelling, as values that a contact holds in the field.

        They may have any type that Polars writes as JSON, a struct included; null stands for a text that is no such value.
        `convert` below makes values of the common types.
        """
        ...

    def convert_typed(self, name: str, values: pl.Series) -> pl.Series:
        """Return a column that the source types itself as values of the field; null for one that the field cannot take."""
        ...

    def hints(self, name: str, texts: pl.Series) -> pl.Series:
        """Return a Hint for each text that the field cannot take, null where nothing is known.

        `shared.cleaning.advice.hints_for_values` does so for the common types.
        """
        ...

    def value_type(self, name: str) -> pl.DataType:
        """Return the Polars type of a field's values."""
        ...

    def read_text(self, name: str, document: Mapping[str, object]) -> str:
        """Return a field's value in a contact that was read back, as `comparable` writes it."""
        ...

    def sent_text(self, name: str, value: object) -> str:
        """Return a value as a contact was sent with it, as `comparable` writes it."""
        ...


def convert(texts: pl.Series, kind: FieldType, column: str, notations: Notations) -> pl.Series:
    """Return a column's texts, each in its one spelling, as values of a type; null for one that is no such value."""
    match kind:
        case "string":
            return without_decimals(texts) if notations.is_number(column) else texts
        case "integer":
            return integers(texts, column, notations)
        case "float":
            return floats(texts, column, notations)
        case "boolean":
            return booleans(texts)
        case "date":
            return dates(texts, column, notations)


def comparable(value: object, *, is_number: bool) -> str:
    """Write a value so that equal ones look equal: null, "" and nothing; 12 and 12.0, and the text 12 in a number's field."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return str(value).lower()
    try:
        number = float(value) if isinstance(value, int | float) else float(str(value)) if is_number else None
    except (ValueError, OverflowError):
        number = None
    if number is None or not math.isfinite(number):
        return str(value)
    return str(int(number)) if number.is_integer() else repr(number)
