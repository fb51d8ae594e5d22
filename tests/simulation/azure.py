"""Azure, as far as the app's adapters ask for it: the SDK's clients of blobs, queues, tables and secrets, in memory.

Kept are the rules that the app relies on: ETags, conditions, transactions of at most 100 changes in one partition that
happen whole or not at all, and what azure-core does by itself: it repeats a call that was answered 500, be it done or
not, and then meets its own work. The queues themselves belong to the host (`host`).
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, lru_cache
from types import SimpleNamespace
from typing import Any, Final, cast

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

MOST_CHANGES: Final = 100
"""Changes of one transaction."""

type Row = dict[str, Any]


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
    written: list[Callable[[str, Sequence[Row]], None]] = field(default_factory=list)

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


class Tables:
    """Plays TableServiceClient."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def get_table_client(self, name: str) -> _TableClient:
        """Return the client of one table."""
        return _TableClient(self._cloud, name)

    def create_table_if_not_exists(self, name: str) -> None:
        """Make a table: all are there."""


class _TableClient:
    def __init__(self, cloud: Cloud, name: str) -> None:
        self._cloud = cloud
        self._rows = cloud.tables.setdefault(name, {})
        self._name = name

    def get_entity(self, partition: str, key: str, **_: object) -> Entity:
        """Read one row."""

        def read() -> Entity:
            found = self._rows.get((partition, key))
            if found is None:
                raise ResourceNotFoundError("no such row")
            return found

        return self._cloud.call("tables", f"GET {self._name} {partition} {_short(key)}", read)

    def query_entities(self, query: str, *, parameters: Mapping[str, Any], **_: object) -> Iterator[Entity]:
        """Read the rows that fit, in the order of their keys."""

        def read() -> list[Entity]:
            conditions = [(name, compare, parameters[value]) for name, compare, value in _conditions(query)]
            return [self._rows[key] for key in sorted(self._fitting(conditions))]

        start = _short(str(parameters.get("start", "")))
        yield from self._cloud.call("tables", f"QUERY {self._name} {parameters.get('partition', '')} {start}", read)

    def _fitting(self, conditions: Sequence[tuple[str, Callable[[Any, Any], bool], Any]]) -> Iterator[tuple[str, str]]:
        for key, row in self._rows.items():
            if all(name in row and compare(row[name], value) for name, compare, value in conditions):
                yield key

    def submit_transaction(self, operations: Iterable[Sequence[Any]], **_: object) -> list[Mapping[str, Any]]:
        """Make all changes, or none."""
        changes = list(operations)
        if len(changes) > MOST_CHANGES:
            raise _refused(400, "InvalidInput")
        keys = [(str(change[1]["PartitionKey"]), str(change[1]["RowKey"])) for change in changes]
        if len(set(keys)) < len(keys) or len({partition for partition, _ in keys}) != 1:
            raise _refused(400, "InvalidDuplicateRow")
        partition = keys[0][0]

        def write() -> list[Mapping[str, Any]]:
            for key, change in zip(keys, changes, strict=True):
                self._check(key, change)
            for key, (kind, entity, *_) in zip(keys, changes, strict=True):
                if kind == "delete":
                    del self._rows[key]
                else:
                    self._rows[key] = Entity(entity, self._cloud.etag())
            for watch in self._cloud.written:
                watch(self._name, [dict(change[1]) for change in changes])
            return []

        named = " + ".join(f"{change[0]} {_short(key)}" for (_, key), change in zip(keys, changes, strict=True))
        return self._cloud.call("tables", f"WRITE {self._name} {partition} {named}", write, repeats=True)

    def _check(self, key: tuple[str, str], change: Sequence[Any]) -> None:
        kind, condition = change[0], change[2] if len(change) > 2 else {}
        found = self._rows.get(key)
        if kind == "create" and found:
            raise _refused(409, "EntityAlreadyExists")
        if kind in {"update", "delete"}:
            if found is None:
                raise _refused(404, "ResourceNotFound")
            if "etag" in condition and condition["etag"] != found.metadata["etag"]:
                raise _refused(412, "UpdateConditionNotSatisfied")

    def delete_entity(self, partition: str, key: str, **_: object) -> None:
        """Delete a row; one that is not there is no fault (as in azure-data-tables)."""
        self._cloud.call(
            "tables", f"DELETE {self._name} {partition} {_short(key)}", lambda: self._rows.pop((partition, key), None)
        )


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


_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "eq": operator.eq,
    "ge": operator.ge,
    "gt": operator.gt,
    "lt": operator.lt,
    "le": operator.le,
}


@cache
def _conditions(query: str) -> Sequence[tuple[str, Callable[[Any, Any], bool], str]]:
    """Return what a query asks of a row: a property, how it compares, and the name of the value it is compared with."""
    parts = [re.fullmatch(r"(\w+) (eq|ge|gt|lt|le) @(\w+)", part) for part in query.split(" and ")]
    if None in parts:
        raise NotImplementedError(query)
    return [(part[1], _COMPARE[part[2]], part[3]) for part in parts if part]


def _refused(status: int, code: str) -> HttpResponseError:
    error: Any = TableTransactionError(message=f"0:{code}")
    error.status_code, error.error_code = status, code
    return cast("HttpResponseError", error)


@lru_cache(10_000)
def _short(key: str) -> str:
    """Name a row so that a person can follow: without the ledger's number that orders runs."""
    return re.sub(r"^run-\d{13}-", "run ", key)
