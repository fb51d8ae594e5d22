"""What the app computes without the outside, computed once for the same input: thousands of plays are of the same few people.

Real code computes it the first time, on the real tables; only the second time is spared. Polars needs milliseconds for what a
handful of people need, and a play would be some five hundred such tables.
"""

from __future__ import annotations

import atexit
import dataclasses
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Final

import polars as pl
from pydantic import BaseModel

import shared.cleaning.clean
import shared.planning.difference
import shared.planning.plan
import shared.runs.files
import shared.runs.rejected
import shared.state.state
import shared.verification.comparison
from shared.planning.plan import Plan
from shared.planning.spool import Spool

PURE: Final = (
    (shared.cleaning.clean, "clean"),
    (shared.planning.difference, "together"),
    (shared.state.state, "merge"),
    (shared.state.state, "identify"),
    (shared.state.state, "tabulate"),
    (shared.state.state, "rewire"),
    (shared.state.state, "without"),
    (shared.verification.comparison, "observe"),
    (shared.verification.comparison, "expect"),
    (shared.verification.comparison, "correct"),
    (shared.runs.files, "write_table"),
    (shared.runs.files, "read_table"),
    (shared.runs.rejected, "write_rejected"),
)
"""Functions whose result depends on nothing but what they are given."""

_known: dict[Any, Any] = {}


def replaced() -> Iterator[tuple[Any, str, Any]]:
    """Give what is to be replaced in which module: wherever the name was imported to."""
    for home, name in PURE:
        yield from _everywhere(getattr(home, name), name, _once(getattr(home, name), name))
    yield pl, "concat", _once(pl.concat, "concat")
    yield from _everywhere(shared.planning.plan.plan, "plan", _plan)
    yield from _everywhere(shared.planning.plan.chunks, "chunks", _chunks)


def _everywhere(real: Any, name: str, instead: Any) -> Iterator[tuple[Any, str, Any]]:
    for module_name, module in list(sys.modules.items()):
        if (
            module_name.startswith(("shared.", "export_trigger.", "export_worker."))
            and getattr(module, name, None) is real
        ):
            yield module, name, instead


def _once(real: Callable[..., Any], name: str) -> Callable[..., Any]:
    def remembered(*arguments: Any, **named: Any) -> Any:
        arguments = tuple(list(item) if isinstance(item, Iterator | map) else item for item in arguments)
        key = (name, _frozen(arguments), _frozen(named))
        if key not in _known:
            _known[key] = real(*arguments, **named)
        return _known[key]

    return remembered


@dataclass(frozen=True, slots=True)
class _Read:
    """A segment that was read."""

    name: str
    columns: Sequence[str]
    declared: Any
    batches: Sequence[pl.DataFrame]

    def read(self, _: Sequence[str]) -> Iterator[pl.DataFrame]:
        yield from self.batches


_real_plan: Any = shared.planning.plan.plan
_real_chunks = shared.planning.plan.chunks


def _plan(segments: Sequence[Any], recipe: Any, *rest: Any) -> Plan:
    """Read the segments, then plan: what is read each time is only the source."""
    read = [_Read(each.name, tuple(each.columns), each.declared, tuple(each.read(recipe.columns))) for each in segments]
    key = ("plan", _frozen(read), _frozen(recipe), _frozen(rest))
    if key not in _known:
        spool = Spool()  # a plan that is kept keeps its contacts
        atexit.register(spool.close)
        _known[key] = _real_plan(read, recipe, *[spool if isinstance(item, Spool) else item for item in rest])
    found: Plan = _known[key]
    return found


def _chunks(plan: Plan) -> Iterator[bytes]:
    key = ("chunks", id(plan))  # plans are kept for ever, so that no other has its id
    if key not in _known:
        _known[key] = list(_real_chunks(plan))
    yield from _known[key]


def _frozen(value: Any) -> Any:
    """Make of a value what equals that of an equal value, and can be a key."""
    match value:
        case str() | bytes() | int() | float() | None:
            return value
        case pl.DataFrame():
            return (tuple(value.columns), tuple(value.rows()), tuple(value.dtypes))
        case pl.Series():
            return (value.name, value.dtype, tuple(value))
        case Spool():
            return "spool"
        case BaseModel():
            return value.model_dump_json()
        case Mapping():
            return tuple((key, _frozen(item)) for key, item in value.items())
        case Set():
            return frozenset(value)
        case Iterable():
            return tuple(map(_frozen, value))
    if dataclasses.is_dataclass(value):
        return tuple(_frozen(getattr(value, item.name)) for item in dataclasses.fields(value))
    return value
