"""How to reach Customer Insights' storage account: by a connection string, or by the app's identity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from azure.storage.blob import BlobServiceClient

from shared.azure.identity import credential
from shared.azure.settings import SettingsWrong, StorageAccount, read_account, required
from shared.sources.blob_export.customer_insights import CustomerInsights
from shared.sources.blob_export.partition import PIECE

_IN_ONE_REQUEST: Final[dict[str, Any]] = {
    "max_single_get_size": PIECE,
    "max_chunk_get_size": PIECE,
    "connection_data_block_size": 1 << 18,  # of 4 KB by default, which costs half of the reading
    "initial_backoff": 1,  # of 15 seconds by default: a run that waits can say so, and leaves its place to others
    "increment_base": 2,
    "random_jitter_range": 1,
    "connection_timeout": 5,
    "read_timeout": 30,  # between two pieces of an answer
    "permit_redirects": False,  # what another host says is no table of this account
}


def open_blob_export(environment: Mapping[str, str]) -> CustomerInsights:
    """Make the reader that the settings CustomerInsightsStorage and CUSTOMER_INSIGHTS_PATH name; raise SettingsWrong."""
    path = required(environment, "CUSTOMER_INSIGHTS_PATH").strip("/")
    if "/" not in path:
        raise SettingsWrong(
            "App setting CUSTOMER_INSIGHTS_PATH must be container/folder, the folder that holds model.json."
        )
    return connect(read_account(environment, "CustomerInsightsStorage"), path)


def connect(account: StorageAccount, path: str) -> CustomerInsights:
    """Make the reader of the folder `path` in `account`."""
    if account.connection_string:
        service = BlobServiceClient.from_connection_string(account.connection_string, **_IN_ONE_REQUEST)
    else:
        service = BlobServiceClient(str(account.blob_uri), credential=credential(account.client_id), **_IN_ONE_REQUEST)
    return CustomerInsights(service, path)
