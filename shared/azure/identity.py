"""The adapter to the app's own identity: a managed identity in Azure, the developer's elsewhere."""

from __future__ import annotations

import os
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

from shared.reasons.errors import Ours

_PATIENCE: Final[dict[str, Any]] = {"connection_timeout": 5, "read_timeout": 10, "retry_total": 2}
"""Seconds that the platform's endpoint for tokens may take, and how often it is asked again: it answers in milliseconds."""


class NoToken(Ours, ClientAuthenticationError):
    """The identity got no token, so nothing was asked of the service itself; it may get one later.

    An authentication error, since the SDKs do not repeat their request after one.
    """


class Identity:
    """A credential that says who it is and for what it got no token, whatever the SDK raised."""

    def __init__(self, inner: ManagedIdentityCredential | DefaultAzureCredential, name: str) -> None:
        self._inner = inner
        self._name = name

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """Return a token; raise NoToken."""
        try:
            return self._inner.get_token(*scopes, **options)
        except Exception as error:  # noqa: BLE001 - what the endpoint says that is no token ends in any of them
            raise self._none(scopes, error) from None

    def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """Return a token; raise NoToken."""
        try:
            return self._inner.get_token_info(*scopes, options=options)
        except Exception as error:  # noqa: BLE001 - what the endpoint says that is no token ends in any of them
            raise self._none(scopes, error) from None

    def _none(self, scopes: tuple[str, ...], error: Exception) -> NoToken:
        """Name who got no token for what; the SDK's own text is left out, it may quote what the endpoint said."""
        service = urlsplit(scopes[0]).hostname if scopes else None
        response = getattr(error, "response", None)
        said = f"answered {response.status_code}" if response is not None else f"gave {type(error).__name__}"
        return NoToken(
            f"{self._name} got no token for {service or 'the service'}: the identity endpoint {said}. It is asked again "
            "by itself; if it stays so, see in the portal, under Identity, that the app has this identity"
        )


def credential(client_id: str | None = None) -> Identity:
    """Return the credential: the managed identity where the platform offers one, else what a developer is signed in with."""
    chosen = client_id or os.environ.get("AZURE_CLIENT_ID")
    return _credential(os.environ.get("IDENTITY_ENDPOINT"), os.environ.get("IDENTITY_HEADER"), chosen)


@cache
def _credential(endpoint: str | None, header: str | None, client_id: str | None) -> Identity:  # noqa: ARG001
    """Return the credential of one endpoint for tokens: the SDK takes endpoint and header from the environment, once."""
    if not endpoint:
        return Identity(DefaultAzureCredential(), "The identity that is signed in here")
    if client_id:
        managed = ManagedIdentityCredential(client_id=client_id, **_PATIENCE)
        return Identity(managed, f"The app's identity with client id {client_id}")
    return Identity(ManagedIdentityCredential(**_PATIENCE), "The app's own (system-assigned) identity")
