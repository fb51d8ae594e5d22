"""The storage accounts that triggers name by `connection`: a connection string, or a managed identity's settings."""

from __future__ import annotations

import os
from typing import Final

from azure.identity import DefaultAzureCredential
from azure.storage.blob import BlobServiceClient
from azure.storage.blob import LinearRetry as BlobRetry
from azure.storage.queue import LinearRetry as QueueRetry
from azure.storage.queue import QueueServiceClient

from local.azurite import connection_string
from local.host.configuration import SettingMissing

_EMULATOR: Final = "UseDevelopmentStorage=true"
_EMULATOR_PORTS: Final = (10000, 10001, 10002)
_RETRIES: Final = 2
"""Few and quick: whoever calls tries again in its own time."""


def queue_service(connection: str) -> QueueServiceClient:
    """Reach the queues of a connection; raises SettingMissing."""
    retry = QueueRetry(backoff=1, retry_total=_RETRIES, random_jitter_range=1)
    text = _connection_string(connection)
    if text is not None:
        return QueueServiceClient.from_connection_string(text, retry_policy=retry)
    return QueueServiceClient(_uri(connection, "queue"), credential=DefaultAzureCredential(), retry_policy=retry)


def blob_service(connection: str) -> BlobServiceClient:
    """Reach the blobs of a connection; raises SettingMissing."""
    retry = BlobRetry(backoff=1, retry_total=_RETRIES, random_jitter_range=1)
    text = _connection_string(connection)
    if text is not None:
        return BlobServiceClient.from_connection_string(text, retry_policy=retry)
    return BlobServiceClient(_uri(connection, "blob"), credential=DefaultAzureCredential(), retry_policy=retry)


def _connection_string(connection: str) -> str | None:
    """Give a connection's string; the SDKs for Python do not know the emulator's short form."""
    text = os.environ.get(connection)
    if text and text.strip().rstrip(";") == _EMULATOR:
        return connection_string(_EMULATOR_PORTS)
    return text or None


def _uri(connection: str, service: str) -> str:
    account = os.environ.get(f"{connection}__accountName")
    uri = os.environ.get(f"{connection}__{service}ServiceUri")
    if uri or account:
        return uri or f"https://{account}.{service}.core.windows.net"
    raise SettingMissing(f"no storage: set {connection}, {connection}__{service}ServiceUri or {connection}__accountName.")
