"""Keys: what equals another exactly if what it was made of does, so that what was computed of that can be remembered by it."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Mapping, Set
from types import GeneratorType
from typing import Any, Final

import polars as pl
from pydantic import BaseModel

from shared.planning.spool import Spool

_contents: dict[Any, tuple[str, int]] = {}
_numbers = itertools.count()
_numbered: dict[int, tuple[pl.DataFrame, tuple[str, int]]] = {}
"""Tables that are kept, by id, each with the number of what is in it: so it is looked at once, not each time it is a key."""


def kept(table: pl.DataFrame) -> pl.DataFrame:
    """Keep a table that thousands of plays look at."""
    keep_tables(table)
    return table


def number_of(table: pl.DataFrame) -> tuple[str, int] | None:
    """Return the number of what is in a table that is kept; None for one that is not."""
    known = _numbered.get(id(table))
    return None if known is None else known[1]


def forget_tables() -> None:
    """Keep no table any more."""
    _numbered.clear()
    _contents.clear()


def keep_tables(value: Any) -> None:
    """Set numbers in place of the tables in what is kept."""
    if isinstance(value, pl.DataFrame):
        _numbered[id(value)] = (value, key_of_table(value))
    elif isinstance(value, list | tuple):
        for item in value:
            keep_tables(item)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            keep_tables(getattr(value, field.name))


def key_of_table(value: pl.DataFrame) -> tuple[str, int]:
    """Return the number of what is in a table, by which it is a key."""
    known = _numbered.get(id(value))
    if known is not None:
        return known[1]
    content = (tuple(value.columns), tuple(value.rows()), tuple(value.dtypes))
    return _contents.setdefault(content, ("table", next(_numbers)))


_KEYS: Final = frozenset({str, bytes, int, float, bool, type(None)})
"""Kinds of values that are keys as they are."""


def frozen(value: Any) -> Any:
    """Make of a value what equals that of an equal value, and can be a key."""
    kind = type(value)
    if kind in _KEYS:
        return value
    freeze = _freezers.get(kind)
    if freeze is None:
        freeze = _freezers[kind] = _freezer(value)
    return freeze(value)


_freezers: dict[type, Callable[[Any], Any]] = {}


def _freezer(value: Any) -> Callable[[Any], Any]:  # noqa: C901 - one line a kind
    """Return how a value of this kind becomes a key."""
    match value:
        case str() | bytes() | int() | float() | None:
            return lambda value: value
        case pl.DataFrame():
            return key_of_table
        case pl.Expr():
            return lambda value: value.meta.serialize()
        case pl.Series():
            return lambda value: (value.name, value.dtype, tuple(value))
        case Spool():
            return lambda value: "spool"
        case BaseModel():
            return lambda value: value.model_dump_json()
        case Mapping():
            return lambda value: tuple([(key, frozen(item)) for key, item in value.items()])
        case Set():
            return frozenset
        case Iterable():
            return lambda value: tuple(map(frozen, value))
    if dataclasses.is_dataclass(value):
        names = [item.name for item in dataclasses.fields(value)]
        return lambda value: tuple([frozen(getattr(value, name)) for name in names])
    return lambda value: value


_ONE_WAY: Final = (GeneratorType, map)


def listed(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Make lists of what can be gone through only once."""
    for item in arguments:
        if type(item) in _ONE_WAY:
            return tuple([list(item) if type(item) in _ONE_WAY else item for item in arguments])
    return arguments
