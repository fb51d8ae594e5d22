"""The fields of the destination in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from shared.cleaning.advice import hints_for_values
from shared.cleaning.fields import VALUE_TYPES, FieldType, Permission, comparable, convert
from shared.cleaning.notation import Notations
from shared.cleaning.typed import texts_of


@dataclass(frozen=True)
class MemoryFields:
    """A few fields, one of them of an object: a date in parts."""

    address: str = "mail"
    permission: Permission | None = field(default_factory=lambda: Permission("mailable", taken_back=False))
    likely: Mapping[str, Sequence[str]] = field(default_factory=lambda: {"mail": ("email",), "name": ("firstname",)})

    def check(self, name: str) -> None:
        """Raise ValueError for any other name."""
        if name not in {self.address, *_TYPES}:
            raise ValueError(f"{name!r} is not a field of Memory; there are {', '.join(_TYPES)}")

    def unlearned(self, names: Iterable[str]) -> Sequence[str]:
        """Return none: each field's name tells its type."""
        return ()

    def type_of(self, name: str) -> FieldType:
        """Return a field's type."""
        return _TYPES.get(name, "string")

    def group_of(self, name: str) -> str | None:
        """All fields stand beside the address."""
        return None

    def convert(self, name: str, texts: pl.Series, column: str, notations: Notations) -> pl.Series:
        """Return dates in parts, and all else as it is."""
        values = convert(texts, self.type_of(name), column, notations)
        if self.type_of(name) != "date":
            return values
        parts = values.str.extract_groups(r"^(?<year>\d+)-(?<month>\d+)-(?<day>\d+)").cast(_DATE)
        return pl.select(pl.when(values.is_not_null()).then(parts)).to_series()

    def convert_typed(self, name: str, values: pl.Series) -> pl.Series:
        """Return a column that the source types itself as its texts would be."""
        return self.convert(name, texts_of(values), values.name, Notations())

    def hints(self, name: str, texts: pl.Series) -> pl.Series:
        """Return what texts look like that the field cannot take."""
        return hints_for_values(texts, self.type_of(name))

    def value_type(self, name: str) -> pl.DataType:
        """Return the type of a field's values."""
        kind = self.type_of(name)
        return _DATE if kind == "date" else VALUE_TYPES[kind]

    def read_text(self, name: str, document: Mapping[str, Any]) -> str:
        """Return a value as it was read back."""
        return self.sent_text(name, document.get(name))

    def sent_text(self, name: str, value: object) -> str:
        """Return a value as it was sent."""
        return comparable(value, is_number=False)


_TYPES: Mapping[str, FieldType] = {"name": "string", "points": "integer", "born": "date", "mailable": "boolean"}


_DATE = pl.Struct({"year": pl.Int64(), "month": pl.Int64(), "day": pl.Int64()})
