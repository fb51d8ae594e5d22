"""Check an export's mapping at save time: against the segments' real columns, and against Autopilot's own custom fields."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final

from export_trigger.http.request import Problem
from shared.azure.vault import VaultUnavailable
from shared.cleaning.contact import PERMISSION
from shared.composition.app import App
from shared.delivery.errors import DestinationError
from shared.destinations.autopilot.fields import STANDARD_FIELDS
from shared.exports.configuration import ExportSettings
from shared.reasons.errors import ExportError
from shared.sources.source import Catalogue, Table

ASK_SECONDS: Final = 20.0
COUNT_SECONDS: Final = 20.0

MOST_HINTS: Final = 10
MOST_COLUMNS: Final = 500
LONGEST_NAME: Final = 100
"""Bounds of the search for alike names: columns that are looked for, columns looked among, and characters of each."""

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


def suggestion(table: Table) -> dict[str, str]:
    """Suggest a mapping for a table: fields whose column's name says what it is."""
    columns = {_plain(name): name for name in reversed(table.columns)}
    found = {
        field: next((columns[name] for name in names if name in columns), None) for field, names in _LIKELY.items()
    }
    return {field: column for field, column in found.items() if column} | {
        field: columns[field.lower()]
        for field in STANDARD_FIELDS
        if field not in _LIKELY and field != "unsubscribed" and field.lower() in columns
    }


def check_segments(app: App, catalogue: Catalogue, settings: ExportSettings) -> tuple[dict[str, int | None], list[str]]:
    """Return the members of each segment, null where they cannot be counted, and a warning of each such segment.

    Raises a Problem with an error for each segment or column that is missing.
    """
    errors: list[dict[str, str]] = []
    tables: list[Table] = []
    hints = Hints()
    for place, target in enumerate(settings.segments):
        try:
            table = catalogue.table(target.segment)
        except ExportError as end:
            errors.append({"field": f"segments.{place}", "code": end.reason, "detail": end.detail})
            continue
        errors += [
            {"field": f"mapping.{field}", "code": "column_missing", "detail": hints.of(table, field, column)}
            for field, column in settings.mapping.items()
            if column not in table.columns
        ]
        tables.append(table)
    if errors:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "body_invalid",
            "The mapping does not fit the segments. Correct the fields named in errors.",
            errors=errors,
        )
    members = app.counts.of(tables, COUNT_SECONDS)
    warnings = [
        f"The members of segment {name!r} could not be counted: {found.why}"
        for name, found in members.items()
        if found.rows is None
    ]
    return {name: found.rows for name, found in members.items()}, warnings


def size_warnings(members: Mapping[str, int | None], settings: ExportSettings) -> list[str]:
    """Warn of segments that hold more than a run of the export may send."""
    rows = sum(count or 0 for count in members.values())
    if rows <= settings.max_profiles:
        return []
    return [f"The segments hold {rows} rows, more than max_profiles ({settings.max_profiles}); such a run is skipped."]


def permission_warnings(settings: ExportSettings) -> list[str]:
    """Warn of an export that gives permissions back."""
    if PERMISSION not in settings.mapping or not settings.resubscribe:
        return []
    return [
        "With resubscribe, contacts who unsubscribed at Autopilot are subscribed again where the segment says False. "
        "Leave it off unless Customer Insights is where permissions are kept."
    ]


class Hints:
    """Names the columns that may have been meant: of a few that are missing, since looking for alike names takes long."""

    def __init__(self) -> None:
        self._left = MOST_HINTS

    def of(self, table: Table, field: str, column: str) -> str:
        """Return a sentence: the column is missing, and which ones are like it."""
        meant = [name for name in table.columns if _plain(name) == _plain(column)][:3]
        if not meant and self._left:
            self._left -= 1
            meant = _alike(column, table.columns[:MOST_COLUMNS])
        if field == "Email":
            likely = [name for name in table.columns if _plain(name) in _LIKELY["Email"]][:3]
            meant = list(dict.fromkeys([*likely, *meant]))
        suggestion = f" Did you mean {' or '.join(repr(name) for name in meant)}?" if meant else ""
        return f"Segment {table.name!r} has no column {column!r}.{suggestion}"


def _alike(column: str, columns: Sequence[str]) -> list[str]:
    close = difflib.get_close_matches(
        column.lower()[:LONGEST_NAME], [name.lower()[:LONGEST_NAME] for name in columns], n=3
    )
    return [name for name in columns if name.lower()[:LONGEST_NAME] in close][:3]


def check_custom_fields(app: App, settings: ExportSettings) -> list[str]:
    """Check the mapped fields against those of the account; return warnings, raise a Problem for one of another type."""
    if settings.connection is None:
        return []
    try:
        account = app.account(settings.connection)
        found = account.api.check_fields(list(settings.mapping), app.sender(account, seconds=ASK_SECONDS))
    except (DestinationError, ExportError, VaultUnavailable):
        return ["The custom fields could not be checked: Autopilot does not answer now."]
    errors = [
        {"field": f"mapping.{name}", "code": "type_conflict", "detail": detail}
        for name, detail in found.conflicts.items()
    ]
    if errors:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "body_invalid",
            "The mapping does not fit the account. Correct the fields named in errors.",
            errors=errors,
        )
    return list(found.warnings)


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace(" ", "")
