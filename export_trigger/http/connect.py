"""Save a connection: its key tried and stored, its account told apart from others, and what has to follow."""

from __future__ import annotations

import logging
import re
from contextlib import suppress
from http import HTTPStatus
from typing import Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from export_trigger.http.request import Problem
from export_trigger.steps.keys import is_named, remove_key
from shared.accounts.stored_keys import PREFIX
from shared.azure.vault import VaultUnavailable
from shared.composition.app import Account, App
from shared.delivery.account import Identity
from shared.delivery.errors import AccountRefused, DestinationError, KeyRefused
from shared.destinations.registry import DEFAULT, DESTINATIONS
from shared.exports.configuration import VAULT_PATTERN, Connection, DisplayName, ListStrategy, Model
from shared.reasons.errors import ExportError
from shared.state.digest_key import DIGEST_SECRET

CONSENT_TEXT: Final = (
    "By agreeing you allow the transfer of data, including personal data, from Customer Insights to the service that "
    "the connection leads to, Autopilot or Ortto, outside your Azure subscription. You are responsible for having obtained the consent of the people concerned. An "
    "administrator can remove the connection at any time to stop the transfer."
)
STRATEGY_TEXT: Final = (
    "How contacts get on lists: `auto` proves which call does it, `bulk` believes the bulk call, `single` makes a call for "
    "each membership."
)
IN_FLIGHT_TEXT: Final = (
    "Calls at a time of one instance of the app. By default 2 at Ortto, which fails when there are too many; at Autopilot as "
    "many as the rate limit asks for."
)
CONNECT_SECONDS: Final = 20.0

log = logging.getLogger(__name__)


def _header_safe(key: SecretStr) -> SecretStr:
    """Refuse what no header can carry: a key is visible ASCII characters only."""
    if not re.fullmatch(r"[!-~]{1,512}", key.get_secret_value()):
        raise ValueError("a key is 1 to 512 visible ASCII characters; copy it again, without blanks")
    return key


def _known_kind(kind: str) -> str:
    if kind not in DESTINATIONS:
        raise ValueError(f"is one of: {', '.join(sorted(DESTINATIONS))}")
    return kind


KnownKind = Annotated[
    str, AfterValidator(_known_kind), WithJsonSchema({"type": "string", "enum": sorted(DESTINATIONS)})
]
ApiKey = Annotated[SecretStr, AfterValidator(_header_safe)]
SecretName = Annotated[str, StringConstraints(pattern=VAULT_PATTERN)]


class ConnectionBody(Model):
    """Body of PUT /connections/{c}."""

    display_name: DisplayName
    kind: KnownKind = DEFAULT.kind
    region: Annotated[str, StringConstraints(max_length=64)] | None = Field(default=None, validate_default=True)
    api_key: ApiKey | None = None
    secret_name: SecretName | None = None
    access: Literal["administrators", "administrators_and_contributors"] = "administrators"
    agree_to_privacy: bool = Field(default=False, validate_default=True, description=CONSENT_TEXT)
    rate_limit: float = Field(default=20, ge=0.1, le=10_000)
    calls_in_flight: int | None = Field(default=None, ge=1, le=32, description=IN_FLIGHT_TEXT)
    list_strategy: ListStrategy = Field(default="auto", description=STRATEGY_TEXT)

    @field_validator("agree_to_privacy")
    @classmethod
    def _agreed(cls, agreed: bool) -> bool:
        if not agreed:
            raise ValueError(f"must be true. {CONSENT_TEXT}")
        return agreed

    @field_validator("secret_name")
    @classmethod
    def _one_key(cls, secret_name: str | None, known: ValidationInfo) -> str | None:
        if secret_name is not None and known.data.get("api_key") is not None:
            raise ValueError("give api_key (stored in the vault for you) or secret_name (one already there), not both")
        return secret_name

    @field_validator("region")
    @classmethod
    def _of_its_kind(cls, region: str | None, known: ValidationInfo) -> str | None:
        kind = known.data.get("kind")
        if kind is not None and region not in (DESTINATIONS[kind].regions or (None,)):
            regions = ", ".join(DESTINATIONS[kind].regions)
            raise ValueError(
                f"is one of: {regions}" if regions else f"{DESTINATIONS[kind].title} has none: leave it out"
            )
        return region


def rate_of(body: ConnectionBody) -> float:
    """Return the rate limit that a body asks for, or the one that its kind of destination has if it names none."""
    return body.rate_limit if "rate_limit" in body.model_fields_set else DESTINATIONS[body.kind].rate


def check_secret(app: App, body: ConnectionBody, before: Connection | None) -> None:
    """Raise a Problem unless the body leads to a key, and to none that is not an account's, of the kind that it was."""
    if before is not None and before.kind != body.kind:
        raise _field_wrong(
            f"This connection leads to {before.kind}. Make another connection for {body.kind}: exports map its own fields.",
            ("kind", "fixed", f"is {before.kind}, and stays it"),
        )
    named = body.secret_name
    if named is None:
        if body.api_key is None and before is None:
            raise _field_wrong(
                "A new connection needs its key: api_key, or secret_name for one already in the vault.",
                ("api_key", "missing", "give api_key or secret_name"),
            )
        return
    allowed = {name.lower() for name in app.settings.allowed_secret_names}
    is_kept = before is not None and before.secret_name == named
    if named.lower() == DIGEST_SECRET or not (is_kept or named.lower().startswith(PREFIX) or named.lower() in allowed):
        raise _field_wrong(
            f"secret_name must begin with {PREFIX!r}, or stand in the app setting ALLOWED_SECRET_NAMES: its content is "
            "sent to the destination.",
            ("secret_name", "not_allowed", f"begins with {PREFIX}, or stands in ALLOWED_SECRET_NAMES"),
        )


