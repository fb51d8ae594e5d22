"""The adapter to Key Vault: connections' API keys and the key of our digests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.keyvault.secrets import SecretClient

from shared.azure.identity import NoToken
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError, Ours

FRESH: Final = 60.0
"""Seconds for which a key that was read is used without asking again."""


class VaultUnavailable(Ours, Exception):
    """Key Vault does not answer; it may later."""


_READING: Final = "Give the app's identity the role Key Vault Secrets User on the vault"
_STORING: Final = "Give the app's identity the role Key Vault Secrets Officer on the vault, or store that secret yourself (docs/settings.md)"
_NETWORK: Final = "The vault's firewall keeps the app out: see which networks and private endpoints it lets in"
_BY_CAUSE: Final = {
    "SecretDisabled": "Its newest version is disabled: enable it, or store a new one",
    "ForbiddenByFirewall": _NETWORK,
    "ForbiddenByConnection": _NETWORK,
}
"""What helps where the vault says of its 403 that no role is missing, by the code of the inner error."""


def _what_to_do(error: AzureError, right: str) -> str:
    """Return how the vault refused, and what helps; `right` gives the role that may be missing."""
    inner = getattr(getattr(error, "error", None), "innererror", None)
    cause = str(inner.get("code", "")) if isinstance(inner, dict) else ""
    known = _BY_CAUSE.get(cause) or (
        right if cause == "ForbiddenByRbac" else f"{right}, and check the vault's firewall"
    )
    shown = f" {cause}" if cause in {*_BY_CAUSE, "ForbiddenByRbac"} else ""
    return f"({getattr(error, 'status_code', None)}{shown}). {known}."


class NameKept(ExportError):
    """A deleted secret keeps its name: none can be stored under it until it is recovered, or until soft delete lets it go."""

    def __init__(self, name: str, vault: str) -> None:
        super().__init__(
            Reason.KEY_MISSING,
            f"Key Vault keeps the deleted secret {name!r}, so none can be stored under its name. Recover it, and store a new "
            f"version if it shall be another: az keyvault secret recover --id {vault.rstrip('/')}/deletedsecrets/{name}.",
        )


class Vault:
    """Reads and writes secrets by name."""

    def __init__(self, client: SecretClient) -> None:
        self._client = client

    def read(self, name: str) -> str | None:
        """Return a secret's latest value, or None if there is none.

        Raise ExportError KEY_MISSING if the app may not read it, and VaultUnavailable if the vault does not answer.
        """
        try:
            return self._client.get_secret(name).value
        except ResourceNotFoundError:
            return None
        except NoToken as error:
            raise VaultUnavailable(error.message) from None
        except (HttpResponseError, ClientAuthenticationError) as error:
            if error.status_code in {401, 403}:
                raise ExportError(
                    Reason.KEY_MISSING,
                    f"Key Vault refused to give the secret {name!r} {_what_to_do(error, _READING)}",
                ) from None
            raise VaultUnavailable(f"Key Vault answered {error.status_code or type(error).__name__}") from None
        except AzureError as error:
            raise VaultUnavailable(f"Key Vault could not be reached ({type(error).__name__})") from None

    def write(self, name: str, value: str) -> None:
        """Store a secret as its newest version; raise VaultUnavailable, NameKept, and ExportError KEY_MISSING if the app may not."""
        try:
            self._client.set_secret(name, value)
        except ResourceExistsError:
            raise NameKept(name, self._client.vault_url) from None
        except NoToken as error:
            raise VaultUnavailable(error.message) from None
        except HttpResponseError as error:
            if error.status_code in {401, 403}:
                raise ExportError(
                    Reason.KEY_MISSING,
                    f"Key Vault refused to store the secret {name!r} {_what_to_do(error, _STORING)}",
                ) from None
            raise VaultUnavailable(f"Key Vault answered {error.status_code or type(error).__name__}") from None
        except AzureError as error:
            raise VaultUnavailable(f"Key Vault could not be reached ({type(error).__name__})") from None

    def delete(self, name: str) -> None:
        """Delete a secret, if it is there: with soft delete it can be recovered for as long as the vault keeps it.

        Raise VaultUnavailable, and ExportError KEY_MISSING if the app may not.
        """
        try:
            self._client.begin_delete_secret(name)
        except ResourceNotFoundError:
            return
        except HttpResponseError as error:
            if error.status_code in {401, 403}:
                raise ExportError(
                    Reason.KEY_MISSING, f"Key Vault refused to delete the secret {name!r} ({error.status_code})."
                ) from None
            raise VaultUnavailable(f"Key Vault answered {error.status_code}") from None
        except AzureError as error:
            raise VaultUnavailable(f"Key Vault could not be reached ({type(error).__name__})") from None


Successor = Callable[[str | None], str | None]
"""Names the secret that a connection holds its key in by now, if it is another and opens what the key at hand opens."""


class VaultKey:
    """A connection's API key: read from the vault, kept in memory for a minute, read again when it is refused.

    Where its secret is gone or its key is refused, `successor` is asked for the secret that took its place.
    """

    def __init__(self, vault: Vault, secret_name: str, successor: Successor = lambda _: None) -> None:
        self._vault = vault
        self._name = secret_name
        self._successor = successor
        self._value: str | None = None
        self._read_at = 0.0
        self._lock = threading.Lock()

    def current(self) -> str:
        """Return the key; raise ExportError KEY_MISSING or VaultUnavailable.

        A key at hand serves on while the vault does not answer.
        """
        with self._lock:
            if self._value is not None and time.monotonic() - self._read_at < FRESH:
                return self._value
            try:
                self._value = self._read()
            except VaultUnavailable:
                if self._value is None:
                    raise
            self._read_at = time.monotonic()
            return self._value

    def renewed(self, refused: str) -> str | None:
        """Return the vault's key if it is not the one that was refused, else None."""
        with self._lock:
            if self._value == refused:
                try:
                    self._name = self._successor(self._value) or self._name
                    self._value = self._read()
                except (ExportError, VaultUnavailable):
                    return None
            return self._value if self._value != refused else None

    def _read(self) -> str:
        value = self._vault.read(self._name)
        if value is None and (newer := self._successor(self._value)) is not None:
            self._name, value = newer, self._vault.read(newer)
        if not value or value.startswith("@Microsoft.KeyVault("):
            raise ExportError(Reason.KEY_MISSING, f"Key Vault has no secret {self._name!r}.")
        if not (value.isascii() and value.isprintable()):
            raise ExportError(
                Reason.KEY_MISSING, f"The secret {self._name!r} holds what can be no API key. Store it again."
            )
        return value


class GivenKey:
    """A key that was just given and is not in the vault yet."""

    def __init__(self, value: str) -> None:
        self._value = value

    def current(self) -> str:
        """Return the key."""
        return self._value

    def renewed(self, refused: str) -> str | None:  # noqa: ARG002 - part of the protocol
        """Return None: there is no other."""
        return None
