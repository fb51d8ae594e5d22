"""Chunks as they lie in storage while their run waits."""

from __future__ import annotations

from azure.storage.blob import ContainerClient

from local.eventually import eventually


def last_chunk(chunks: ContainerClient, export: str, name: str = "000003") -> str:
    """Wait for the plan's last chunk, and return its blob."""

    def look() -> list[str]:
        names = chunks.list_blob_names(name_starts_with=f"{export}/") if chunks.exists() else ()
        return [blob for blob in names if blob.endswith(f"/{name}.ndjson")]

    return eventually(look, every=0.01)[0]
