"""How to reach Customer Insights' storage account: by a connection string, or by the app's identity."""

from __future__ import annotations

from typing import Final

from azure.storage.blob import BlobServiceClient

from shared.adapters.identity import credential
from shared.settings import StorageAccount
from shared.source.customer_insights import CustomerInsights, Reach

_SCOPE: Final = "https://storage.azure.com/.default"


def connect(account: StorageAccount, path: str) -> CustomerInsights:
    """Make the reader of the folder `path` in `account`."""
    if account.connection_string:
        service = BlobServiceClient.from_connection_string(account.connection_string)
        return CustomerInsights(service, path, _by_key(service))
    identity = credential(account.client_id)
    service = BlobServiceClient(str(account.blob_uri), credential=identity)

    def token() -> tuple[dict[str, str], int | None]:
        given = identity.get_token(_SCOPE)
        return {"bearer_token": given.token}, given.expires_on

    return CustomerInsights(service, path, Reach({"account_name": str(service.account_name)}, token))


def _by_key(service: BlobServiceClient) -> Reach:
    """Give Polars the key of the connection string, and the endpoint if it is not Azure's own."""
    options = {"account_name": str(service.account_name), "account_key": service.credential.account_key}
    endpoint = service.url.rstrip("/")
    if ".core." not in endpoint:
        options["azure_storage_endpoint"] = endpoint
        options["azure_allow_http"] = str(endpoint.startswith("http://")).lower()
    return Reach(options)
