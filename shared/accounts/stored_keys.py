"""The keys that the app stores for connections: each in a secret of its own, which the connection's document names.

A key that was entered is stored under a fresh name before the document is saved, so a save that is refused changes
nothing: the document still names the former secret. What no document names is removed, at once where that is safe, else by
the tick. Secrets that somebody else stored are never touched: only what is noted here is ours.
"""

from __future__ import annotations

import logging
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from shared.azure.records import Record
from shared.azure.tables import Change, Lost, Table
from shared.azure.vault import VaultUnavailable
from shared.reasons.errors import ExportError

if TYPE_CHECKING:
    from shared.composition.app import App

PREFIX: Final = "autopilot-"
"""How the names of secrets begin that hold accounts' keys."""

SAVING: Final = timedelta(minutes=10)
"""How long a secret may be there before its connection is saved."""

_PARTITION: Final = "_secrets"

log = logging.getLogger(__name__)


class SecretRecord(Record):
    """A secret that the app made: for which connection, and when."""

    connection: str
    at: datetime


class StoredKeys:
    """Which secrets the app made for connections."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def note(self, secret: str, connection: str, at: datetime) -> None:
        """Note a secret that is about to be made."""
        try:
            self._table.write(_PARTITION, [Change(secret, SecretRecord(connection=connection, at=at), None)])
        except Lost:  # written, but the answer was lost and the client asked again
            return

    def is_ours(self, secret: str) -> bool:
        """Whether the app made a secret."""
        return self._table.get(_PARTITION, secret, SecretRecord) is not None

    def all(self) -> list[tuple[str, SecretRecord]]:
        """Return all secrets that the app made, with what is noted of them."""
        return list(self._table.between(_PARTITION, PREFIX, PREFIX + "~", SecretRecord))

    def forget(self, secret: str) -> None:
        """Forget a secret that was removed."""
        self._table.delete(_PARTITION, [secret])


def store_key(app: App, connection: str, key: str) -> str:
    """Store a key in a fresh secret and return its name; no document names it yet."""
    secret = f"{PREFIX}{connection}-{secrets.token_hex(8)}"
    app.accounts.stored_keys.note(secret, connection, app.now())
    app.vault.write(secret, key)
    return secret


def remove_key(app: App, secret: str, by: str) -> bool:
    """Remove a secret that no connection names any more, if the app made it, and note it in the audit trail.

    Where the vault does not let us now, the tick tries again.
    """
    record = dict(app.accounts.stored_keys.all()).get(secret)
    if record is None:
        return False
    try:
        app.vault.delete(secret)
    except (ExportError, VaultUnavailable) as error:
        log.warning("a key that is not needed any more could not be removed: secret=%s error=%s", secret, error)
        return False
    app.forget_key(secret)
    app.accounts.stored_keys.forget(secret)
    app.audit.note(app.now(), by, "key removed", {"connection": record.connection, "secret": secret})
    return True


def is_named(app: App, secret: str, *, but: str) -> bool:
    """Whether a connection other than `but` names a secret; also if a document cannot be read, which may."""
    try:
        others = [app.registry.connection(name) for name in app.registry.connections() if name != but]
    except ExportError:
        return True
    return secret.lower() in {found[0].secret_name.lower() for found in others if found}


def sweep_keys(app: App) -> None:
    """Remove keys that no connection's document names: their connection was not saved after all, or a removal failed.

    While a document cannot be read nobody knows what it names, and nothing is removed.
    """
    latest = app.now() - SAVING
    old = [secret for secret, record in app.accounts.stored_keys.all() if record.at < latest]
    if not old:
        return
    try:
        documents = [app.registry.connection(name) for name in app.registry.connections()]
    except ExportError:
        return
    named = {found[0].secret_name.lower() for found in documents if found}
    for secret in old:
        if secret not in named:
            remove_key(app, secret, "schedule")
