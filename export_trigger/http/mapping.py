"""Check an export's mapping at save time: against the segments' real columns, and against the account's own fields."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Final

from export_trigger.http.request import Problem
from shared.azure.vault import VaultUnavailable
from shared.cleaning.fields import Fields
from shared.composition.app import Account, App
from shared.delivery.account import OfferedField
from shared.delivery.destination import Destination
from shared.delivery.errors import DestinationError
from shared.exports.configuration import ExportSettings
from shared.lifecycle.segments import misfits
from shared.reasons.errors import ExportError
from shared.sources.source import Catalogue, Table

ASK_SECONDS: Final = 20.0
COUNT_SECONDS: Final = 20.0

MOST_HINTS: Final = 10
MOST_COLUMNS: Final = 500
LONGEST_NAME: Final = 100
"""Bounds of the search for alike names: columns that are looked for, columns looked among, and characters of each."""


def suggestion(table: Table, fields: Fields, offered: Sequence[OfferedField] = ()) -> dict[str, str]:
    """Suggest a mapping for a table: fields whose column's name says what it is, or is what people call one of `offered`."""
    columns = {_plain(name): name for name in reversed(table.columns)}
    found = {
        field: next((columns[name] for name in names if name in columns), None)
        for field, names in fields.likely.items()
    }
    suggested = {field: column for field, column in found.items() if column}
    for item in offered:
        column = columns.get(_plain(item.title))
        if column and item.name not in suggested and column not in suggested.values():
            suggested[item.name] = column
    return suggested


def check_fields(mapping: Mapping[str, str], destination: Destination) -> None:
    """Raise a Problem with an error for each field of a mapping that the destination does not have."""
    if wrong := misfits(mapping, destination):
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "body_invalid",
            "The body does not fit. Correct the fields named in errors.",
            errors=[
                {"field": f"mapping.{name}.[key]" if name else "(body)", "code": "value_error", "detail": why}
                for name, why in wrong
            ],
        )


def check_new_people(settings: ExportSettings, destination: Destination) -> None:
    """Raise a Problem unless an export decides about the people it creates exactly where its destination asks for it."""
    title = destination.title
    if settings.create_suppressed and not destination.asks_new_people:
        why = f"{title} knows no create_suppressed: it tells nobody who is on its suppression list. Leave it out."
        raise _refused("create_suppressed", "not_known", why)
    if destination.asks_new_people == (settings.new_people is not None):
        return
    asked = f"{title} lets everybody be mailed whom an export creates, unless the export says otherwise."
    detail = (
        f"{asked} Set new_people to subscribed or not_subscribed."
        if destination.asks_new_people
        else f"{title} knows no new_people. Leave it out."
    )
    raise _refused("new_people", "missing" if destination.asks_new_people else "not_known", detail)


def _refused(field: str, code: str, detail: str) -> Problem:
    errors = [{"field": field, "code": code, "detail": detail}]
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "body_invalid", detail, errors=errors)


def check_segments(catalogue: Catalogue, settings: ExportSettings, fields: Fields) -> None:
    """Raise a Problem with an error for each segment or column that is missing."""
    errors: list[dict[str, str]] = []
    hints = Hints(fields)
    for number, target in enumerate(settings.segments):
        try:
            table = catalogue.table(target.segment)
        except ExportError as end:
            errors.append({"field": f"segments.{number}", "code": end.reason, "detail": end.detail})
            continue
        errors += [
            {"field": f"mapping.{field}", "code": "column_missing", "detail": hints.of(table, field, column)}
            for field, column in settings.mapping.items()
            if column not in table.columns
        ]
    if errors:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "body_invalid",
            "The mapping does not fit the segments. Correct the fields named in errors.",
            errors=errors,
        )


def count_members(app: App, catalogue: Catalogue, settings: ExportSettings) -> tuple[dict[str, int | None], list[str]]:
    """Return the members of each segment, null where they cannot be counted, and a warning of each such segment."""
    members = app.counts.of([catalogue.table(target.segment) for target in settings.segments], COUNT_SECONDS)
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
    return [
        f"The segments hold {rows:,} rows, more than max_profiles ({settings.max_profiles:,}); such a run is skipped."
    ]


def permission_warnings(settings: ExportSettings, destination: Destination) -> list[str]:
    """Warn of an export that gives permissions back."""
    permission = destination.fields.permission
    if permission is None or permission.field not in settings.mapping or not settings.resubscribe:
        return []
    return [
        f"With resubscribe, contacts who unsubscribed at {destination.title} are subscribed again where the segment says False. "
        "Leave it off unless Customer Insights is where permissions are kept."
    ]


class Hints:
    """Names the columns that may have been meant: of a few that are missing, since looking for alike names takes long."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        self._left = MOST_HINTS

    def of(self, table: Table, field: str, column: str) -> str:
        """Return a sentence: the column is missing, and which ones are like it."""
        meant = [name for name in table.columns if _plain(name) == _plain(column)][:3]
        if not meant and self._left:
            self._left -= 1
            meant = _alike(column, table.columns[:MOST_COLUMNS])
        if field == self._fields.address:
            likely = [name for name in table.columns if _plain(name) in self._fields.likely[field]][:3]
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
    return _at_account(app, settings, _custom_fields)


def check_fields_and_lists(app: App, settings: ExportSettings) -> list[str]:
    """Check the mapped fields, as `check_custom_fields` does, and warn of lists that are something else at the account."""
    return _at_account(app, settings, _custom_fields, _new_lists)


def _at_account(
    app: App, settings: ExportSettings, *checks: Callable[[App, Account, ExportSettings], list[str]]
) -> list[str]:
    if settings.connection is None:
        return []
    try:
        account = app.account(settings.connection)
    except (ExportError, VaultUnavailable):
        return [_not_checked(app.destination(settings.connection))]
    return [warning for check in checks for warning in check(app, account, settings)]


def _custom_fields(app: App, account: Account, settings: ExportSettings) -> list[str]:
    try:
        found = account.api.check_fields(list(settings.mapping), app.sender(account, seconds=ASK_SECONDS))
    except (DestinationError, ExportError, VaultUnavailable):
        return [_not_checked(account.destination)]
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


def _not_checked(destination: Destination) -> str:
    return f"The custom fields could not be checked: {destination.title} does not answer now."


def _new_lists(app: App, account: Account, settings: ExportSettings) -> list[str]:
    """Warn of lists that were never filled and are something else at the destination; of none where it does not answer."""
    try:
        titles = [target.list for target in settings.segments]
        new = [title for title in titles if not app.accounts.list_id(account.id, title)]
        return list(account.api.check_lists(new, app.sender(account, seconds=ASK_SECONDS))) if new else []
    except (DestinationError, ExportError, VaultUnavailable):
        return []  # an account that does not answer is warned of where its fields are checked


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace(" ", "")
