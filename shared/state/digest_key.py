"""The digest key of this installation: made once, recognised by its fingerprint ever after, and never replaced in silence.

All state and all tombstones know people by digests of this key. With another one nobody is known: everybody would be sent
again, those who asked to be erased too. So a key that is missing, damaged or another ends everything by name.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol

from shared.azure.locks import INSTALLATION, Locks
from shared.azure.storage import Container, Storage
from shared.azure.vault import FRESH, NameKept, Vault, VaultUnavailable
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.state.digests import DigestKey

DIGEST_SECRET: Final = "segment-export-digest-key"  # noqa: S105 - its name, not the key
"""Name of the secret that holds the key of our digests."""

_MAKING: Final = 60.0
"""Seconds one instance may take to make the key before another may try."""


class Fingerprints(Protocol):
    """What remembers which key everything was digested with: the tombstones."""

    def fingerprint(self) -> str | None:
        """Return the fingerprint of the key that digests were made with; None if none was noted yet."""
        ...

    def note_fingerprint(self, fingerprint: str, at: datetime) -> str:
        """Note the key that digests are made with, unless one is noted already; return the one that stands."""
        ...

    def any(self) -> bool:
        """Return whether anybody was erased."""
        ...


class InstallationKey:
    """The digest key as this process last read it. A key at hand serves on while the vault does not answer."""

    def __init__(
        self, vault: Vault, storage: Storage, fingerprints: Fingerprints, locks: Locks, now: Callable[[], datetime]
    ) -> None:
        self._vault = vault
        self._storage = storage
        self._fingerprints = fingerprints
        self._locks = locks
        self._now = now
        self._last: tuple[DigestKey, float] | None = None
        self._lock = threading.Lock()

    def read(self) -> DigestKey:
        """Return the key as the vault holds it now; it is made only where nothing depends on one.

        Raise ExportError DIGEST_KEY_MISSING or DIGEST_KEY_WRONG, VaultUnavailable, and TryLater while another instance makes it.
        """
        key = self.stored() or _parse(self._make())
        if self._fingerprints.note_fingerprint(key.fingerprint(), self._now()) != key.fingerprint():
            raise _another()
        self._last = (key, time.monotonic())
        return key

    def current(self) -> DigestKey:
        """Return the key as it was within the last minute; raise what `read` raises."""
        with self._lock:
            if self._last and time.monotonic() - self._last[1] < FRESH:
                return self._last[0]
            try:
                return self.read()
            except VaultUnavailable:
                if self._last is None:
                    raise
                self._last = (self._last[0], time.monotonic())
                return self._last[0]

    def stored(self) -> DigestKey | None:
        """Return the key that the vault holds, None if there is none and none is needed yet; change nothing."""
        text = self._vault.read(DIGEST_SECRET)
        known = self._fingerprints.fingerprint()
        if text is None:
            if known or self._is_needed():
                raise ExportError(Reason.DIGEST_KEY_MISSING, f"Key Vault has no secret {DIGEST_SECRET!r}.")
            return None
        key = _parse(text)
        if known and known != key.fingerprint():
            raise _another()
        return key

    def _is_needed(self) -> bool:
        """Return whether anything is kept that only a key of before can read."""
        return self._fingerprints.any() or next(iter(self._storage.names(Container.STATE)), None) is not None

    def _make(self) -> str:
        """Make the key, once for the installation; raise TryLater while another instance makes it."""
        with self._locks.exclusive(INSTALLATION, "make the digest key", _MAKING):
            text = self._vault.read(DIGEST_SECRET)
            if text is None:
                text = DigestKey.new().to_text()
                try:
                    self._vault.write(DIGEST_SECRET, text)
                except NameKept as kept:
                    raise ExportError(Reason.DIGEST_KEY_MISSING, kept.detail) from None
        return text


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
