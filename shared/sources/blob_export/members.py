"""Members that a JSON object has twice: programs differ in which of the two counts, so what they say is unknown. No SDK."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.sources.blob_export.loosely import DEEPEST

_Pairs = Sequence[tuple[str, Any]]


@dataclass(frozen=True, slots=True)
class Repeated:
    """Members of the whole that are there twice, and by the number of each table (from 0) one that it has twice."""

    whole: frozenset[str] = frozenset()
    tables: Mapping[int, str] = field(default_factory=dict)


class _Object(dict[str, Any]):
    """An object, and the members that it has twice."""

    def __init__(self, pairs: _Pairs) -> None:
        super().__init__(pairs)
        self.repeated = [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]


def repeated_members(text: bytes) -> Repeated:
    """Return which members a model, which is JSON, has twice in one object."""
    found: list[bool] = []

    def look(pairs: _Pairs) -> None:
        if len(dict(pairs)) < len(pairs):
            found.append(True)

    content = text.decode(errors="replace")
    _load(content, look)
    model = _load(content, _Object) if found else None
    if not isinstance(model, _Object):
        return Repeated()
    entities = model.get("entities")
    places = enumerate(entities if isinstance(entities, list) else ())
    tables = {number: name for number, entity in places if (name := _first(entity)) is not None}
    return Repeated(frozenset(model.repeated), tables)


def _load(content: str, hook: Callable[[_Pairs], object]) -> object:
    """Load objects by `hook`; numbers are none of our business, and may be longer than Python takes them."""
    return json.loads(content, object_pairs_hook=hook, parse_int=str, parse_float=str)


def _first(value: object, levels: int = DEEPEST) -> str | None:
    """Return a member that an object has twice, or one within it that is read; None if there is none."""
    if isinstance(value, _Object) and value.repeated:
        return value.repeated[0]
    if levels == 0:
        return None
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((name for each in inner if (name := _first(each, levels - 1)) is not None), None)
