"""Azure, as far as the app's adapters ask for it: the SDK's clients of blobs, queues, tables and secrets, in memory.

Kept are the rules that the app relies on: ETags, conditions, transactions of at most 100 changes in one partition that
happen whole or not at all, and what azure-core does by itself: it repeats a call that was answered 500, be it done or
not, and then meets its own work. The queues themselves belong to the host (`host`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, cast

from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.data.tables import TableTransactionError

from tests.simulation.stage import Fault, Stage


class Written(dict[str, Any]):
    """What is to be written of a row, with the record that one reads from it, if that is known."""

    record: Any = None


class Entity(dict[str, Any]):
    """One version of a row of a table, with its ETag and the records that were read from it."""

    def __init__(self, row: Mapping[str, Any], etag: str) -> None:
        super().__init__(row)
        self.metadata: Mapping[str, Any] = {"etag": etag}
        record = row.record if isinstance(row, Written) else None
        self.records: dict[Any, Any] = {type(record): record} if record else {}


@dataclass(frozen=True, slots=True)
class Blob:
    """One blob."""

    data: bytes
    etag: str
    modified: datetime


@dataclass
class Cloud:
    """What is stored, and which services do not answer until when."""

    stage: Stage
    blobs: dict[str, dict[str, Blob]] = field(default_factory=dict)
    tables: dict[str, dict[tuple[str, str], Entity]] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    down: dict[str, float] = field(default_factory=dict)
    written: list[Callable[[str, Sequence[Mapping[str, Any]]], None]] = field(default_factory=list)

    def call[T](self, service: str, label: str, effect: Callable[[], T], *, repeats: bool = False) -> T:
        """Make a call to a service, with what goes wrong with it. `repeats`: the SDK repeats what was answered 500."""
        fault = self.stage.turn(label)
        if self.down.get(service, 0) > self.stage.now:
            fault = self.stage.fails()
        if fault is Fault.FAIL:
            raise ServiceRequestError("no connection")
        result = effect()
        if fault is None:
            return result
        match fault:
            case Fault.REPEAT if repeats:
                return effect()
            case Fault.LOSE:
                raise ServiceResponseError("the connection was lost")
            case Fault.CRASH_AFTER:
                self.stage.die()
        return result

    def etag(self) -> str:
        """Make an ETag."""
        return f'"{self.stage.token():x}"'

    def moment(self) -> datetime:
        """Return the time, by the account's clock."""
        return datetime.fromtimestamp(self.stage.now, UTC)


class Blobs:
    """Plays BlobServiceClient."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def get_blob_client(self, container: str, name: str) -> _BlobClient:
        """Return the client of one blob."""
        return _BlobClient(self._cloud, str(container), name)

    def get_container_client(self, container: str) -> _ContainerClient:
        """Return the client of one container."""
        return _ContainerClient(self._cloud, str(container))

    def create_container(self, container: str) -> None:
        """Make a container: all are there."""


class _BlobClient:
    def __init__(self, cloud: Cloud, container: str, name: str) -> None:
        self._cloud = cloud
        self._kept = cloud.blobs.setdefault(container, {})
        self._name = name
        self._path = f"{container}/{name}"

    def upload_blob(self, data: bytes, *, overwrite: bool, etag: str | None = None, **_: object) -> Mapping[str, Any]:
        """Write the blob."""

        def write() -> Mapping[str, Any]:
            found = self._kept.get(self._name)
            if found and not overwrite:
                raise ResourceExistsError("exists")
            if etag is not None and (found is None or found.etag != etag):
                raise ResourceModifiedError("changed")
            self._kept[self._name] = Blob(bytes(data), self._cloud.etag(), self._cloud.moment())
            return {"etag": self._kept[self._name].etag}

        return self._cloud.call("blobs", f"PUT blob {self._path}", write, repeats=True)

    def download_blob(self, **_: object) -> Any:
        """Read the blob."""

        def read() -> Any:
            found = self._found()
            properties = SimpleNamespace(etag=found.etag, last_modified=found.modified, size=len(found.data))
            return SimpleNamespace(readall=lambda: found.data, properties=properties)

        return self._cloud.call("blobs", f"GET blob {self._path}", read)

    def get_blob_properties(self, **_: object) -> Any:
        """Look at the blob."""

        def look() -> Any:
            found = self._found()
            return SimpleNamespace(etag=found.etag, last_modified=found.modified, size=len(found.data))

        return self._cloud.call("blobs", f"HEAD blob {self._path}", look)

    def delete_blob(self, *, etag: str | None = None, **_: object) -> None:
        """Delete the blob."""

        def delete() -> None:
            found = self._found()
            if etag is not None and found.etag != etag:
                raise ResourceModifiedError("changed")
            del self._kept[self._name]

        self._cloud.call("blobs", f"DELETE blob {self._path}", delete, repeats=True)

    def _found(self) -> Blob:
        found = self._kept.get(self._name)
        if found is None:
            raise ResourceNotFoundError("no such blob")
        return found


class _ContainerClient:
    def __init__(self, cloud: Cloud, container: str) -> None:
        self._cloud = cloud
        self._container = container

    def list_blob_names(self, *, name_starts_with: str | None = None, **_: object) -> Iterator[str]:
        """List names."""
        for blob in self.list_blobs(name_starts_with=name_starts_with):
            yield blob.name

    def list_blobs(self, *, name_starts_with: str | None = None, **_: object) -> Iterator[Any]:
        """List blobs with what is known of them."""

        def look() -> list[Any]:
            kept = self._cloud.blobs.get(self._container, {})
            return [
                SimpleNamespace(name=name, etag=blob.etag, last_modified=blob.modified, creation_time=blob.modified)
                for name, blob in sorted(kept.items())
                if name.startswith(name_starts_with or "")
            ]

        yield from self._cloud.call("blobs", f"LIST blobs {self._container}/{name_starts_with or ''}", look)

    def walk_blobs(self, *, delimiter: str, **_: object) -> Iterator[Any]:
        """List what stands at the top: blobs, and folders with the delimiter at their end."""

        def look() -> list[str]:
            kept = self._cloud.blobs.get(self._container, {})
            return sorted({name.partition(delimiter)[0] + delimiter * (delimiter in name) for name in kept})

        names = self._cloud.call("blobs", f"LIST folders {self._container}", look)
        yield from (SimpleNamespace(name=name) for name in names)


class Secrets:
    """Plays SecretClient."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def get_secret(self, name: str) -> Any:
        """Read a secret."""

        def read() -> Any:
            if name not in self._cloud.secrets:
                raise ResourceNotFoundError("no such secret")
            return SimpleNamespace(value=self._cloud.secrets[name])

        return self._cloud.call("vault", f"GET secret {name}", read)

    def set_secret(self, name: str, value: str) -> None:
        """Store a secret."""
        self._cloud.call("vault", f"PUT secret {name}", lambda: self._cloud.secrets.update({name: value}))


def refused(status: int, code: str) -> HttpResponseError:
    error: Any = TableTransactionError(message=f"0:{code}")
    error.status_code, error.error_code = status, code
    return cast("HttpResponseError", error)


@lru_cache(10_000)
def short(key: str) -> str:
    """Name a row so that a person can follow: without the ledger's number that orders runs."""
    return re.sub(r"^run-\d{13}-", "run ", key)
