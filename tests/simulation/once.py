"""What the app computes without the outside, computed once for the same input: thousands of plays are of the same few people.

Real code computes it the first time, on the real tables; only the second time is spared. Polars needs milliseconds for what a
handful of people need, and a play would be some five hundred such tables.
"""

from __future__ import annotations

import atexit
import dataclasses
import itertools
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from types import GeneratorType
from typing import Any, Final

import polars as pl
from pydantic import BaseModel

import shared.cleaning.addresses
import shared.cleaning.clean
import shared.cleaning.text
import shared.exports.registry
import shared.http.transport
import shared.planning.difference
import shared.planning.plan
import shared.planning.spool
import shared.runs.files
import shared.runs.rejected
import shared.state.seal
import shared.state.state
import shared.verification.comparison
from shared.cleaning.clean import Cleaned, Recipe
from shared.cleaning.notation import Notations
from shared.planning.plan import Plan
from shared.planning.spool import Spool
from shared.runs.run_id import moment_of
from shared.state.digests import DigestKey
from shared.state.state import State

PURE: Final = (
    (shared.cleaning.addresses, "normalised"),
    (shared.cleaning.clean, "clean"),
    (shared.cleaning.text, "in_one_spelling"),
    (shared.cleaning.text, "with_placeholders"),
    (shared.planning.difference, "combine"),
    (shared.state.state, "merge"),
    (shared.state.state, "identify"),
    (shared.state.state, "tabulate"),
    (shared.state.state, "remap_bits"),
    (shared.state.state, "without"),
    (shared.verification.comparison, "observe"),
    (shared.verification.comparison, "expect"),
    (shared.verification.comparison, "correct"),
    (shared.runs.files, "write_table"),
    (shared.runs.files, "read_table"),
    (shared.runs.files, "read_metadata"),
    (shared.runs.rejected, "write_rejected"),
    (shared.planning.spool, "unpack"),
    (shared.exports.registry, "_parsed"),
    (shared.state.seal, "is_broken"),
)
"""Functions whose result depends on nothing but what they are given."""

DIGESTS: Final = ("of_people", "of_contents", "of_customers", "of_api_key", "fingerprint")
"""Methods of the digest key, likewise."""

TABLE_METHODS: Final = ("select", "filter", "with_columns", "unique", "join")
"""Methods of tables whose result depends on nothing but the table and what they are given."""

MOST_KNOWN: Final = 200_000
"""Results that are kept; then one begins again."""

_known: dict[Any, Any] = {}


def replaced() -> Iterator[tuple[Any, str, Any]]:
    """Yield what is to be replaced in which module: wherever the name was imported to."""
    for home, name in PURE:
        yield from _everywhere(getattr(home, name), name, _once(getattr(home, name), name))
    yield from _everywhere(moment_of, "moment_of", lru_cache(10_000)(moment_of))
    yield from _everywhere(shared.runs.files._parse, "_parse", _parse)
    for question in ("has_unnamed", "is_in_doubt"):
        yield State, question, property(_once_of_people(getattr(State, question).fget, question))
    yield pl, "concat", _once(pl.concat, "concat")
    for method in DIGESTS:
        yield DigestKey, method, _once(getattr(DigestKey, method), method)
    for method in TABLE_METHODS:
        yield pl.DataFrame, method, _once_a_table(getattr(pl.DataFrame, method), method)
    yield from _everywhere(shared.planning.plan.plan, "plan", _plan)
    yield from _everywhere(shared.planning.plan.chunks, "chunks", _chunks)
    yield from _everywhere(_real_clean_batch, "clean_batch", _clean_batch)
    yield shared.http.transport.Requests, "_settle", _settle


_real_clean_batch = shared.cleaning.clean.clean_batch


def _clean_batch(batch: pl.DataFrame, recipe: Recipe, notations: Notations) -> Cleaned:
    """Clean a batch, and learn from it how its columns are written."""
    known = (notations.told, _frozen(notations.declared), _frozen(notations._marks), frozenset(notations._used))

    def compute() -> Any:
        cleaned = _real_clean_batch(batch, recipe, notations)
        return cleaned, dict(notations._marks), set(notations._used)

    cleaned: Cleaned
    cleaned, marks, used = _remember(("clean_batch", _frame(batch), _frozen(recipe), known), compute)
    notations._marks.update(marks)
    notations._used.update(used)
    return cleaned


_real_parse = shared.runs.files._parse


def _parse(name: str, data: bytes, schema: Mapping[str, pl.DataType]) -> Any:
    """Read a stored table; its name is only for what is said of a damaged one."""
    return _remember(("parse", data, tuple(schema.items())), lambda: _real_parse(name, data, schema))


