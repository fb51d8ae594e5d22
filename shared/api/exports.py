"""Exports: what goes and how often. Saving does not run."""

from __future__ import annotations

import difflib
from http import HTTPStatus
from typing import Any

from shared.adapters.storage import Conflict
from shared.api.access import Role
from shared.api.call import Answer, Call, Problem, page_of
from shared.api.connections import stale
from shared.app import App
from shared.configuration import Export, ExportSettings
from shared.reasons import RunEnded
from shared.source.catalogue import Catalogue, Table
from shared.steps.cancel import cancel_run

LIKELY_EMAIL = ("email", "emailaddress", "emailaddress1", "mail", "primaryemail")


def list_exports(app: App, call: Call) -> Answer:
    """List exports in the order of their names."""
    after, limit = call.page()
    names = []
    for name in app.registry.exports(after=after):
        names.append(name)
        if len(names) > limit:
            break
    items = [_view(name, found[0], app) for name in names[:limit] if (found := app.registry.export(name))]
    return Answer(body=page_of(items, names[limit - 1] if len(names) > limit else None))


def get_export(app: App, call: Call) -> Answer:
    """Show one export, with its run that is going, if one is."""
    export, etag = find_export(app, call)
    return Answer(body=_view(call.params["export"], export, app), headers={"ETag": etag})


def put_export(app: App, call: Call) -> Answer:
    """Create or replace an export, checked against the segments' real columns. Saving does not run."""
    name, settings = call.params["export"], call.read(ExportSettings)
    found = app.registry.export(name)
    check_connection(app, call, settings.connection)
    if found:
        check_connection(app, call, found[0].connection)
    _check_lists(app, name, settings)
    catalogue, warnings = _catalogue(app)
    if catalogue is not None:
        warnings += _check_segments(app, catalogue, settings)
    now = app.now()
    export = Export(
        **settings.model_dump(),
        created_at=found[0].created_at if found else now,
        updated_at=now,
        updated_by=call.caller.id,
    )
    if found and call.if_match and call.if_match != found[1]:
        raise stale()
    try:
        etag = app.registry.save_export(name, export, if_match=call.if_match, only_new=found is None)
    except Conflict:
        raise stale() from None
    if catalogue is not None and not app.ledger.head(name).refresh:
        app.ledger.mark(name, {"refresh": catalogue.etag})
    shown = _view(name, export, app)
    shown["warnings"] = warnings
    return Answer(HTTPStatus.OK if found else HTTPStatus.CREATED, shown, {"ETag": etag})


def delete_export(app: App, call: Call) -> Answer:
    """Remove an export; what is at Autopilot stays there, and a run that is going is canceled."""
    export, etag = find_export(app, call)
    check_connection(app, call, export.connection)
    if call.if_match and call.if_match != etag:
        raise stale()
    name = call.params["export"]
    active = app.ledger.head(name).active
    if active:
        cancel_run(app, name, active)
    try:
        app.registry.delete_export(name, if_match=etag)
    except Conflict:
        raise stale() from None
    return Answer(HTTPStatus.NO_CONTENT)


def find_export(app: App, call: Call) -> tuple[Export, str]:
    """Give the export that the path names; raises a Problem if there is none."""
    name = call.params["export"]
    found = app.registry.export(name)
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, "export_not_found", f"There is no export {name!r}.")
    return found


def check_connection(app: App, call: Call, connection: str | None) -> None:
    """Raise a Problem unless the connection exists and the caller may use it."""
    if connection is None:
        return
    found = app.registry.connection(connection)
    if found is None:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "body_invalid",
            f"There is no connection {connection!r}. Ask an administrator for one.",
            errors=[{"field": "connection", "code": "not_found", "detail": f"no connection {connection!r}"}],
        )
    if call.caller.role < Role.ADMIN and found[0].access == "administrators":
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "connection_not_shared",
            f"The connection {connection!r} is for administrators. Ask one to share it with contributors.",
        )


def _check_lists(app: App, name: str, settings: ExportSettings) -> None:
    """Raise a Problem if another export fills one of the lists: each would take off what the other put on."""
    if settings.connection is None:
        return
    titles = {target.list for target in settings.segments}
    for other in app.registry.exports():
        found = app.registry.export(other) if other != name else None
        if found is None or found[0].connection != settings.connection:
            continue
        both = sorted(titles & {target.list for target in found[0].segments})
        if both:
            raise Problem(
                HTTPStatus.CONFLICT,
                "list_in_use",
                f"The export {other!r} fills the list {both[0]!r} already. Give the segment another list, or put both "
                "segments into one export.",
                export=other,
                list=both[0],
            )


def _catalogue(app: App) -> tuple[Catalogue | None, list[str]]:
    try:
        return app.source.catalogue(), []
    except RunEnded as end:
        return None, [f"The mapping could not be checked: {end.detail or end.reason.advice}"]


def _check_segments(app: App, catalogue: Catalogue, settings: ExportSettings) -> list[str]:
    """Check segments and columns; gives warnings, raises a Problem with an error for each one that is missing."""
    errors: list[dict[str, str]] = []
    warnings: list[str] = []
    members = 0
    for place, target in enumerate(settings.segments):
        try:
            table = catalogue.table(target.segment)
        except RunEnded as end:
            errors.append({"field": f"segments.{place}", "code": end.reason, "detail": end.detail})
            continue
        for field, column in settings.mapping.items():
            if column not in table.columns:
                errors.append(
                    {"field": f"mapping.{field}", "code": "column_missing", "detail": _hint(table, field, column)}
                )
        members += _members(app, table)
    if errors:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "body_invalid",
            "The mapping does not fit the segments. Correct the fields named in errors.",
            errors=errors,
        )
    if members > settings.max_profiles:
        warnings.append(
            f"The segments hold {members} rows, more than max_profiles ({settings.max_profiles}); such a run is skipped."
        )
    return warnings


def _members(app: App, table: Table) -> int:
    try:
        return app.source.count(table)
    except RunEnded:
        return 0


def _hint(table: Table, field: str, column: str) -> str:
    """Name the columns that may have been meant."""
    close = difflib.get_close_matches(column.lower(), [name.lower() for name in table.columns], n=3)
    meant = [name for name in table.columns if name.lower() in close]
    if field == "Email":
        likely = [name for name in table.columns if name.lower().replace("_", "") in LIKELY_EMAIL]
        meant = list(dict.fromkeys([*likely, *meant]))
    suggestion = f" Did you mean {' or '.join(repr(name) for name in meant)}?" if meant else ""
    return f"Segment {table.name!r} has no column {column!r}.{suggestion}"


def _view(name: str, export: Export, app: App) -> dict[str, Any]:
    return {"name": name, **export.model_dump(mode="json"), "active_run": app.ledger.head(name).active}
