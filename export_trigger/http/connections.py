"""Connections: where data can go. Administrators' business; a key goes to the vault and is never seen again."""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus
from itertools import islice
from typing import Final

from export_trigger.http.access import Role
from export_trigger.http.connect import (
    CONNECT_SECONDS,
    ConnectionBody,
    changes,
    check_secret,
    connect,
    follow,
    new_key,
    rate_of,
    remove_former_key,
    settle_former,
    shown_name,
    unreachable,
)
from export_trigger.http.request import Answer, Call, Problem, stale
from export_trigger.http.view import DamagedView
from export_trigger.http.views import ConnectionPage, ConnectionView, KeyTested
from export_trigger.steps.claim import release_lists
from export_trigger.steps.keys import remove_key, store_key
from shared.azure.storage import Conflict
from shared.azure.vault import VaultUnavailable
from shared.composition.app import App
from shared.delivery.errors import DestinationError, KeyRefused
from shared.exports.configuration import Connection, Consent
from shared.exports.registry import DocumentDamaged
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.retry.policy import DETACH

CONSENT_VERSION: Final = "2026-11-29"
"""How often a connection is taken off an export that is changed meanwhile."""


def list_connections(app: App, call: Call) -> Answer:
    """List connections in the order of their names."""
    after, limit = call.page()
    names = list(islice(app.registry.connections(after=after), limit + 1))
    items = [item for name in names[:limit] if (item := _listed(app, name, call))]
    return Answer(body=ConnectionPage(items=tuple(items), next=names[limit - 1] if len(names) > limit else None))


def _exists(name: str) -> Problem:
    """Return the problem that there is a connection of this name."""
    status = HTTPStatus.PRECONDITION_FAILED
    return Problem(status, "connection_exists", f"There is a connection {name!r} already. Choose another name.")


def get_connection(app: App, call: Call) -> Answer:
    """Show one connection, and whether its key can still be read."""
    name = call.params["connection"]
    connection, etag = _find(app, name)
    secret = {"secret": _secret_state(app, connection)} if call.caller.role is Role.ADMIN else {}
    return Answer(body=ConnectionView.of(name, connection, call.caller.role, **secret), headers={"ETag": etag})


def put_connection(app: App, call: Call) -> Answer:
    """Create or replace a connection; the key is tried at its account before anything is kept."""
    name, body = call.params["connection"], call.read(ConnectionBody)
    before, before_etag = _stored(app, name)
    call.check_match(before_etag)
    call.check_new(before_etag, lambda: _exists(name))
    check_secret(app, body, before)
    key = new_key(app, body, before)
    now = app.now()
    connection = Connection(
        display_name=body.display_name,
        kind=body.kind,
        region=body.region,
        secret_name=body.secret_name or (before.secret_name if before else ""),
        access=body.access,
        rate_limit=rate_of(body),
        calls_in_flight=body.calls_in_flight,
        list_strategy=body.list_strategy,
        consent=Consent(by=call.caller.id, at=now, text_version=CONSENT_VERSION),
        account=before.account if before else None,
        created_at=before.created_at if before else now,
        updated_at=now,
        updated_by=call.caller.id,
    )
    is_another = key is not None or before is None or before.secret_name != connection.secret_name
    opened, told = connect(app, name, connection, key, is_another=is_another)
    if is_another:
        settle_former(app, name, before)
    secret = store_key(app, name, key) if key else connection.secret_name
    connection = connection.connected(told, secret)
    try:
        etag = app.registry.save_connection(name, connection, if_match=before_etag, only_new=before_etag is None)
    except Conflict:
        if key:
            remove_key(app, secret, call.caller.id)
        raise stale() from None
    follow(app, name, before, connection, opened if is_another else None, call.caller.id)
    status = HTTPStatus.OK if before_etag else HTTPStatus.CREATED
    noted = {"changed": ",".join(changes(before, connection))}
    return Answer(status, ConnectionView.of(name, connection, call.caller.role), {"ETag": etag}, noted=noted)


