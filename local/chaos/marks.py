"""Search for marks: whether personal data or a key lies anywhere where it must not be."""

from __future__ import annotations

import base64
import contextlib
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import polars as pl
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

PARQUET: Final = b"PAR1"
MOST_MESSAGES: Final = 32


class Search:
    """Looks for marks (plain texts) in everything that an app wrote; returns where each was found, never what."""

    def __init__(self, marks: Iterable[str]) -> None:
        self._marks: Sequence[bytes] = [mark.lower().encode() for mark in marks]

    def found_in(self, where: str, data: bytes) -> Iterator[str]:
        """Look into one piece of data, and into what it is the encoding of."""
        if any(mark in text for text in _readings(data) for mark in self._marks):
            yield where

    def files(self, files: Iterable[Path]) -> Iterator[str]:
        """Look into files."""
        for file in files:
            yield from self.found_in(f"file {file.name}", file.read_bytes())

    def storage(self, connection: str, *, but: Sequence[str] = ()) -> Iterator[str]:
        """Look into every blob, message and table of an account, but for the containers named in `but`."""
        yield from self._blobs(connection, but)
        yield from self._messages(connection)
        yield from self._tables(connection)

    def _blobs(self, connection: str, but: Sequence[str]) -> Iterator[str]:
        with BlobServiceClient.from_connection_string(connection) as service:
            for container in service.list_containers():
                if container.name in but:
                    continue
                client = service.get_container_client(container.name)
                for blob in client.list_blobs(include=["metadata"]):
                    where = f"blob {container.name}/{blob.name}"
                    yield from self.found_in(where, f"{blob.name} {blob.metadata}".encode())
                    with contextlib.suppress(ResourceNotFoundError):  # a run that is going clears up behind itself
                        yield from self.found_in(where, client.download_blob(blob.name).readall())

    def _messages(self, connection: str) -> Iterator[str]:
        with QueueServiceClient.from_connection_string(connection) as service:
            for queue in service.list_queues():
                client = service.get_queue_client(queue.name)
                for message in client.peek_messages(max_messages=MOST_MESSAGES):
                    yield from self.found_in(f"queue {queue.name}", str(message.content).encode())

    def _tables(self, connection: str) -> Iterator[str]:
        with TableServiceClient.from_connection_string(connection) as service:
            for table in service.list_tables():
                for entity in service.get_table_client(table.name).list_entities():
                    yield from self.found_in(f"table {table.name}", repr(dict(entity)).encode())


def _readings(data: bytes) -> Iterator[bytes]:
    """Yield data as it is and as it may be meant: base64, Parquet."""
    yield data.lower()
    if data[:4] == PARQUET:
        table = pl.read_parquet(io.BytesIO(data))
        yield repr(pl.read_parquet_metadata(io.BytesIO(data))).lower().encode()
        yield table.cast(pl.String, strict=False).write_csv().lower().encode()
    elif len(data) % 4 == 0 and len(data) < 100_000:
        try:
            yield base64.b64decode(data, validate=True).lower()
        except ValueError:
            return
