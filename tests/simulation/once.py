"""What the app computes without the outside, computed once for the same input: thousands of plays are of the same few people.

Real code computes it the first time, on the real tables; only the second time is spared. Polars needs milliseconds for what a
handful of people need, and a play would be some five hundred such tables.
"""

from __future__ import annotations

import atexit
import dataclasses
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import polars as pl

import shared.accounts.accounts
import shared.cleaning.addresses
import shared.cleaning.clean
import shared.cleaning.text
import shared.exports.registry
import shared.http.transport
import shared.planning.plan
import shared.planning.spool
import shared.runs.files
import shared.runs.ledger
import shared.runs.rejected
import shared.runs.run_id
import shared.state.seal
import shared.state.state
import shared.verification.comparison
from shared.cleaning.clean import Cleaned, Recipe
from shared.cleaning.notation import Notations
from shared.planning.plan import Plan
from shared.planning.spool import Spool
from shared.state.digests import DigestKey
from shared.state.state import State
from tests.simulation.keys import forget_tables, frozen, keep_tables, key_of_table, listed, number_of

PURE: Final = (
    (shared.cleaning.addresses, "normalised"),
    (shared.cleaning.clean, "clean"),
    (shared.cleaning.text, "in_one_spelling"),
    (shared.cleaning.text, "with_placeholders"),
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
    (shared.state.seal, "is_broken"),
)
"""Functions whose result depends on nothing but what they are given."""

SIMPLE: Final = (
    (shared.runs.run_id, "moment_of"),
    (shared.runs.ledger, "_run_key"),
    (shared.exports.registry, "_parsed"),
    (shared.accounts.accounts, "_list_key"),
)
"""Functions, likewise, of what can be a key as it is."""

DIGESTS: Final = ("of_people", "of_contents", "of_customers")
"""Methods of the digest key, likewise."""

SIMPLE_DIGESTS: Final = ("of_api_key", "fingerprint")
"""Methods of the digest key, likewise, of what can be a key as it is."""

TABLE_METHODS: Final = ("select", "filter", "with_columns", "unique", "join")
"""Methods of tables whose result depends on nothing but the table and what they are given."""

MOST_KNOWN: Final = 200_000
"""Results that are kept; then one begins again."""

_known: dict[Any, Any] = {}


def replaced() -> Iterator[tuple[Any, str, Any]]:
    """Yield what is to be replaced in which module: wherever the name was imported to."""
    for home, name in PURE:
        yield from _everywhere(getattr(home, name), name, _once(getattr(home, name), name))
    for home, name in SIMPLE:
        yield from _everywhere(getattr(home, name), name, lru_cache(10_000)(getattr(home, name)))
    for method in SIMPLE_DIGESTS:
        yield DigestKey, method, lru_cache(10_000)(getattr(DigestKey, method))
    yield from _everywhere(shared.runs.files._parse, "_parse", _parse)
    for question in ("has_unnamed", "is_in_doubt"):
        yield State, question, property(_once_of_people(getattr(State, question).fget, question))
    for said in ("difference", "counts", "named"):
        yield Plan, said, property(_once_of_a_plan(getattr(Plan, said).fget, said))
    yield pl, "concat", _once(pl.concat, "concat")
    yield pl.Series, "unique", _once(pl.Series.unique, "unique values")
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
    known = (notations.told, frozen(notations.declared), frozen(notations._marks), frozenset(notations._used))

    def compute() -> Any:
        cleaned = _real_clean_batch(batch, recipe, notations)
        return cleaned, dict(notations._marks), set(notations._used)

    cleaned: Cleaned
    cleaned, marks, used = _remember(("clean_batch", key_of_table(batch), frozen(recipe), known), compute)
    notations._marks.update(marks)
    notations._used.update(used)
    return cleaned


_real_parse = shared.runs.files._parse


def _parse(name: str, data: bytes, schema: Mapping[str, pl.DataType]) -> Any:
    """Read a stored table; its name is only for what is said of a damaged one."""
    return _remember(("parse", data, tuple(schema.items())), lambda: _real_parse(name, data, schema))


def _once_of_people(real: Callable[[State], bool], name: str) -> Callable[[State], bool]:
    return lambda state: bool(_remember((name, key_of_table(state.people)), lambda: real(state)))


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
        arguments = listed(arguments)
        return _remember((name, frozen(arguments), frozen(named)), lambda: real(*arguments, **named))

    return remembered


def _once_a_table(real: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Have a method of a table that is kept be computed once; one of a passing table is not looked up."""

    def remembered(table: pl.DataFrame, *arguments: Any, **named: Any) -> Any:
        number = number_of(table)
        if number is None:
            return real(table, *arguments, **named)
        arguments = listed(arguments)
        key = (name, number, frozen(arguments), frozen(named))
        return _remember(key, lambda: real(table, *arguments, **named))

    return remembered


def _remember(key: Any, compute: Callable[[], Any]) -> Any:
    found = _known.get(key, _known)
    if found is _known:  # which stands for nothing
        if len(_known) >= MOST_KNOWN:
            _known.clear()
            forget_tables()
        found = _known[key] = compute()
        keep_tables(found)
    return found


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

    found: Plan = _remember(("plan", frozen(read), frozen(recipe), frozen(rest)), compute)
    return found


def _once_of_a_plan(real: Callable[[Plan], Any], name: str) -> Callable[[Plan], Any]:
    """Have what is said of a plan be computed once; a plan that is kept with it keeps its id."""
    return lambda plan: _remember((name, id(plan)), lambda: (plan, real(plan)))[1]


_all_chunks = _once_of_a_plan(lambda plan: list(_real_chunks(plan)), "chunks")


def _chunks(plan: Plan) -> Iterator[bytes]:
    yield from _all_chunks(plan)