def new_key(app: App, body: ConnectionBody, before: Connection | None) -> str | None:
    """Return the key that the body brings; None if it brings none, or the one that the connection has."""
    if body.api_key is None:
        return None
    key = body.api_key.get_secret_value()
    if before is None:
        return key
    with suppress(ExportError, VaultUnavailable):
        if app.vault.read(before.secret_name) == key:
            return None
    return key


def connect(
    app: App, name: str, connection: Connection, key: str | None, *, is_another: bool
) -> tuple[Account | None, str | None]:
    """Try the key; returns the account and what it is called.

    Where the destination does not answer now, a connection with the key that it had stays as it is; another key is not taken
    unseen, since nobody would know whose people go where.
    """
    try:
        account: Account = app.open(name, connection) if key is None else app.open_with(name, connection, key)
        known, told = app.recognise(account, app.sender(account, seconds=CONNECT_SECONDS))
        return known, shown_name(connection.kind, told)
    except KeyRefused:
        raise _refused("key_refused", _key_refused(connection.kind)) from None
    except ExportError as end:
        raise _refused(end.reason, end.detail or end.reason.advice) from None
    except VaultUnavailable as error:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "vault_unavailable", f"{error}. Try again.") from None
    except DestinationError as error:
        if is_another:
            advice = _of_regions(connection.kind) if isinstance(error, AccountRefused) else ""
            raise unreachable(error, DESTINATIONS[connection.kind].title, advice) from None
        return None, connection.account


def _key_refused(kind: str) -> str:
    """Return what to do about a key that an account of this kind refused."""
    return f"{DESTINATIONS[kind].title} refused this key. Copy the account's current key.{_of_regions(kind)}"


def _of_regions(kind: str) -> str:
    """Return a sentence, after a space, where accounts of this kind lie in regions."""
    destination = DESTINATIONS[kind]
    return f" A key of {destination.title} works in its own region only." if destination.regions else ""


def settle_former(app: App, name: str, before: Connection | None) -> None:
    """See to it that what was known under a connection's name goes to the account that it led to, not to the next one."""
    if app.accounts.identities.home(name) is not None:
        return
    try:
        if before is not None:
            account = app.open(name, before)
            app.accounts.identities.settle(name, app.identify(account, app.sender(account, seconds=CONNECT_SECONDS)).id)
            return
    except (ExportError, DestinationError, VaultUnavailable):
        log.info("nobody knows which account the connection led to: connection=%s", name)
    app.accounts.identities.forget(name)


def follow(
    app: App, name: str, before: Connection | None, connection: Connection, opened: Account | None, by: str
) -> None:
    """Update what depends on a connection that was saved: its account, the pace, and the key it no longer names."""
    app.rates.forget()
    app.forget_key(connection.secret_name)
    if opened is not None:
        app.accounts.identities.settle(name, opened.id)
        app.accounts.forget_proofs(opened.id)  # proved with another key
    if before is not None and before.secret_name != connection.secret_name:
        remove_former_key(app, name, before.secret_name, by)


def remove_former_key(app: App, name: str, secret: str, by: str) -> bool:
    """Remove a key that a connection no longer names, if the app stored it and no other connection names it."""
    return not is_named(app, secret, but=name) and remove_key(app, secret, by)


def changes(before: Connection | None, after: Connection) -> list[str]:
    """Name the fields that a save changed; `key` if another secret is named."""
    if before is None:
        return ["all"]
    names = {"secret_name": "key"}
    asked = (
        "display_name",
        "secret_name",
        "region",
        "access",
        "rate_limit",
        "calls_in_flight",
        "list_strategy",
        "account",
    )
    return [names.get(field, field) for field in asked if getattr(before, field) != getattr(after, field)]


def unreachable(error: DestinationError, title: str, advice: str = "") -> Problem:
    """Return the problem that a destination gave no result; `advice` is a sentence more, after a space."""
    return Problem(
        HTTPStatus.BAD_GATEWAY,
        "autopilot_unavailable",
        f"{title} gave no result: {error}.{advice} Nothing was changed; try again.",
    )


def _refused(code: str, detail: str) -> Problem:
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, code, detail)


def _field_wrong(detail: str, error: tuple[str, str, str]) -> Problem:
    errors = [dict(zip(("field", "code", "detail"), error, strict=True))]
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "body_invalid", detail, errors=errors)


def shown_name(kind: str, told: Identity) -> str:
    """Return what an account is called; one that tells nothing of itself is called by its destination."""
    return told.name or told.id or f"{DESTINATIONS[kind].title} account"
