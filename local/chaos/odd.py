"""An odd partition: one that is published like the others and is something else."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Final

from azure.storage.blob import BlobServiceClient

_WAYS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "compressed": gzip.compress,
    "another encoding": lambda data: data.decode().encode("utf-16"),
    "other delimiters": lambda data: data.replace(b'","', b'";"'),
    "no addresses": lambda data: data.replace(b'"Email"', b'"E"', 1),
}


def spoil(service: BlobServiceClient, path: str, segment: str, odd: str) -> None:
    """Replace the newest partition of a segment by the same people written another way; model.json last, as it always is."""
    container, _, folder = path.partition("/")
    client = service.get_container_client(container)
    newest = max(client.list_blobs(name_starts_with=f"{folder}/{segment}/"), key=lambda blob: blob.last_modified)
    data = client.download_blob(newest.name).readall()
    client.upload_blob(newest.name, _WAYS[odd](data), overwrite=True)
    model = f"{folder}/model.json"
    client.upload_blob(model, client.download_blob(model).readall(), overwrite=True)
