"""Settings of an export as somebody sends them: checked before they are saved, or before a preview shows what they would do."""

from __future__ import annotations

from http import HTTPStatus

from export_trigger.http.access import Role
from export_trigger.http.mapping import (
    check_custom_fields,
    check_fields,
    check_new_people,
    check_segments,
    permission_warnings,
)
from export_trigger.http.request import Call, Problem
from export_trigger.steps.claim import check_lists, whereabouts
from shared.accounts.claims import Claimed
from shared.composition.app import App
from shared.destinations.registry import DEFAULT, destination_of
from shared.exports.configuration import Connection, Export, ExportSettings
from shared.exports.registry import DocumentDamaged
from shared.reasons.errors import ExportError
from shared.sources.source import Catalogue


def draft_of(app: App, call: Call) -> Export:
    """Return the export as it would be if the body were saved. It is checked as a save is, and nothing is stored.

    Raise a Problem for what a save would refuse, and with `If-None-Match: *` if there is an export of this name. The account is asked for its custom fields only if some are mapped that
    the stored export does not map.
    """
    if call.caller.role < Role.CONTRIBUTOR:
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "role_too_low",
            f"A preview of settings that are not saved needs the role of {Role.CONTRIBUTOR.word}.",
        )
    name, settings = call.params["export"], call.read(ExportSettings)
    before, etag = stored_export(app, call)
    call.check_new(etag, lambda: export_exists(HTTPStatus.PRECONDITION_FAILED, name))
    check_settings(app, call, settings, before)
    if before is None or before.connection != settings.connection or not set(settings.mapping) <= set(before.mapping):
        check_custom_fields(app, settings)
    if settings.connection is not None:
        try:
            check_lists(app, name, settings, whereabouts(app, settings.connection))
        except Claimed as claimed:
            raise list_in_use(claimed) from None
    now = app.now()
    return Export(**settings.model_dump(), created_at=now, updated_at=now, updated_by=call.caller.id)


def check_settings(
    app: App, call: Call, settings: ExportSettings, before: Export | None
) -> tuple[Catalogue | None, list[str]]:
    """Raise a Problem for settings that do not fit their connection or the segments; `before` is what is stored.

    Return what they were checked against, and warnings. If the source gave no answer that is None, and a warning says why.
    """
    connection = check_connection(app, call, settings.connection)
    destination = destination_of(connection.kind) if connection else DEFAULT
    check_fields(settings.mapping, destination)
    check_new_people(settings, destination)
    if before and before.connection != settings.connection:
        check_former_connection(app, call, before.connection)
    warnings = permission_warnings(settings, destination)
    try:
        catalogue = app.source.catalogue()
    except ExportError as end:
        return None, [f"The mapping could not be checked: {end.detail or end.reason.advice}", *warnings]
    check_segments(catalogue, settings, destination.fields)
    return catalogue, warnings


def find_export(app: App, call: Call) -> tuple[Export, str]:
    """Return the export that the path names; raises a Problem if there is none."""
    name = call.params["export"]
    found = app.registry.export(name)
    if found is None:
        raise export_not_found(name)
    return found


def check_connection(app: App, call: Call, connection: str | None) -> Connection | None:
    """Return the connection, if one is named; raise a Problem unless it exists and the caller may use it."""
    if connection is None:
        return None
    found = app.registry.connection(connection)
    if found is None:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "body_invalid",
            f"There is no connection {connection!r}. Ask an administrator for one.",
            errors=[{"field": "connection", "code": "not_found", "detail": f"no connection {connection!r}"}],
        )
    _check_shared(call, connection, found[0])
    return found[0]


def check_former_connection(app: App, call: Call, connection: str | None) -> None:
    """Raise a Problem if an export's stored connection is there and the caller may not use it; one that is gone binds nobody."""
    if connection is None:
        return
    try:
        found = app.registry.connection(connection)
    except DocumentDamaged:
        if call.caller.role >= Role.ADMIN:
            return
        raise
    if found is not None:
        _check_shared(call, connection, found[0])


def _check_shared(call: Call, name: str, connection: Connection) -> None:
    if call.caller.role < Role.ADMIN and connection.access == "administrators":
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "connection_not_shared",
            f"The connection {name!r} is for administrators. Ask one to share it with contributors.",
        )


def stored_export(app: App, call: Call) -> tuple[Export | None, str | None]:
    """Return the export that the path names and its ETag; of one whose document is damaged the ETag, to administrators."""
    try:
        return app.registry.export(call.params["export"]) or (None, None)
    except DocumentDamaged as damage:
        if call.caller.role < Role.ADMIN:  # whose connection it uses cannot be read
            raise
        return None, damage.etag


def list_in_use(claimed: Claimed) -> Problem:
    """Return the problem that another export fills a list."""
    return Problem(
        HTTPStatus.CONFLICT,
        "list_in_use",
        f"The export {claimed.export!r} fills the list {claimed.title!r} already. Give the segment another list, or put "
        "both segments into one export.",
        export=claimed.export,
        list=claimed.title,
    )


def export_not_found(name: str) -> Problem:
    """Return the problem that there is no export of this name."""
    return Problem(HTTPStatus.NOT_FOUND, "export_not_found", f"There is no export {name!r}.")


def export_exists(status: HTTPStatus, name: str) -> Problem:
    """Return the problem that there is an export of this name."""
    return Problem(status, "export_exists", f"There is an export {name!r} already.")
