"""The adapter to Key Vault: connections' API keys and the key of our digests."""

from __future__ import annotations

import threading
import time
from typing import Final

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.keyvault.secrets import SecretClient

from shared.reasons import Reason, RunEnded

FRESH: Final = 60.0
"""Seconds for which a key that was read is used without asking again."""


class Vault:
    """Reads and writes secrets by name."""

    def __init__(self, client: SecretClient) -> None:
        self._client = client

    def read(self, name: str) -> str | None:
        """Give a secret's latest value, or None if there is none; raises RunEnded KEY_MISSING if the vault does not answer."""
        try:
            return self._client.get_secret(name).value
        except ResourceNotFoundError:
            return None
        except HttpResponseError as error:
            detail = f"Key Vault answered {error.status_code} for the secret {name!r}."
            if error.status_code == 403:
                detail += " Give the app's identity the role Key Vault Secrets User on the vault."
            raise RunEnded(Reason.KEY_MISSING, detail) from error
        except AzureError as error:
            raise RunEnded(
                Reason.KEY_MISSING, f"Key Vault could not be reached for the secret {name!r}. Check KEY_VAULT_URL."
            ) from error

    def write(self, name: str, value: str) -> None:
        """Store a secret as its newest version."""
        self._client.set_secret(name, value)


class VaultKey:
    """A connection's API key: read from the vault, kept in memory for a minute, read again when it is refused."""

    def __init__(self, vault: Vault, secret_name: str) -> None:
        self._vault = vault
        self._name = secret_name
        self._value: str | None = None
        self._read_at = 0.0
        self._lock = threading.Lock()

    def current(self) -> str:
        """Give the key; raises RunEnded KEY_MISSING. A key at hand serves on while the vault does not answer."""
        with self._lock:
            if self._value is None or time.monotonic() - self._read_at > FRESH:
                try:
                    self._read()
                except RunEnded:
                    if self._value is None:
                        raise
            assert self._value is not None  # noqa: S101 - _read sets it or raises
            return self._value

    def renewed(self, refused: str) -> str | None:
        """Give the vault's key if it is not the one that was refused."""
        with self._lock:
            if self._value == refused:
                self._read()
            return self._value if self._value != refused else None

    def _read(self) -> None:
        value = self._vault.read(self._name)
        if not value or value.startswith("@Microsoft.KeyVault("):
            raise RunEnded(Reason.KEY_MISSING, f"Key Vault has no secret {self._name!r}.")
        self._value, self._read_at = value, time.monotonic()