def test_connection(app: App, call: Call) -> Answer:
    """Ask the destination whether it accepts the key, and whose account it is."""
    name = call.params["connection"]
    connection, _ = _find(app, name)
    try:
        account = app.open(name, connection)
        shown = app.sender(account, seconds=CONNECT_SECONDS).one(account.api.identity)
    except KeyRefused:
        return Answer(body=KeyTested(accepted=False, code=Reason.KEY_REFUSED, detail=Reason.KEY_REFUSED.advice))
    except ExportError as end:
        return Answer(body=KeyTested(accepted=False, code=end.reason, detail=end.detail or end.reason.advice))
    except DestinationError as error:
        raise unreachable(error, account.destination.title) from None
    return Answer(body=KeyTested(accepted=True, account=shown_name(connection.kind, shown)))


def delete_connection(app: App, call: Call) -> Answer:
    """Remove a connection that no export uses; with `detach` the exports keep their configuration and lose it."""
    name = call.params["connection"]
    connection, etag = _stored(app, name)
    if etag is None:
        raise _not_found(name)
    call.check_match(etag)
    users = exports_using(app, name)
    if users and not call.flag("detach"):
        raise Problem(
            HTTPStatus.CONFLICT,
            "connection_in_use",
            "Exports use this connection. Remove them, or repeat with ?detach=true to keep them without a connection.",
            exports=users,
        )
    for export in users:
        _detach(app, export, name, call)
    try:
        app.registry.delete_connection(name, if_match=etag)
    except Conflict:
        raise stale() from None
    for export in exports_using(app, name):  # saved while we were at it
        _detach(app, export, name, call)
    app.accounts.identities.forget(name)
    app.rates.forget()
    removed = connection is not None and remove_former_key(app, name, connection.secret_name, call.caller.id)
    kept = {} if removed or connection is None else {"secret_kept": connection.secret_name}
    return Answer(HTTPStatus.NO_CONTENT, noted=kept)


def exports_using(app: App, connection: str) -> list[str]:
    """Name the exports that use a connection, as far as their documents can be read."""
    found = []
    for name in app.registry.exports():
        with suppress(DocumentDamaged):
            if (export := app.registry.export(name)) and export[0].connection == connection:
                found.append(name)
    return found


def _listed(app: App, name: str, call: Call) -> ConnectionView | DamagedView | None:
    """Show one connection of a list: one whose document is damaged by its name, and one that is gone by now not at all."""
    try:
        found = app.registry.connection(name)
    except DocumentDamaged as damage:
        return DamagedView.of(name, damage)
    return ConnectionView.of(name, found[0], call.caller.role) if found else None


def _find(app: App, name: str) -> tuple[Connection, str]:
    found = app.registry.connection(name)
    if found is None:
        raise _not_found(name)
    return found


def _stored(app: App, name: str) -> tuple[Connection | None, str | None]:
    """Return a connection and its ETag; of one whose document is damaged the ETag alone."""
    try:
        return app.registry.connection(name) or (None, None)
    except DocumentDamaged as damage:
        return None, damage.etag


def _detach(app: App, export: str, connection: str, call: Call) -> None:
    """Take a connection off an export, whoever else changes it meanwhile."""
    for _ in range(DETACH.attempts):
        found = app.registry.export(export)
        if found is None or found[0].connection != connection:
            return
        detached = found[0].detached().touched(call.caller.id, app.now())
        try:
            app.registry.save_export(export, detached, if_match=found[1])
        except Conflict:
            continue
        release_lists(app, export, connection)
        return
    raise Problem(
        HTTPStatus.CONFLICT,
        "changed_meanwhile",
        f"The export {export!r} is being changed all the time. Repeat the request.",
    )


def _not_found(name: str) -> Problem:
    return Problem(HTTPStatus.NOT_FOUND, "connection_not_found", f"There is no connection {name!r}.")


def _secret_state(app: App, connection: Connection) -> str:
    """Return whether the key can be read: `readable`, `missing`, `forbidden` or `unreachable`."""
    try:
        return "readable" if app.vault.read(connection.secret_name) else "missing"
    except ExportError:
        return "forbidden"
    except VaultUnavailable:
        return "unreachable"
