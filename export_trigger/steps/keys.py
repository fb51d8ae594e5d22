"""The keys that the app stores for connections: each in a secret of its own, which the connection's document names.

A key that was entered is stored under a fresh name before the document is saved, so a save that is refused changes
nothing: the document still names the former secret. What no document names is removed, at once where that is safe, else by
the tick. Only what `StoredKeys` has a note of is the app's own.
"""

from __future__ import annotations

import logging
import secrets
from datetime import timedelta
from typing import Final

from shared.accounts.stored_keys import PREFIX
from shared.azure.vault import VaultUnavailable
from shared.composition.app import App
from shared.reasons.errors import ExportError

SAVING: Final = timedelta(minutes=10)
"""How long a secret may be there before its connection is saved."""

log = logging.getLogger(__name__)


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
    """Return whether a connection other than `but` names a secret; also if a document cannot be read, which may."""
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
