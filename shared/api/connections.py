"""Connections: where data can go. Administrators' business; a key goes to the vault and is never seen again."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator

from shared.adapters.storage import Conflict
from shared.adapters.vault import VaultUnavailable
from shared.api.access import Role
from shared.api.call import Answer, Call, Problem, page_of, stale
from shared.app import Account, App
from shared.configuration import Connection, Consent, DisplayName, ListStrategy, Model
from shared.domain.answers import AutopilotError, KeyRefused
from shared.reasons import Reason, RunEnded

CONSENT_VERSION: Final = "2026-11"
CONSENT_TEXT: Final = (
    "By agreeing you allow the transfer of data, including personal data, from Customer Insights to Autopilot, a service "
    "outside your Azure subscription. You are responsible for having obtained the consent of the people concerned. An "
    "administrator can remove the connection at any time to stop the transfer."
)
STRATEGY_TEXT: Final = (
    "How contacts get on lists: `auto` proves which call does it, `bulk` believes the bulk call, `single` makes a call for "
    "each membership."
)
CONNECT_SECONDS: Final = 20.0


def _header_safe(key: SecretStr) -> SecretStr:
    """Refuse what no header can carry: a key is visible ASCII characters only."""
    if not re.fullmatch(r"[!-~]{1,512}", key.get_secret_value()):
        raise ValueError("a key is 1 to 512 visible ASCII characters; copy it again, without blanks")
    return key


ApiKey = Annotated[SecretStr, AfterValidator(_header_safe)]
SecretName = Annotated[str, StringConstraints(pattern=r"^[0-9a-zA-Z-]{1,127}$")]


class ConnectionBody(Model):
    """Body of PUT /connections/{c}."""

    display_name: DisplayName
    kind: Literal["autopilot"] = "autopilot"
    api_key: ApiKey | None = None
    secret_name: SecretName | None = None
    access: Literal["administrators", "administrators_and_contributors"] = "administrators"
    agree_to_privacy: bool = Field(default=False, description=CONSENT_TEXT)
    rate_limit: float = Field(default=20, ge=0.1, le=10_000)
    list_strategy: ListStrategy = Field(default="auto", description=STRATEGY_TEXT)

    @model_validator(mode="after")
    def _coherent(self) -> ConnectionBody:
        if not self.agree_to_privacy:
            raise ValueError("agree_to_privacy must be true: " + CONSENT_TEXT)
        if self.api_key is not None and self.secret_name is not None:
            raise ValueError("give api_key (stored in the vault for you) or secret_name (one already there), not both")
        return self


def list_connections(app: App, call: Call) -> Answer:
    """List connections in the order of their names."""
    after, limit = call.page()
    names = []
    for name in app.registry.connections(after=after):
        names.append(name)
        if len(names) > limit:
            break
    items = [view(name, found[0], call) for name in names[:limit] if (found := app.registry.connection(name))]
    return Answer(body=page_of(items, names[limit - 1] if len(names) > limit else None))


def get_connection(app: App, call: Call) -> Answer:
    """Show one connection, and whether its key can still be read."""
    name = call.params["connection"]
    connection, etag = _find(app, name)
    shown = view(name, connection, call)
    if call.caller.role is Role.ADMIN:
        shown["secret"] = _secret_state(app, connection)
    return Answer(body=shown, headers={"ETag": etag})


def put_connection(app: App, call: Call) -> Answer:
    """Create or replace a connection; the key is tried at Autopilot before anything is kept."""
    name, body = call.params["connection"], call.read(ConnectionBody)
    found = app.registry.connection(name)
    before = found[0] if found else None
    secret_name = body.secret_name or (before.secret_name if before and not body.api_key else f"autopilot-{name}")
    if before is None and body.api_key is None and body.secret_name is None:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "body_invalid",
            "A new connection needs its key: api_key, or secret_name for one already in the vault.",
            errors=[{"field": "api_key", "code": "missing", "detail": "give api_key or secret_name"}],
        )
    now = app.now()
    connection = Connection(
        display_name=body.display_name,
        kind=body.kind,
        secret_name=secret_name,
        access=body.access,
        rate_limit=body.rate_limit,
        list_strategy=body.list_strategy,
        consent=Consent(by=call.caller.id, at=now, text_version=CONSENT_VERSION),
        account=before.account if before else None,
        created_at=before.created_at if before else now,
        updated_at=now,
        updated_by=call.caller.id,
    )
    key = body.api_key.get_secret_value() if body.api_key else None
    connection = connection.model_copy(update={"account": _connect(app, name, connection, key)})
    call.check_match(found[1] if found else None)
    is_another = _is_another(app, before, secret_name, key)
    try:
        if key is not None:
            app.vault.write(secret_name, key)
            app.forget_key(secret_name)
        etag = app.registry.save_connection(name, connection, if_match=call.if_match, only_new=before is None)
    except Conflict:
        raise stale() from None
    if is_another:  # the key may open another account, whose calls fill lists or not
        app.accounts.remember_filling(name, None)
    status = HTTPStatus.OK if before else HTTPStatus.CREATED
    return Answer(status, view(name, connection, call), {"ETag": etag})


def test_connection(app: App, call: Call) -> Answer:
    """Ask Autopilot whether it accepts the key, and whose account it is."""
    name = call.params["connection"]
    connection, _ = _find(app, name)
    account = app.open(name, connection)
    try:
        shown = app.sender(account, seconds=CONNECT_SECONDS).one(account.api.account)
    except KeyRefused:
        return Answer(body={"accepted": False, "code": Reason.KEY_REFUSED, "detail": Reason.KEY_REFUSED.advice})
    except RunEnded as end:
        return Answer(body={"accepted": False, "code": end.reason, "detail": end.detail or end.reason.advice})
    except AutopilotError as error:
        raise _unreachable(error) from None
    return Answer(body={"accepted": True, "account": shown})


def delete_connection(app: App, call: Call) -> Answer:
    """Remove a connection that no export uses; with `detach` the exports keep their configuration and lose it."""
    name = call.params["connection"]
    _, etag = _find(app, name)
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
        if found := app.registry.export(export):
            detached = found[0].model_copy(
                update={"connection": None, "updated_at": app.now(), "updated_by": call.caller.id}
            )
            app.registry.save_export(export, detached, if_match=found[1])
    try:
        app.registry.delete_connection(name, if_match=call.if_match)
    except Conflict:
        raise stale() from None
    return Answer(HTTPStatus.NO_CONTENT)


def exports_using(app: App, connection: str) -> list[str]:
    """Name the exports that use a connection."""
    return [
        name
        for name in app.registry.exports()
        if (found := app.registry.export(name)) and found[0].connection == connection
    ]


def view(name: str, connection: Connection, call: Call) -> dict[str, Any]:
    """Show a connection as the caller may see it: contributors see its name and kind."""
    if call.caller.role is not Role.ADMIN:
        return {"name": name, "display_name": connection.display_name, "kind": connection.kind}
    return {"name": name, **connection.model_dump(mode="json")}


def _find(app: App, name: str) -> tuple[Connection, str]:
    found = app.registry.connection(name)
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, "connection_not_found", f"There is no connection {name!r}.")
    return found


def _connect(app: App, name: str, connection: Connection, key: str | None) -> str | None:
    """Try the key; gives the account, or the one known before if Autopilot does not answer now."""
    account: Account = app.open(name, connection) if key is None else app.open_with(name, connection, key)
    try:
        return app.sender(account, seconds=CONNECT_SECONDS).one(account.api.account)
    except KeyRefused:
        raise _refused("key_refused", "Autopilot refused this key. Copy the account's current key.") from None
    except RunEnded as end:
        raise _refused(end.reason, end.detail) from None
    except VaultUnavailable as error:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "vault_unavailable", f"{error}. Try again.") from None
    except AutopilotError:
        return connection.account


def _is_another(app: App, before: Connection | None, secret_name: str, key: str | None) -> bool:
    """Say whether a connection may open another account than before: it is new, or has another key."""
    if before is None or before.secret_name != secret_name:
        return True
    return key is not None and app.vault.read(secret_name) != key


def _refused(code: str, detail: str) -> Problem:
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, code, detail)


def _unreachable(error: AutopilotError) -> Problem:
    return Problem(HTTPStatus.BAD_GATEWAY, "autopilot_unavailable", f"Autopilot gave no result: {error}. Try again.")


def _secret_state(app: App, connection: Connection) -> str:
    """Say whether the key can be read: `readable`, `missing`, `forbidden` or `unreachable`."""
    try:
        return "readable" if app.vault.read(connection.secret_name) else "missing"
    except RunEnded:
        return "forbidden"
    except VaultUnavailable:
        return "unreachable"
