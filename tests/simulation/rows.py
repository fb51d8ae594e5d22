"""Rows of tables and the records in them: each version of a row is read once, and each value of a field is written once.

Plays differ in their moments, and in little else: most fields of most records were written before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

import shared.azure.tables
from shared.azure.records import Record
from tests.simulation.azure import Entity, Written

MOST_RECORDS: Final = 20_000
"""Records, and values of fields, that are kept; then one begins again."""

_real_record: Any = shared.azure.tables._record
_real_entity: Any = shared.azure.tables._entity
_records: dict[Any, Any] = {}
_pieces: dict[Any, Mapping[str, Any]] = {}
_shapes: set[Any] = set()


def replaced() -> Iterator[tuple[Any, str, Any]]:
    """Yield what is to be replaced in which module by what."""
    yield shared.azure.tables, "_record", _record
    yield shared.azure.tables, "_entity", _entity


def _record(entity: Entity, kind: type[BaseModel]) -> Any:
    """Read a record of a table: it is frozen, so that who reads the same row may have the same one."""
    if kind not in entity.records:
        entity.records[kind] = _read_record(entity, kind)
    return entity.records[kind]


def _read_record(entity: Entity, kind: type[BaseModel]) -> Any:
    key = (kind, *entity.items())
    if key not in _records:
        if len(_records) >= MOST_RECORDS:
            _records.clear()
        _records[key] = _real_record(entity, kind)
    return _records[key]


def _entity(partition: str, key: str, record: Record) -> Written:
    """Write a record, each field once for each value; what is read of it is looked at once for each set of columns."""
    entity = Written(_real_entity(partition, key, _Part(record, frozenset())))
    for name, value in record.__dict__.items():
        if value is not None:
            entity.update(_piece(record, name, value))
    shape = (type(record), *entity)
    if shape in _shapes or _real_record(entity, type(record)) == record:
        _shapes.add(shape)
        entity.record = record
    return entity


def _piece(record: Record, name: str, value: Any) -> Mapping[str, Any]:
    """Return the columns of one field."""
    field = (type(record), name, value)
    try:
        found = _pieces.get(field)
    except TypeError:  # a value that is no key
        return _columns(record, name)
    if found is None:
        if len(_pieces) >= MOST_RECORDS:
            _pieces.clear()
        found = _pieces[field] = _columns(record, name)
    return found


def _columns(record: Record, name: str) -> Mapping[str, Any]:
    columns: dict[str, Any] = _real_entity("", "", _Part(record, frozenset({name})))
    return {column: value for column, value in columns.items() if column not in {"PartitionKey", "RowKey", "version"}}


@dataclass(frozen=True, slots=True)
class _Part:
    """Some fields of a record."""

    record: Record
    names: frozenset[str]

    @property
    def version(self) -> int:
        return self.record.version

    def model_dump(self, **how: Any) -> dict[str, Any]:
        return self.record.model_dump(include=set(self.names), **how) if self.names else {}
