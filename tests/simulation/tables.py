"""Plays the client of Azure Tables: entities, queries and transactions as the service takes and refuses them."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

from azure.core.exceptions import (
    ResourceNotFoundError,
)

from tests.simulation.azure import Cloud, Entity, refused, short

MOST_CHANGES: Final = 100
"""Changes of one transaction."""


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

        return self._cloud.call("tables", f"GET {self._name} {partition} {short(key)}", read)

    def query_entities(self, query: str, *, parameters: Mapping[str, Any], **_: object) -> Iterator[Entity]:
        """Read the rows that fit, in the order of their keys."""

        def read() -> list[Entity]:
            conditions = [(name, compare, parameters[value]) for name, compare, value in _conditions(query)]
            return [self._rows[key] for key in sorted(self._fitting(conditions))]

        start = short(str(parameters.get("start", "")))
        yield from self._cloud.call("tables", f"QUERY {self._name} {parameters.get('partition', '')} {start}", read)

    def _fitting(self, conditions: Sequence[tuple[str, Callable[[Any, Any], bool], Any]]) -> Iterator[tuple[str, str]]:
        for key, row in self._rows.items():
            for name, compare, value in conditions:
                if name not in row or not compare(row[name], value):
                    break
            else:
                yield key

    def submit_transaction(self, operations: Iterable[Sequence[Any]], **_: object) -> list[Mapping[str, Any]]:
        """Make all changes, or none."""
        changes = list(operations)
        if len(changes) > MOST_CHANGES:
            raise refused(400, "InvalidInput")
        keys = [(str(change[1]["PartitionKey"]), str(change[1]["RowKey"])) for change in changes]
        if len(set(keys)) < len(keys) or len({partition for partition, _ in keys}) != 1:
            raise refused(400, "InvalidDuplicateRow")
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
                watch(self._name, [change[1] for change in changes])
            return []

        named = " + ".join(f"{change[0]} {short(key)}" for (_, key), change in zip(keys, changes, strict=True))
        return self._cloud.call("tables", f"WRITE {self._name} {partition} {named}", write, repeats=True)

    def create_entity(self, entity: Mapping[str, Any], **_: object) -> None:
        """Make one change."""
        self.submit_transaction([("create", entity)])

    def update_entity(self, entity: Mapping[str, Any], **condition: object) -> None:
        """Make one change."""
        self.submit_transaction([("update", entity, condition)])

    def _check(self, key: tuple[str, str], change: Sequence[Any]) -> None:
        kind, condition = change[0], change[2] if len(change) > 2 else {}
        found = self._rows.get(key)
        if kind == "create" and found:
            raise refused(409, "EntityAlreadyExists")
        if kind in {"update", "delete"}:
            if found is None:
                raise refused(404, "ResourceNotFound")
            if "etag" in condition and condition["etag"] != found.metadata["etag"]:
                raise refused(412, "UpdateConditionNotSatisfied")

    def delete_entity(self, partition: str, key: str, **_: object) -> None:
        """Delete a row; one that is not there is no fault (as in azure-data-tables)."""
        self._cloud.call(
            "tables", f"DELETE {self._name} {partition} {short(key)}", lambda: self._rows.pop((partition, key), None)
        )


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
