"""Rows of tables and the records in them: each version of a row is read once, and what was written need not be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pydantic import BaseModel

import shared.azure.tables
from shared.azure.records import Record
from tests.simulation.azure import Entity, Written

MOST_RECORDS: Final = 20_000
"""Records that are kept; then one begins again."""

_real_record: Any = shared.azure.tables._record
_real_entity: Any = shared.azure.tables._entity
_records: dict[Any, Any] = {}
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
    """Write a record; what is read of it is looked at once for each set of columns."""
    entity = Written(_real_entity(partition, key, record))
    shape = (type(record), *entity)
    if shape in _shapes or _real_record(entity, type(record)) == record:
        _shapes.add(shape)
        entity.record = record
    return entity
