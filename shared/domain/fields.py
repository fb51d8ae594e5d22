"""Autopilot's contact fields: their exact names, and how a segment's text becomes a field's value.

Names are those of the vendor's own table, confirmed by several clients. Custom fields are
written as `type--Name--Parts`, spaces as `--` (vendor, 2015). Types are string, integer, float, boolean and date.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, get_args

import polars as pl
from pydantic import AfterValidator

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

_TRUE = ("true", "yes", "y", "1", "t")
_FALSE = ("false", "no", "n", "0", "f")

_INSTANTS: Final = (
    "%m/%d/%Y",
    "%Y-%m-%d",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
)
_WITH_OFFSET: Final = "%Y-%m-%dT%H:%M:%S%.f%:z"


def convert(column: pl.Expr, kind: FieldType) -> pl.Expr:
    """Convert a trimmed text column to a field's value; null where the text is null or does not convert.

    Numbers are plain decimals; a whole float such as `8888.0` is an integer too, since Customer Insights writes keys so.
    Dates come in US format or ISO 8601 and leave as `2016-11-22T00:00:00.000Z`,
    the one format recorded from Autopilot.
    """
    match kind:
        case "string":
            return column
        case "integer":
            whole = column.str.replace(r"\.0+$", "")
            return pl.when(whole.str.contains(r"^[+-]?\d{1,18}$")).then(whole.cast(pl.Int64, strict=False))
        case "float":
            plain = column.str.contains(r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$")
            number = column.cast(pl.Float64, strict=False)
            return pl.when(plain & number.is_finite()).then(number)
        case "boolean":
            lower = column.str.to_lowercase()
            return pl.when(lower.is_in(_TRUE)).then(True).when(lower.is_in(_FALSE)).then(False)
        case "date":
            instant = column.map_batches(_instants, return_dtype=pl.Datetime("ms"), is_elementwise=True)
            in_calendar = instant.dt.year().is_between(1, 9999)
            return pl.when(in_calendar).then(instant.dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"))


def _instants(text: pl.Series) -> pl.Series:
    """Parse dates, and dates with a time; an offset is applied, its absence means UTC.

    A column has one format as a rule, so the next one is tried only on what is left.
    """
    found = pl.Series([None], dtype=pl.Datetime("ms")).new_from_index(0, len(text)).rename(text.name)
    bare = text.str.replace(r"Z$", "")
    for form in (*_INSTANTS, _WITH_OFFSET):
        open_places = (text.is_not_null() & found.is_null()).arg_true()
        if open_places.is_empty():
            break
        left = (text if form == _WITH_OFFSET else bare).gather(open_places)
        found = found.scatter(open_places, _parsed(left, form))
    return found


def _parsed(text: pl.Series, form: str) -> pl.Series:
    if form == _WITH_OFFSET:
        return text.str.to_datetime(form, time_unit="ms", time_zone="UTC", strict=False).dt.replace_time_zone(None)
    if "%H" in form or "%I" in form:
        return text.str.to_datetime(form, time_unit="ms", strict=False)
    return text.str.to_date(form, strict=False).cast(pl.Datetime("ms"))
