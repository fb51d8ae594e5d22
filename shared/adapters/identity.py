"""The adapter to the app's own identity: a managed identity in Azure, the developer's elsewhere."""

from __future__ import annotations

import os
from functools import cache

from azure.core.credentials import TokenCredential
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential


@cache
def credential(client_id: str | None = None) -> TokenCredential:
    """Give the credential: the managed identity where the platform offers one, else what a developer is signed in with."""
    if os.environ.get("IDENTITY_ENDPOINT"):
        chosen = client_id or os.environ.get("AZURE_CLIENT_ID")
        return ManagedIdentityCredential(client_id=chosen) if chosen else ManagedIdentityCredential()
    return DefaultAzureCredential()
