"""A source in memory, read by the real reader: for so many tables that storage would only take time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobServiceClient

from shared.sources.blob_export.customer_insights import CustomerInsights


@dataclass(frozen=True)
class Blob:
    """What the reader asks of a blob."""

    data: bytes
    encoding: str | None = None

    def get_blob_properties(self) -> SimpleNamespace:
        encoded = SimpleNamespace(content_encoding=self.encoding)
        return SimpleNamespace(size=len(self.data), etag="e", content_settings=encoded)

    def download_blob(self, offset: int = 0, length: int | None = None, *, decompress: bool) -> _Download:
        assert not decompress
        return _Download(self.data[offset:][:length], self.get_blob_properties())


@dataclass(frozen=True)
class _Download:
    data: bytes
    properties: SimpleNamespace

    def readall(self) -> bytes:
        return self.data


class _Missing:
    def __getattr__(self, name: str) -> Any:
        raise ResourceNotFoundError(name)


def source_of(blobs: Mapping[str, Blob]) -> CustomerInsights:
    """Return a reader of blobs by their paths, in container `ci` and folder `Export`."""

    def client(container: str, path: str, **_: object) -> Blob | _Missing:
        assert container == "ci"
        return blobs.get(path) or _Missing()

    return CustomerInsights(cast("BlobServiceClient", SimpleNamespace(get_blob_client=client)), "ci/Export")