def _once_of_people(real: Callable[[State], bool], name: str) -> Callable[[State], bool]:
    return lambda state: bool(_remember((name, _frame(state.people)), lambda: real(state)))


_real_settle: Any = shared.http.transport.Requests._settle


def _settle(requests: Any, key: str) -> Any:
    """Settle what all requests have in common; the pool alone, which is the stage's adapter, is the play's own."""
    url, http = requests._url, requests._http
    settled = _remember(("settle", url, requests._key_header, key), lambda: _real_settle(requests, key))
    return dataclasses.replace(settled, pool=http.get_adapter(url))


def _everywhere(real: Any, name: str, instead: Any) -> Iterator[tuple[Any, str, Any]]:
    for module_name, module in list(sys.modules.items()):
        if (
            module_name.startswith(("shared.", "export_trigger.", "export_worker."))
            and getattr(module, name, None) is real
        ):
            yield module, name, instead


def _once(real: Callable[..., Any], name: str) -> Callable[..., Any]:
    def remembered(*arguments: Any, **named: Any) -> Any:
        arguments = _listed(arguments)
        return _remember((name, _frozen(arguments), _frozen(named)), lambda: real(*arguments, **named))

    return remembered


def _once_a_table(real: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Have a method of a table that is kept be computed once; one of a passing table is not looked up."""

    def remembered(table: pl.DataFrame, *arguments: Any, **named: Any) -> Any:
        known = _numbered.get(id(table))
        if known is None:
            return real(table, *arguments, **named)
        arguments = _listed(arguments)
        key = (name, known[1], _frozen(arguments), _frozen(named))
        return _remember(key, lambda: real(table, *arguments, **named))

    return remembered


def _listed(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Make lists of what can be gone through only once."""
    if any(isinstance(item, GeneratorType | map) for item in arguments):
        return tuple([list(item) if isinstance(item, GeneratorType | map) else item for item in arguments])
    return arguments


def _remember(key: Any, compute: Callable[[], Any]) -> Any:
    if key not in _known:
        if len(_known) >= MOST_KNOWN:
            for kept in (_known, _numbered, _contents):
                kept.clear()
        _known[key] = compute()
        _number_frames(_known[key])
    return _known[key]


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

    def compute() -> Plan:
        spool = Spool()  # a plan that is kept keeps its contacts
        atexit.register(spool.close)
        made: Plan = _real_plan(read, recipe, *[spool if isinstance(item, Spool) else item for item in rest])
        return made

    found: Plan = _remember(("plan", _frozen(read), _frozen(recipe), _frozen(rest)), compute)
    return found


def _chunks(plan: Plan) -> Iterator[bytes]:
    _, chunks = _remember(
        ("chunks", id(plan)), lambda: (plan, list(_real_chunks(plan)))
    )  # a plan that is kept keeps its id
    yield from chunks


_contents: dict[Any, tuple[str, int]] = {}
_numbers = itertools.count()
_numbered: dict[int, tuple[pl.DataFrame, tuple[str, int]]] = {}
"""Tables that are kept, by id, each with the number of what is in it: so it is looked at once, not each time it is a key."""


def kept(table: pl.DataFrame) -> pl.DataFrame:
    """Keep a table that thousands of plays look at."""
    _number_frames(table)
    return table


def _number_frames(value: Any) -> None:
    """Set numbers in place of the tables in what is kept."""
    if isinstance(value, pl.DataFrame):
        _numbered[id(value)] = (value, _frame(value))
    elif isinstance(value, list | tuple):
        for item in value:
            _number_frames(item)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            _number_frames(getattr(value, field.name))


def _frame(value: pl.DataFrame) -> tuple[str, int]:
    known = _numbered.get(id(value))
    if known is not None:
        return known[1]
    content = (tuple(value.columns), tuple(value.rows()), tuple(value.dtypes))
    return _contents.setdefault(content, ("table", next(_numbers)))


def _frozen(value: Any) -> Any:
    """Make of a value what equals that of an equal value, and can be a key."""
    kind = type(value)
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
            return _frame
        case pl.Expr():
            return lambda value: value.meta.serialize()
        case pl.Series():
            return lambda value: (value.name, value.dtype, tuple(value))
        case Spool():
            return lambda value: "spool"
        case BaseModel():
            return lambda value: value.model_dump_json()
        case Mapping():
            return lambda value: tuple((key, _frozen(item)) for key, item in value.items())
        case Set():
            return frozenset
        case Iterable():
            return lambda value: tuple(map(_frozen, value))
    if dataclasses.is_dataclass(value):
        names = [item.name for item in dataclasses.fields(value)]
        return lambda value: tuple(_frozen(getattr(value, name)) for name in names)
    return lambda value: value
