"""Exports: what goes and how often. Saving does not run."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from shared.adapters.storage import Conflict
from shared.api.access import Role
from shared.api.call import Answer, Call, Problem, page_of, stale
from shared.api.mapping import check_custom_fields, check_segments, size_warnings
from shared.app import App
from shared.configuration import DisplayName, Export, ExportSettings, Model, Name
from shared.ledger import RunInProgress
from shared.reasons import Reason, RunEnded
from shared.source.catalogue import Catalogue
from shared.steps.cancel import cancel_run


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
    members: dict[str, int | None] = {}
    if catalogue is not None:
        members, unread = check_segments(app, catalogue, settings)
        warnings += unread
    warnings += size_warnings(members, settings) + check_custom_fields(app, settings)
    now = app.now()
    export = Export(
        **settings.model_dump(),
        created_at=found[0].created_at if found else now,
        updated_at=now,
        updated_by=call.caller.id,
    )
    call.check_match(found[1] if found else None)
    if found is None:
        warnings += _begin(app, name)
    try:
        etag = app.registry.save_export(name, export, if_match=call.if_match, only_new=found is None)
    except Conflict:
        raise stale() from None
    if catalogue is not None and not app.ledger.head(name).refresh:
        app.ledger.mark(name, {"refresh": catalogue.etag})
    shown = _view(name, export, app)
    shown["members"] = members
    shown["warnings"] = warnings
    return Answer(HTTPStatus.OK if found else HTTPStatus.CREATED, shown, {"ETag": etag})


class DuplicateBody(Model):
    """Body of POST /exports/{e}/duplicate: the new export's name, and what people see."""

    name: Name
    display_name: DisplayName | None = None


def duplicate_export(app: App, call: Call) -> Answer:
    """Make a copy of an export under another name, without its connection, so that both never fill one list."""
    export, _ = find_export(app, call)
    body = call.read(DuplicateBody)
    now = app.now()
    copy = export.model_copy(
        update={
            "display_name": body.display_name or f"Copy of {export.display_name}"[:200],
            "connection": None,
            "created_at": now,
            "updated_at": now,
            "updated_by": call.caller.id,
        }
    )
    if app.registry.export(body.name) is None:
        _begin(app, body.name)
    try:
        etag = app.registry.save_export(body.name, copy, only_new=True)
    except Conflict:
        raise Problem(HTTPStatus.CONFLICT, "export_exists", f"There is an export {body.name!r} already.") from None
    return Answer(HTTPStatus.CREATED, _view(body.name, copy, app), {"ETag": etag})


def delete_export(app: App, call: Call) -> Answer:
    """Remove an export; what is at Autopilot stays there, and a run that is going is canceled."""
    export, etag = find_export(app, call)
    check_connection(app, call, export.connection)
    call.check_match(etag)
    name = call.params["export"]
    active = app.ledger.head(name).active
    if active:
        cancel_run(app, name, active)
    try:
        app.registry.delete_export(name, if_match=etag)
    except Conflict:
        raise stale() from None
    app.ledger.mark(name, {"deleted": True})
    return Answer(HTTPStatus.NO_CONTENT)


def _begin(app: App, name: str) -> list[str]:
    """Have a new export begin with nothing where one of its name was deleted; say so where it takes something over.

    Raise a Problem while the deleted one still runs.
    """
    try:
        app.ledger.start_over(name, app.now(), only_if=lambda head: head.deleted)
    except RunInProgress as going:
        raise Problem(
            HTTPStatus.CONFLICT,
            Reason.RUN_IN_PROGRESS,
            "An export of this name was deleted, and its last run has not ended yet. Save it when that is over.",
            run=going.run_id,
        ) from None
    if not app.ledger.head(name).states:
        return []
    return [
        f"It takes over what an export {name!r} delivered before, whose settings are gone: those members count as its "
        "own. To begin with nothing, delete it and save it again."
    ]


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


def _view(name: str, export: Export, app: App) -> dict[str, Any]:
    return {"name": name, **export.model_dump(mode="json"), "active_run": app.ledger.head(name).active}
