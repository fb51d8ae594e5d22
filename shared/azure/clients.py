"""The SDK's clients of the app's own storage account and vault: each call comes to its end, at the host that it was made to.

What the SDK says by itself would have a call wait for minutes, one to a table for an hour. And it would follow a redirect
to any host: with a key that is to be stored, or with contacts, in the body that it sends again there. Neither storage nor
Key Vault ever redirects anybody, so an answer that does is a fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from azure.data.tables import TableServiceClient
from azure.keyvault.secrets import SecretClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from shared.azure.identity import credential
from shared.azure.settings import Settings, StorageAccount, is_loopback

CONNECT_SECONDS: Final = 5.0
"""Seconds that a connection may take to be made."""

ANSWER_SECONDS: Final = 20.0
"""Seconds for which a service may be silent: it answers in milliseconds, a block of a large blob in a few seconds."""

REPEATS: Final = 3
"""How often a call is repeated that had no answer, or one that says that the service is busy."""

PAUSE_SECONDS: Final = 1.0
"""Seconds before the first repeat; the later ones wait longer, some ten seconds together."""

VAULT_SECONDS: Final = 8.0
"""Seconds that a call to the vault may take to connect, and again to be answered: it answers in milliseconds."""

VAULT_REPEATS: Final = 2

NO_REDIRECT: Final[dict[str, Any]] = {"permit_redirects": False}


def blob_client(account: StorageAccount) -> BlobServiceClient:
    """Return a client of an account's blobs."""
    if account.connection_string:
        return BlobServiceClient.from_connection_string(account.connection_string, **_patience())
    return BlobServiceClient(str(account.blob_uri), credential=credential(account.client_id), **_patience())


def queue_client(account: StorageAccount) -> QueueServiceClient:
    """Return a client of an account's queues."""
    if account.connection_string:
        return QueueServiceClient.from_connection_string(account.connection_string, **_patience())
    return QueueServiceClient(str(account.queue_uri), credential=credential(account.client_id), **_patience())


def table_client(account: StorageAccount, hooks: Mapping[str, Any]) -> TableServiceClient:
    """Return a client of an account's tables; `hooks` are more options of it, such as a clock's."""
    patience = {"retry_backoff_factor": PAUSE_SECONDS, **_deadlines(), **NO_REDIRECT, **hooks}
    if account.connection_string:
        return TableServiceClient.from_connection_string(account.connection_string, **patience)
    return TableServiceClient(str(account.table_uri), credential=credential(account.client_id), **patience)


def vault_client(settings: Settings) -> SecretClient:
    """Return a client of the vault; one on this machine is the local stack's, whose host is in no domain of vaults."""
    return SecretClient(
        settings.key_vault_url,
        credential(settings.storage.client_id),
        verify_challenge_resource=not is_loopback(settings.key_vault_url),
        connection_timeout=VAULT_SECONDS,
        read_timeout=VAULT_SECONDS,
        retry_total=VAULT_REPEATS,
        **NO_REDIRECT,
    )


def _patience() -> dict[str, Any]:
    pauses = {"initial_backoff": PAUSE_SECONDS, "increment_base": 2, "random_jitter_range": min(1, PAUSE_SECONDS)}
    return {**_deadlines(), **pauses, **NO_REDIRECT}


def _deadlines() -> dict[str, Any]:
    return {"connection_timeout": CONNECT_SECONDS, "read_timeout": ANSWER_SECONDS, "retry_total": REPEATS}
