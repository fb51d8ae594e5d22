"""Exports: what goes and how often. Saving does not run."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from http import HTTPStatus

from export_trigger.http.draft import (
    check_former_connection,
    check_settings,
    export_exists,
    export_not_found,
    find_export,
    list_in_use,
    stored_export,
)
from export_trigger.http.mapping import (
    check_fields_and_lists,
    count_members,
    size_warnings,
)
from export_trigger.http.overview import view, views
from export_trigger.http.request import Answer, Call, Problem, stale
from export_trigger.http.views import ExportPage
from export_trigger.steps.cancel import cancel_run
from export_trigger.steps.claim import claim_lists, release_lists, whereabouts
from shared.accounts.claims import Claimed
from shared.azure.records import RecordDamaged
from shared.azure.storage import Conflict
from shared.composition.app import App
from shared.exports.configuration import DisplayName, Export, ExportSettings, Model, Name
from shared.exports.registry import DocumentDamaged
from shared.reasons.codes import Reason
from shared.runs.head import Head, RunInProgress


def list_exports(app: App, call: Call) -> Answer:
    """List exports in the order of their names, each with its last run, its next one, and what the caller may do."""
    after, limit = call.page()
    found = app.registry.listed_exports(after=after, most=limit + 1)
    items = views(app, call.caller, [(name, export) for name, export in found[:limit] if export is not None])
    return Answer(body=ExportPage(items=items, next=found[limit - 1][0] if len(found) > limit else None))


def get_export(app: App, call: Call) -> Answer:
    """Show one export: its settings, how its last run ended, what comes next, and what the caller may do."""
    export, etag = find_export(app, call)
    return Answer(body=view(app, call.caller, call.params["export"], export), headers={"ETag": etag})


def put_export(app: App, call: Call) -> Answer:
    """Create or replace an export, checked against the segments' real columns. Saving does not run."""
    name, settings = call.params["export"], call.read(ExportSettings)
    before, before_etag = stored_export(app, call)
    call.check_match(before_etag)
    call.check_new(before_etag, lambda: export_exists(HTTPStatus.PRECONDITION_FAILED, name))
    catalogue, warnings = check_settings(app, call, settings, before)
    members, unread = count_members(app, catalogue, settings) if catalogue is not None else ({}, [])
    warnings += unread + size_warnings(members, settings) + check_fields_and_lists(app, settings)
    if before_etag is not None:
        app.ledger.head(name)  # one that cannot be read is said before anything is saved
    now = app.now()
    export = Export(
        **settings.model_dump(),
        created_at=before.created_at if before else now,
        updated_at=now,
        updated_by=call.caller.id,
    )
    if before_etag is None:
        warnings += _begin(app, name)
    etag = _save(app, name, export, before_etag)
    if app.ledger.head(name).deleted:
        _settle(app, name)
    if before and before.connection != export.connection:
        release_lists(app, name, before.connection)
    release_lists(app, name, export.connection, but=export)
    _check_still_connected(app, name, export, etag)
    if catalogue is not None and not app.ledger.head(name).refresh:
        app.ledger.change_head(name, lambda head: head.refresh_seen(catalogue.version))
    shown = view(app, call.caller, name, export, members=members, warnings=warnings)
    noted = {"changed": ",".join(_changes(before, export))}
    return Answer(HTTPStatus.OK if before_etag else HTTPStatus.CREATED, shown, {"ETag": etag}, noted=noted)


class DuplicateBody(Model):
    """Body of POST /exports/{e}/duplicate: the new export's name, and what people see."""

    name: Name
    display_name: DisplayName | None = None


def duplicate_export(app: App, call: Call) -> Answer:
    """Make a copy of an export under another name, without its connection, so that both never fill one list."""
    export, _ = find_export(app, call)
    body = call.read(DuplicateBody)
    title = body.display_name or f"Copy of {export.display_name}"[:200]
    copy = export.duplicate(title, call.caller.id, app.now())
    if app.registry.export(body.name) is None:
        _begin(app, body.name)
    try:
        etag = app.registry.save_export(body.name, copy, only_new=True)
    except Conflict:
        raise export_exists(HTTPStatus.CONFLICT, body.name) from None
    if app.ledger.head(body.name).deleted:
        _settle(app, body.name)
    return Answer(HTTPStatus.CREATED, view(app, call.caller, body.name, copy), {"ETag": etag})


def delete_export(app: App, call: Call) -> Answer:
    """Remove an export; what is at the destination stays there, and a run that is going is canceled."""
    name = call.params["export"]
    export, etag = stored_export(app, call)
    if etag is None:
        raise export_not_found(name)
    check_former_connection(app, call, export.connection if export else None)
    call.check_match(etag)
    going = app.ledger.going(name)
    app.ledger.mark_deleted(name)  # before it is: whoever saves one of its name from then on begins with nothing
    _cancel(app, name, going)
    try:
        app.registry.delete_export(name, if_match=etag)
    except Conflict:
        raise stale() from None
    finally:
        _settle(app, name)
    release_lists(app, name, export.connection if export else None)
    return Answer(HTTPStatus.NO_CONTENT)


def _cancel(app: App, name: str, going: Sequence[str]) -> None:
    """Cancel what is going of an export; a run that is damaged is forgotten, since nobody can carry it out or end it."""
    for run_id in going:
        try:
            cancel_run(app, name, run_id)
        except RecordDamaged:
            app.ledger.forget(name, run_id)
            app.ledger.release(name, run_id)


def _settle(app: App, name: str) -> None:
    """Have the head say whether the export is there: others may have deleted or saved it at the same time."""
    is_there = app.registry.export_or_damage(name) is not None
    while True:
        app.ledger.change_head(name, Head.marked_living if is_there else Head.marked_deleted)
        was_there, is_there = is_there, app.registry.export_or_damage(name) is not None
        if was_there == is_there:
            return


def _begin(app: App, name: str) -> list[str]:
    """Start a new export with nothing where one of its name was deleted; return a warning where it takes something over.

    Raise a Problem while the deleted one still runs.
    """
    try:
        try:
            app.ledger.start_over(name, app.now(), only_if=lambda head: head.deleted)
        except RecordDamaged:
            app.ledger.mark_deleted(name)
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


def _save(app: App, name: str, export: Export, before: str | None) -> str:
    """Claim the export's lists and store it, or change nothing; returns its ETag, raises a Problem."""
    attempt = None
    try:
        if export.connection is not None:
            attempt = claim_lists(app, name, export, whereabouts(app, export.connection))
        return app.registry.save_export(name, export, if_match=before, only_new=before is None)
    except Claimed as claimed:
        raise list_in_use(claimed) from None
    except Conflict:
        if attempt:
            app.accounts.claims.take_back(attempt)
        raise stale() from None


def _check_still_connected(app: App, name: str, export: Export, etag: str) -> None:
    """Take a connection off an export again that was deleted while the export was saved; raises a Problem that says so."""
    if export.connection is None or _is_there(app, export.connection):
        return
    with suppress(Conflict):
        app.registry.save_export(name, export.detached(), if_match=etag)
    raise Problem(
        HTTPStatus.CONFLICT,
        "connection_gone",
        f"The connection {export.connection!r} was deleted meanwhile. The export is saved without a connection.",
    )


def _is_there(app: App, connection: str) -> bool:
    try:
        return app.registry.connection(connection) is not None
    except DocumentDamaged:
        return True


def _changes(before: Export | None, after: Export) -> list[str]:
    """Name the settings that a save changed."""
    if before is None:
        return ["all"]
    return [field for field in ExportSettings.model_fields if getattr(before, field) != getattr(after, field)]
