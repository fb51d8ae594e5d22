"""A stored world as one file: every blob, every record, the vault's secrets and the sandbox's account."""

from __future__ import annotations

import contextlib
import json
import zipfile
from pathlib import Path
from typing import Any, Final

import requests
from azure.core.exceptions import ResourceExistsError
from azure.data.tables import EdmType, EntityProperty, TableServiceClient, UpdateMode
from azure.storage.blob import BlobServiceClient

from local.stack import Stack

SECRETS: Final = "vault.json"
ACCOUNT: Final = "autopilot.json"
_INT64: Final = "int64:"


def save(stack: Stack, file: Path, secrets: list[str]) -> None:
    """Write all that a stack's app has stored into a zip file; `secrets` names what to take from the vault."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        with BlobServiceClient.from_connection_string(stack.storage) as blobs:
            for container in blobs.list_containers():
                client = blobs.get_container_client(container.name)
                for name in client.list_blob_names():
                    archive.writestr(f"blobs/{container.name}/{name}", client.download_blob(name).readall())
        with TableServiceClient.from_connection_string(stack.storage) as tables:
            for table in tables.list_tables():
                entities = [_plain(entity) for entity in tables.get_table_client(table.name).list_entities()]
                archive.writestr(f"tables/{table.name}.jsonl", "".join(f"{json.dumps(item)}\n" for item in entities))
        archive.writestr(SECRETS, json.dumps({name: stack.secret(name) for name in secrets}))
        archive.writestr(ACCOUNT, requests.get(f"{stack.sandbox_url}/sandbox/account", timeout=60).content)


def load(stack: Stack, file: Path) -> None:
    """Put a stored world into a fresh stack whose app has not been asked for anything yet."""
    with zipfile.ZipFile(file) as archive:
        for name, value in json.loads(archive.read(SECRETS)).items():
            stack.store_secret(name, value)
        url = f"{stack.sandbox_url}/sandbox/account"
        requests.put(url, data=archive.read(ACCOUNT), timeout=60).raise_for_status()
        with (
            BlobServiceClient.from_connection_string(stack.storage) as blobs,
            TableServiceClient.from_connection_string(stack.storage) as tables,
        ):
            for member in archive.namelist():
                kind, _, rest = member.partition("/")
                if kind == "blobs":
                    container, _, name = rest.partition("/")
                    _put_blob(blobs, container, name, archive.read(member))
                elif kind == "tables":
                    table = tables.create_table_if_not_exists(rest.removesuffix(".jsonl"))
                    for line in archive.read(member).decode().splitlines():
                        table.upsert_entity(_entity(json.loads(line)), UpdateMode.REPLACE)


def _put_blob(blobs: BlobServiceClient, container: str, name: str, data: bytes) -> None:
    client = blobs.get_container_client(container)
    with contextlib.suppress(ResourceExistsError):
        client.create_container()
    client.upload_blob(name, data, overwrite=True)


def _plain(entity: Any) -> dict[str, Any]:
    """Return a record as JSON values; a 64-bit number keeps its type."""
    return {
        name: f"{_INT64}{value.value}" if isinstance(value, EntityProperty) else value for name, value in entity.items()
    }


def _entity(record: dict[str, Any]) -> dict[str, Any]:
    return {
        name: EntityProperty(int(value.removeprefix(_INT64)), EdmType.INT64)
        if isinstance(value, str) and value.startswith(_INT64)
        else value
        for name, value in record.items()
    }
