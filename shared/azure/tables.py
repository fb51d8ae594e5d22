"""The adapter to Azure Table storage: records in a table, changed by compare-and-swap, several of them in one transaction."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice
from typing import Any, Final

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.data.tables import TableServiceClient, UpdateMode

from shared.azure.records import NewerVersion, Record, RecordDamaged, Unreadable, can_read
from shared.retry.policy import CONFLICT

_JSON: Final = "_json"
_TO_JSON: Final = json.JSONEncoder(ensure_ascii=False).encode
_PART: Final = "__"
_VERSION: Final = "version"
_LONGEST: Final = 16_000
"""Characters of one property. Azure takes 32,768 of UTF-16, of which an emoji needs two; a longer text goes on in
properties of its own."""

_LARGEST_PAGE: Final = 1000
"""Records that one answer of a query holds at most (Azure's limit)."""


_TOO_LATE: Final = {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED}
"""Answers to a change of a record that somebody else changed, made or deleted first."""

type _Operation = tuple[Any, ...]
"""A change as a transaction of the client takes it."""


class Lost(Exception):
    """Somebody else changed a record first: read again and decide again."""


@dataclass(frozen=True, slots=True)
class Change:
    """Write `record` under `key`: create it if `etag` is None, else replace the version that `etag` names."""

    key: str
    record: Record
    etag: str | None


class Table:
    """One table, made when it is first written to."""

    def __init__(self, service: TableServiceClient, name: str) -> None:
        self._service = service
        self._name = name
        self._client = service.get_table_client(name)

    def get[T: Record](self, partition: str, key: str, kind: type[T]) -> tuple[T, str] | None:
        """Return a record and its ETag, or None; raise Unreadable for one that this code cannot read."""
        try:
            entity = self._client.get_entity(partition, key)
        except ResourceNotFoundError:
            return None
        return self._record(entity, kind), str(entity.metadata["etag"])

    def between[T: Record](self, partition: str, start: str, end: str, kind: type[T]) -> Iterator[tuple[str, T]]:
        """Yield the records whose keys are from `start` to before `end`, with their keys, in ascending order.

        Raise Unreadable at one that this code cannot read: where the others do without it, ask for `rows`.
        """
        for key, found in self.rows(partition, start, end, kind):
            if isinstance(found, Unreadable):
                raise found
            yield key, found

    def rows[T: Record](
        self, partition: str, start: str, end: str, kind: type[T]
    ) -> Iterator[tuple[str, T | Unreadable]]:
        """Yield the same; one that this code cannot read is yielded as the error that says so."""
        query = "PartitionKey eq @partition and RowKey ge @start and RowKey lt @end"
        values = {"partition": partition, "start": start, "end": end}
        try:
            for entity in self._client.query_entities(query, parameters=values):
                yield entity["RowKey"], self._record_or_why(entity, kind)
        except ResourceNotFoundError:
            return

    def across[T: Record](
        self, start: str, end: str, kind: type[T], **equal: str
    ) -> Iterator[tuple[str, T | Unreadable]]:
        """Yield the records of all partitions whose keys are from `start` to before `end`, with their partitions.

        They come in the order of partitions and keys; `equal` is what their columns hold. One that this code cannot read is
        yielded as the error that says so. The service looks through the whole table, in as many answers as hold what was found.
        """
        query = "".join(["RowKey ge @start and RowKey lt @end", *(f" and {name} eq @{name}" for name in equal)])
        try:
            for entity in self._client.query_entities(query, parameters={"start": start, "end": end, **equal}):
                yield entity["PartitionKey"], self._record_or_why(entity, kind)
        except ResourceNotFoundError:
            return

    def keys(self, partition: str, start: str, end: str, *, most: int | None = None) -> list[str]:
        """Return the keys from `start` to before `end`, at most `most`, in ascending order; the records are not read."""
        query = "PartitionKey eq @partition and RowKey ge @start and RowKey lt @end"
        values = {"partition": partition, "start": start, "end": end}
        return self._keys(query, values, "RowKey", most)

    def partitions(self) -> Iterator[str]:
        """Yield the table's partitions in ascending order, a query each: what stands in them is not read."""
        last = ""
        while found := self._keys("PartitionKey gt @last", {"last": last}, "PartitionKey", 1):
            last = found[0]
            yield last

    def _keys(self, query: str, values: dict[str, Any], column: str, most: int | None) -> list[str]:
        page = None if most is None else min(most, _LARGEST_PAGE)
        found = self._client.query_entities(query, parameters=values, select=[column], results_per_page=page)
        try:
            return [entity[column] for entity in islice(found, most)]
        except ResourceNotFoundError:
            return []

    def write(self, partition: str, changes: Sequence[Change]) -> None:
        """Make all changes or none; raise Lost if one of them comes too late."""
        self._submit(partition, [_operation(partition, change) for change in changes])

    def try_write(self, partition: str, changes: Sequence[Change]) -> bool:
        """Make all changes or none; return False if one of them comes too late: then read again and decide again."""
        try:
            self.write(partition, changes)
        except Lost:
            return False
        return True

    def put(self, partition: str, key: str, record: Record) -> None:
        """Write a record in the place of whatever is under its key, damaged or not; raise NewerVersion."""
        while True:
            try:
                found = self.get(partition, key, type(record))
                etag = found[1] if found else None
            except RecordDamaged as damaged:
                etag = damaged.etag
            if self.try_write(partition, [Change(key, record, etag)]):
                return

    def _submit(self, partition: str, operations: Sequence[_Operation]) -> None:
        try:
            self._send(operations)
        except HttpResponseError as error:
            if error.status_code == HTTPStatus.NOT_FOUND and _lacks_table(error, operations):
                self._service.create_table_if_not_exists(self._name)
                self._submit(partition, operations)
            elif error.status_code in _TOO_LATE:
                raise _lost() from error
            else:
                raise

    def _send(self, operations: Sequence[_Operation]) -> None:
        """Make one change by a call of its own, several in a transaction, which costs the client more than twice as much."""
        match operations:
            case [("create", entity)]:
                self._client.create_entity(entity, response_preference="return-no-content")
            case [("update", entity, condition)]:
                self._client.update_entity(entity, **condition)
            case _:
                self._client.submit_transaction(operations)

    def delete(self, partition: str, keys: Sequence[str]) -> None:
        """Delete the records under `keys`, those that are there."""
        for key in keys:
            with contextlib.suppress(ResourceNotFoundError):
                self._client.delete_entity(partition, key)

    def delete_version(self, partition: str, key: str, etag: str) -> None:
        """Delete one version of a record; raise Lost if it is another by now, or gone."""
        condition = {"etag": etag, "match_condition": MatchConditions.IfNotModified}
        self._submit(partition, [("delete", {"PartitionKey": partition, "RowKey": key}, condition)])

    def _record[T: Record](self, entity: Mapping[str, Any], kind: type[T]) -> T:
        """Read an entity back as the record it was. Its key may be a person's digest, and is not named."""
        title = f"A record ({kind.__name__}) of {entity['PartitionKey']!r} in table {self._name}"
        if not can_read(entity.get(_VERSION), kind.version):
            raise NewerVersion(title)
        try:
            return _record(entity, kind)
        except (ValueError, TypeError, KeyError, RecursionError):
            raise RecordDamaged(title, str(getattr(entity, "metadata", {}).get("etag", ""))) from None

    def _record_or_why[T: Record](self, entity: Mapping[str, Any], kind: type[T]) -> T | Unreadable:
        try:
            return self._record(entity, kind)
        except Unreadable as why:
            return why


def _lacks_table(error: HttpResponseError, operations: Sequence[_Operation]) -> bool:
    """Return whether something was not found since there is no table: a call that only creates misses nothing else."""
    return [operation[0] for operation in operations] == ["create"] or getattr(
        error, "error_code", ""
    ) == "TableNotFound"


def _lost() -> Lost:
    """Step back for a moment, so that those who race do not race in step."""
    time.sleep(CONFLICT.pause())
    return Lost()


def _operation(partition: str, change: Change) -> _Operation:
    entity = _entity(partition, change.key, change.record)
    if change.etag is None:
        return ("create", entity)
    condition = {"mode": UpdateMode.REPLACE, "etag": change.etag, "match_condition": MatchConditions.IfNotModified}
    return ("update", entity, condition)


def _entity(partition: str, key: str, record: Record) -> dict[str, Any]:
    """Write a record as an entity: plain values as they are, the others as JSON under a name that says so."""
    entity: dict[str, Any] = {"PartitionKey": partition, "RowKey": key, _VERSION: record.version}
    for name, value in record.model_dump(mode="json", exclude_none=True).items():
        if isinstance(value, dict | list):
            name, value = name + _JSON, _TO_JSON(value)
        if isinstance(value, str) and len(value) > _LONGEST:
            entity.update(_cut(name, value))
        else:
            entity[name] = value
    return entity


def _cut(name: str, text: str) -> Iterator[tuple[str, str]]:
    """Cut a text into properties: `name`, `name__2`, `name__3` and so on."""
    for number, start in enumerate(range(0, len(text), _LONGEST), start=1):
        yield (name if number == 1 else f"{name}{_PART}{number}"), text[start : start + _LONGEST]


def _joined(entity: Mapping[str, Any]) -> dict[str, Any]:
    """Put texts together again that were cut."""
    whole = {name: value for name, value in entity.items() if _PART not in name}
    parts = [(*name.split(_PART), value) for name, value in entity.items() if _PART in name]
    for name, _, value in sorted(parts, key=lambda part: int(part[1])):
        whole[name] += value
    return whole


def _record[T: Record](entity: Mapping[str, Any], kind: type[T]) -> T:
    """Read an entity back as the record it was."""
    return kind.model_validate(
        {
            name.removesuffix(_JSON): json.loads(value) if name.endswith(_JSON) else value
            for name, value in _joined(entity).items()
            if name != _VERSION
        }
    )
