"""Autopilot's contact fields: their exact names, their types, and how a segment's text becomes a value of a type.

Names are those of the vendor's own table, confirmed by several clients. Custom fields are
written as `type--Name--Parts`, spaces as `--` (vendor, 2015). Types are string, integer, float, boolean and date.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, get_args

import polars as pl
from pydantic import AfterValidator

from shared.cleaning.dates import dates
from shared.cleaning.notation import Notations
from shared.cleaning.numbers import booleans, floats, integers, without_decimals

STANDARD_FIELDS: Final = (
    "Email",
    "FirstName",
    "LastName",
    "Salutation",
    "Company",
    "NumberOfEmployees",
    "Title",
    "Industry",
    "Phone",
    "MobilePhone",
    "Fax",
    "Website",
    "MailingStreet",
    "MailingCity",
    "MailingState",
    "MailingPostalCode",
    "MailingCountry",
    "LeadSource",
    "Status",
    "Twitter",
    "LinkedIn",
    "unsubscribed",
)
"""What an export may write. `contact_id` and `owner_name` are Autopilot's own."""

FieldType = Literal["string", "integer", "float", "boolean", "date"]
CUSTOM_TYPES: Final[tuple[str, ...]] = get_args(FieldType)


def is_custom(name: str) -> bool:
    """Whether `name` is a custom field's, such as `integer--Points`."""
    kind, separator, rest = name.partition("--")
    return bool(separator) and kind in CUSTOM_TYPES and all(part.strip() for part in rest.split("--"))


def field_type(name: str) -> FieldType:
    """Type of the value that field `name` takes; every standard field is a string but `unsubscribed`."""
    if name == "unsubscribed":
        return "boolean"
    kind, separator, _ = name.partition("--")
    if separator and kind in CUSTOM_TYPES:
        return kind  # type: ignore[return-value]  # just checked against the literal's own values
    return "string"


def _known_field(name: str) -> str:
    if name in STANDARD_FIELDS or is_custom(name):
        return name
    by_lower_case = {field.lower(): field for field in STANDARD_FIELDS}
    close = by_lower_case.get(name.lower().replace(" ", "").replace("_", ""))
    hint = f"; did you mean {close!r}?" if close else "; custom fields are written as string--Loyalty--Tier"
    raise ValueError(f"{name!r} is not a field of Autopilot{hint}")


FieldName = Annotated[str, AfterValidator(_known_field)]
"""A field's exact name; anything else is refused with the nearest known name."""


def convert(texts: pl.Series, kind: FieldType, column: str, notations: Notations) -> pl.Series:
    """Return a column's texts, each in its one spelling, as values of a field; null for one that is no such value."""
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
