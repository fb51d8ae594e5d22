"""The digest key of this installation: made once, recognised by its fingerprint ever after, and never replaced in silence.

All state and all tombstones know people by digests of this key. With another one nobody is known: everybody would be sent
again, those who asked to be erased too. So a key that is missing, damaged or another ends everything by name.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from shared.azure.storage import Container
from shared.azure.vault import FRESH, VaultUnavailable
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.state.digests import DigestKey

if TYPE_CHECKING:
    from shared.composition.app import App

DIGEST_SECRET: Final = "segment-export-digest-key"  # noqa: S105 - its name, not the key
"""Name of the secret that holds the key of our digests."""

_MAKING: Final = 60.0
"""Seconds one instance may take to make the key before another may try."""


class InstallationKey:
    """The digest key as this process last read it. A key at hand serves on while the vault does not answer."""

    def __init__(self) -> None:
        self._held: tuple[DigestKey, float] | None = None
        self._lock = threading.Lock()

    def read(self, app: App) -> DigestKey:
        """Return the key as the vault holds it now; raises ExportError DIGEST_KEY_MISSING or DIGEST_KEY_WRONG, VaultUnavailable, TryLater."""
        key = read_digest_key(app)
        self._held = (key, time.monotonic())
        return key

    def current(self, app: App) -> DigestKey:
        """Return the key as it was within the last minute; raises what `read` raises."""
        with self._lock:
            if self._held and time.monotonic() - self._held[1] < FRESH:
                return self._held[0]
            try:
                return self.read(app)
            except VaultUnavailable:
                if self._held is None:
                    raise
                self._held = (self._held[0], time.monotonic())
                return self._held[0]


def read_digest_key(app: App) -> DigestKey:
    """Read the key from the vault and hold it against its fingerprint; it is made only where nothing depends on one."""
    key = stored_digest_key(app)
    if key is None:
        key = _parse(_make(app))
    if app.tombstones.note_fingerprint(key.fingerprint(), app.now()) != key.fingerprint():
        raise _another()
    return key


def stored_digest_key(app: App) -> DigestKey | None:
    """Return the key that the vault holds, None if there is none and none is needed yet; changes nothing."""
    text = app.vault.read(DIGEST_SECRET)
    known = app.tombstones.fingerprint()
    if text is None:
        if known or _is_needed(app):
            raise ExportError(Reason.DIGEST_KEY_MISSING, f"Key Vault has no secret {DIGEST_SECRET!r}.")
        return None
    key = _parse(text)
    if known and known != key.fingerprint():
        raise _another()
    return key


def _parse(text: str) -> DigestKey:
    try:
        return DigestKey.from_text(text)
    except ValueError:
        raise ExportError(
            Reason.DIGEST_KEY_WRONG, f"The secret {DIGEST_SECRET!r} is not 64 hexadecimal digits."
        ) from None


def _another() -> ExportError:
    return ExportError(
        Reason.DIGEST_KEY_WRONG,
        f"The secret {DIGEST_SECRET!r} holds another key than the one that state and tombstones were made with.",
    )


def _is_needed(app: App) -> bool:
    """Whether anything is kept that only a key of before can read."""
    return app.tombstones.any() or next(iter(app.storage.names(Container.STATE)), None) is not None


def _make(app: App) -> str:
    """Make the key, once for the installation; raises TryLater while another instance makes it."""
    with app.accounts.exclusive("installation", "make the digest key", _MAKING):
        text = app.vault.read(DIGEST_SECRET)
        if text is None:
            text = DigestKey.new().to_text()
            app.vault.write(DIGEST_SECRET, text)
    return text
