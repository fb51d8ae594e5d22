"""From Autopilot to Ortto: the same export with another connection, and the mapping that says the same in Ortto's fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

STANDARD: Final = {
    "Email": "str::email",
    "FirstName": "str::first",
    "LastName": "str::last",
    "Phone": "phn::phone",
    "MailingCity": "geo::city",
    "MailingState": "geo::region",
    "MailingCountry": "geo::country",
    "MailingPostalCode": "str::postal",
}
"""Autopilot's fields that Ortto has as well."""

TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "string": ("text", "large_text", "single_select", "link"),
    "integer": ("integer", "decimal"),
    "float": ("decimal", "currency", "price"),
    "boolean": ("bool",),
    "date": ("date", "time"),
    "phone": ("phone", "text"),
}
"""Types of Ortto's fields that take the values of an Autopilot field, the best first."""

_PHONES: Final = frozenset({"MobilePhone", "Fax"})

PERMISSION: Final = "unsubscribed"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A mapping for Ortto, and what a person has to decide or to make there first."""

    mapping: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def propose(mapping: Mapping[str, str], fields: Sequence[Mapping[str, str]]) -> Proposal:
    """Return the mapping for an account with these `fields` (`name`, `title`, `type`), and what it leaves out and why."""
    there = {item["name"] for item in fields}
    found = Proposal()
    for name, column in mapping.items():
        if name == PERMISSION:
            found.notes.append(
                f"{name} ({column}) is left out: Ortto's bol::p says the opposite. Map a column to it that is true for who may "
                "be mailed, and decide about new_people."
            )
        elif (ours := STANDARD.get(name)) and ours in there:
            found.mapping[ours] = column
        elif own := _own(name, fields, found.mapping):
            found.mapping[own] = column
        else:
            found.notes.append(
                f"{name} ({column}) is left out: make a field {_label(name)!r} of type {TYPES[_kind(name)][0]} in Ortto, under "
                "Customer data, Fields; then propose again."
            )
    return found


def moved(export: Mapping[str, Any], connection: str, mapping: Mapping[str, str], people: str | None) -> dict[str, Any]:
    """Return an export's settings on another connection."""
    settings = {**export, "connection": connection, "mapping": dict(mapping), "new_people": people}
    return {name: value for name, value in settings.items() if value is not None}


def _own(name: str, fields: Iterable[Mapping[str, str]], taken: Mapping[str, str]) -> str | None:
    """Return the account's own field of the same name and a fitting type."""
    kinds = TYPES[_kind(name)]
    fitting = [
        item
        for item in fields
        if _plain(item["title"]) == _plain(_label(name)) and item["type"] in kinds and item["name"] not in taken
    ]
    return min(fitting, key=lambda item: kinds.index(item["type"]))["name"] if fitting else None


def _kind(name: str) -> str:
    kind, separator, _ = name.partition("--")
    if separator and kind in TYPES:
        return kind
    return "phone" if name in _PHONES else "integer" if name == "NumberOfEmployees" else "string"


def _label(name: str) -> str:
    """Return what people call a field: `string--Loyalty--Tier` is Loyalty Tier, `LeadSource` is Lead Source."""
    _, separator, rest = name.partition("--")
    if separator:
        return rest.replace("--", " ")
    return "".join(f" {sign}" if sign.isupper() and place else sign for place, sign in enumerate(name))


def _plain(text: str) -> str:
    return "".join(sign for sign in text.lower() if sign.isalnum())
