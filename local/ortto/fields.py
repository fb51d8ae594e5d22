"""Ortto's fields: which there are, what they are called, and which values they take. No I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

STRING: Final = 255
LONG_TEXT: Final = 4000
"""Characters of a text and of a long one (vendor's page of limits; other pages say otherwise)."""

INVALID: Final = "One or more attributes is invalid"


@dataclass(frozen=True, slots=True)
class Field:
    """A field: its id, its display name, its type, and whether only Ortto writes it. `decimal` values are whole thousandths."""

    id: str
    name: str
    display_type: str
    read_only: bool = False

    @property
    def prefix(self) -> str:
        """The kind of its values."""
        return self.id.partition(":")[0]


BUILT_IN: Final = tuple(
    Field(*item)
    for item in (
        ("str::email", "Email", "email"),
        ("str::first", "First name", "text"),
        ("str::last", "Last name", "text"),
        ("str::name", "Full name", "text"),
        ("str::ei", "External ID", "text"),
        ("str::postal", "Postal code", "text"),
        ("str::language", "Language", "text"),
        ("phn::phone", "Phone number", "phone"),
        ("geo::city", "City", "geo"),
        ("geo::region", "Region", "geo"),
        ("geo::country", "Country", "geo"),
        ("dtz::b", "Birthday", "date"),
        ("bol::p", "Email permission", "bool"),
        ("bol::sp", "SMS permission", "bool"),
        ("bol::gdpr", "GDPR", "bool"),
        ("str::s-ctx", "Subscribe context", "text"),
        ("str::u-ctx", "Unsubscribe context", "text"),
        ("str::soi-ctx", "SMS opt-in context", "text"),
        ("str::soo-ctx", "SMS opt-out context", "text"),
        ("u4s::t", "Tags", "tags", True),
        ("idt::o", "Account", "account", True),
        ("str::is", "Initial source", "text", True),
        ("bol::hb", "Hard bounced", "bool", True),
        ("tme::sa", "Suppressed at", "time", True),
        ("tme::c", "Created", "time", True),
        ("str::person_id", "Person ID", "text", True),
    )
)
"""As recorded, but for the last two: how the merge page names the id, and that `c` is a time."""

PREFIXES: Final[Mapping[str, str]] = {
    "text": "str",
    "single_select": "str",
    "link": "str",
    "large_text": "txt",
    "integer": "int",
    "decimal": "int",
    "currency": "int",
    "price": "int",
    "date": "dtz",
    "time": "tme",
    "bool": "bol",
    "phone": "phn",
    "multi_select": "sst",
    "object": "obj",
}
"""Prefix of the id by the type that a custom field is created with (vendor)."""


def custom_id(kind: str, name: str) -> str:
    """Return the id that a custom person field gets: its name in kebab-case (recorded), other letters kept (assumed)."""
    return f"{PREFIXES[kind]}:cm:{re.sub(r'[\W_]+', '-', name.lower()).strip('-')}"


def _is_date(value: Any) -> bool:
    return isinstance(value, dict) and all(type(value.get(name)) is int for name in ("year", "month", "day"))


def _is_phone(value: Any) -> bool:
    return isinstance(value, dict) and (isinstance(value.get("n"), str) or isinstance(value.get("phone"), str))


_TAKES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "str": lambda value: isinstance(value, str),
    "txt": lambda value: isinstance(value, str),
    "int": lambda value: type(value) is int and -(1 << 63) <= value < 1 << 63,
    "bol": lambda value: isinstance(value, bool),
    "dtz": _is_date,
    "tme": lambda value: isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value) is not None,
    "phn": _is_phone,
    "geo": lambda value: isinstance(value, dict) and isinstance(value.get("name"), str),
    "sst": lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value),
    "obj": lambda value: isinstance(value, dict | list),
}


def takes(field: Field, value: object) -> bool:
    """Whether a field takes a value of this type; null clears any."""
    return value is None or _TAKES[field.prefix](value)


def longest(field: Field) -> int:
    """Return how many characters a text may have."""
    return LONG_TEXT if field.prefix == "txt" else STRING


def is_too_long(field: Field, value: object) -> bool:
    """Whether a text is over the limit."""
    return field.prefix in {"str", "txt"} and isinstance(value, str) and len(value) > longest(field)


def stored(field: Field, value: Any, *, normalises: bool) -> Any:
    """Return a value as it is told: a phone as country code and number, a time to the second, a place perhaps as the gazetteer spells it."""
    match field.prefix:
        case "tme" if isinstance(value, str):
            return f"{value.removesuffix('Z').partition('.')[0]}Z"
        case "phn" if isinstance(value, dict) and "phone" in value:
            return {"c": value["phone"][:2], "n": value["phone"][2:]}
        case "geo" if normalises and isinstance(value, dict):
            return {"name": value["name"].title()}
        case _:
            return value
