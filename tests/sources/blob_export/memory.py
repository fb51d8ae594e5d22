"""A source in memory, read by the real reader: for so many tables that storage would only take time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobProperties, BlobServiceClient

from shared.sources.blob_export.customer_insights import CustomerInsights


@dataclass(frozen=True)
class Blob:
    """What the reader asks of a blob."""

    data: bytes
    encoding: str | None = None
    modified: datetime = datetime(2026, 11, 29, 12, tzinfo=UTC)
    """When it was written; so its version, too."""

    def get_blob_properties(self) -> SimpleNamespace:
        encoded = SimpleNamespace(content_encoding=self.encoding)
        etag = f'"{self.modified:%H%M%S}"'
        return SimpleNamespace(size=len(self.data), etag=etag, last_modified=self.modified, content_settings=encoded)

    def download_blob(self, offset: int = 0, length: int | None = None, *, decompress: bool) -> _Download:
        assert not decompress
        return _Download(self.data[offset:][:length], self.get_blob_properties())


@dataclass(frozen=True)
class _Download:
    data: bytes
    properties: SimpleNamespace

    def readall(self) -> bytes:
        return self.data


@dataclass(frozen=True)
class _Container:
    blobs: Mapping[str, Blob]

    def walk_blobs(self, name_starts_with: str | None, delimiter: str) -> Iterator[BlobProperties]:
        """List the blobs of a folder; as Azure does, with ETags that have no quotes."""
        start = name_starts_with or ""
        for path, blob in self.blobs.items():
            if path.startswith(start) and delimiter not in path.removeprefix(start):
                found = blob.get_blob_properties()
                listed = BlobProperties(name=path)
                listed.etag, listed.last_modified = found.etag.strip('"'), found.last_modified
                yield listed


class _Missing:
    def __getattr__(self, name: str) -> Any:
        raise ResourceNotFoundError(name)


def source_of(blobs: Mapping[str, Blob]) -> CustomerInsights:
    """Return a reader of blobs by their paths, in container `ci` and folder `Export`."""

    def client(container: str, path: str, **_: object) -> Blob | _Missing:
        assert container == "ci"
        return blobs.get(path) or _Missing()

    def container(name: str) -> _Container:
        assert name == "ci"
        return _Container(blobs)

    service = SimpleNamespace(get_blob_client=client, get_container_client=container)
    return CustomerInsights(cast("BlobServiceClient", service), "ci/Export")
