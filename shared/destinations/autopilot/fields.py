"""Autopilot's contact fields: their exact names, their types, and how their values are sent and read back.

Names are those of the vendor's own table, confirmed by several clients. Custom fields are
written as `type--Name--Parts`, spaces as `--` (vendor, 2015). Types are string, integer, float, boolean and date.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, get_args

import polars as pl

from shared.cleaning.advice import hints_for_values
from shared.cleaning.fields import NOTHING, VALUE_TYPES, FieldType, Permission, comparable, convert
from shared.cleaning.notation import Notations
from shared.cleaning.typed import typed

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


_LIKELY: Final = {
    "Email": ("email", "emailaddress", "emailaddress1", "mail", "primaryemail"),
    "FirstName": ("firstname", "givenname"),
    "LastName": ("lastname", "surname", "familyname"),
    "Phone": ("phone", "telephone", "telephone1"),
    "MobilePhone": ("mobilephone", "mobile"),
    "MailingStreet": ("streetaddress", "street", "address1line1"),
    "MailingCity": ("city", "address1city"),
    "MailingState": ("state", "stateorprovince"),
    "MailingPostalCode": ("postcode", "postalcode", "zip", "zipcode"),
    "MailingCountry": ("country", "countryregion"),
}


class AutopilotFields:
    """What an export may map, and how a contact holds it: custom fields under `custom` (vendor, 2015)."""

    address = "Email"
    permission: Permission | None = Permission("unsubscribed", taken_back=True)
    likely: Mapping[str, Sequence[str]] = _LIKELY | {
        name: (name.lower(),) for name in STANDARD_FIELDS if name not in _LIKELY and name != "unsubscribed"
    }

    def check(self, name: str) -> None:
        """Raise ValueError for a name that is no field's, with the nearest known name."""
        if name in STANDARD_FIELDS or is_custom(name):
            return
        by_lower_case = {field.lower(): field for field in STANDARD_FIELDS}
        close = by_lower_case.get(name.lower().replace(" ", "").replace("_", ""))
        hint = f"; did you mean {close!r}?" if close else "; custom fields are written as string--Loyalty--Tier"
        raise ValueError(f"{name!r} is not a field of Autopilot{hint}")

    def unlearned(self, names: Iterable[str]) -> Sequence[str]:  # noqa: ARG002 - the port's
        """Return none: each field's name tells its type."""
        return ()

    def type_of(self, name: str) -> FieldType:
        """Return the type of a field's values."""
        return field_type(name)

    def group_of(self, name: str) -> str | None:
        """Return `custom` for a custom field."""
        return "custom" if is_custom(name) else None

    def convert(self, name: str, texts: pl.Series, column: str, notations: Notations) -> pl.Series:
        """Return a column's texts as values of the field's type."""
        return convert(texts, field_type(name), column, notations)

    def convert_typed(self, name: str, values: pl.Series) -> pl.Series:
        """Return a column that the source types itself as values of the field's type."""
        return typed(values, field_type(name))

    def hints(self, name: str, texts: pl.Series) -> pl.Series:
        """Return what texts look like that the field cannot take."""
        return hints_for_values(texts, field_type(name))

    def value_type(self, name: str) -> pl.DataType:
        """Return the type of a field's values."""
        return VALUE_TYPES[field_type(name)]

    def read_text(self, name: str, document: Mapping[str, Any]) -> str:
        """Return a field's value as read back: custom fields come as a list of kinds (recorded)."""
        if not is_custom(name):
            return self.sent_text(name, document.get(name))
        label = name.partition("--")[2].replace("--", " ")
        items = document.get("custom_fields")
        for item in items if isinstance(items, list) else []:
            if isinstance(item, dict) and item.get("kind") == label and item.get("fieldType") == field_type(name):
                return NOTHING if item.get("deleted") else self.sent_text(name, item.get("value"))
        return NOTHING

    def sent_text(self, name: str, value: object) -> str:
        """Return a value as it is compared: as a number in a custom field of numbers."""
        return comparable(value, is_number=is_custom(name) and field_type(name) in {"integer", "float"})


FIELDS: Final = AutopilotFields()
