"""Record what came of a chunk: once, whole, whoever comes first. Gather it, of all chunks, when the run is finished."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

import polars as pl

from shared.azure.storage import Container, Queue
from shared.composition.app import App
from shared.lifecycle.liveness import BusySlots, RunOver
from shared.planning.survey import NO_REJECTED, REJECTED
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.retry.policy import REST
from shared.runs.counts import Counts
from shared.runs.entry import Entry
from shared.runs.files import (
    Damaged,
    chunk_names,
    chunk_path,
    identities_path,
    load_table,
    next_name,
    planned_rejected_path,
    run_folder,
)
from shared.runs.ledger import NoSuchRun
from shared.runs.run import Run
from shared.state.state import CUSTOMERS, FORMER_RECEIPTS, RECEIPTS, remap_bits
from shared.telemetry import metering
from shared.verification.observed import ObservedList

log = logging.getLogger(__name__)

_ALWAYS_SAID: Final = pl.Schema({name: kind for name, kind in REJECTED.items() if name not in {"where", "hint"}})
"""Columns of rejected rows that older versions of the app wrote too."""

_NO_RECEIPTS: Final = pl.DataFrame(schema=RECEIPTS)
_NO_CUSTOMERS: Final = pl.DataFrame(schema=CUSTOMERS)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one chunk: a blob of receipts or a list read back, a blob of rejected rows, the rest as a chunk, the sums.

    `settled` counts the operations that are handled, `left` those that are not sent any more, `stop` is why no more shall
    be sent, and `lost` says that the chunk itself could not be read, so that nobody knows which rows were in it. `reasons`
    counts the rejected rows. `has_begun` says that the attempt which came to this may have sent something that the receipts
    tell of; `in_doubt` makes the receipts that count where others may have sent something too, of which these know nothing.
    """

    receipts: bytes | None = None
    observed: ObservedList | None = None
    rejected: bytes | None = None
    rest: bytes | None = None
    counts: Counts = field(default_factory=Counts)
    settled: int = 0
    left: int = 0
    stop: Reason | None = None
    lost: bool = False
    reasons: Mapping[str, int] = field(default_factory=dict)
    has_begun: bool = False
    in_doubt: Callable[[], bytes] | None = None


def open_chunks(run: Run, entries: Sequence[Entry]) -> list[str]:
    """Return the names of a run's chunks that have no outcome yet, continuations last."""
    continued = [entry.continued_by for entry in entries if entry.continued_by]
    recorded = {entry.chunk for entry in entries}
    return [name for name in [*chunk_names(run.chunks - len(continued)), *continued] if name not in recorded]


def record_lost(app: App, run: Run, chunk: str, why: str) -> Run:
    """Record that a chunk cannot be read, which stops its run by name; a name that is none of the run's is dropped.

    `why` holds nothing of the chunk. What lies there is deleted: it may hold contacts, and nobody can use it.
    """
    if chunk not in open_chunks(run, app.ledger.entries(run.export, run.id)):
        log.warning("dropped a chunk that its run does not have: export=%s run=%s", run.export, run.id)
        return app.ledger.run(run.export, run.id)
    log.error("a chunk cannot be read: export=%s run=%s chunk=%s why=%s", run.export, run.id, chunk, why)
    metering.given_up(run, chunk)
    recorded = record(app, run, chunk, Outcome(stop=Reason.CHUNK_DAMAGED, lost=True))
    app.storage.delete(Container.CHUNKS, chunk_path(run.export, run.id, str(run.plan), chunk))
    return recorded


@dataclass(slots=True)
class Attempt:
    """One attempt at a chunk of a run, in these slots; `has_begun` says that it may have sent something of it."""

    app: App
    run: Run
    chunk: str
    slots: BusySlots
    has_begun: bool = False

    def begin(self) -> None:
        """Note, once, that this attempt may send something from now on.

        Raise ExportError if the run shall stop, RunOver if it is over or delivered. So whoever records the chunk knows
        whether others may have sent something of it: after a stop nobody begins.
        """
        if not self.has_begun:
            run = self.app.ledger.change(self.run.export, self.run.id, self._sending)
            if run.status.is_final:  # then the ledger has asked nothing
                raise RunOver
            self.slots.saw(run)
            self.has_begun = True

    def _sending(self, run: Run) -> Run:
        if run.is_delivered:  # by whoever had another copy of the message
            raise RunOver
        if run.stop and self.chunk not in run.begun:
            raise ExportError(run.stop)
        return run.sending(self.chunk).busy(self.app.now() + self.app.settings.grace / 2)


class _InDoubt(Exception):
    """Another attempt may have sent something of a chunk, of which the receipts at hand know nothing."""


def record(app: App, run: Run, chunk: str, outcome: Outcome) -> Run:
    """Record a chunk's outcome, once: the blobs first, then one transaction that names them and counts them.

    Whoever comes second, or after the run has ended, takes the own blobs away. What is left for later becomes a chunk
    of its own that continues this one. That nobody else has begun the chunk is known in that transaction only: one who
    has begun may be sending still, and will come second.
    """
    entry, blobs = _named(run, chunk, outcome)
    for container, name, data in blobs:
        app.storage.put(container, name, data)
    now = app.now()

    def count(run: Run) -> Run:
        if outcome.in_doubt and run.is_begun_by_others(chunk, here=outcome.has_begun):
            raise _InDoubt
        return run.recorded(entry, outcome.counts, outcome.stop, now)

    try:
        recorded, first = app.ledger.record(run.export, run.id, entry, count)
    except _InDoubt:
        _take_away(app, blobs)
        doubted = outcome.in_doubt() if outcome.in_doubt else None
        return record(app, run, chunk, replace(outcome, receipts=doubted, in_doubt=None))
    if not first:
        _take_away(app, blobs)
        note_calls(app, run, outcome.counts.calls)
    if first:
        metering.recorded(recorded, chunk, outcome.counts, outcome.reasons, now)
    if first and entry.continued_by:
        message = {"export": run.export, "run": run.id, "chunk": entry.continued_by}
        app.storage.send(Queue.CHUNKS, message, delay=REST.pause())
    log.info(
        "recorded export=%s run=%s chunk=%s settled=%d rest=%s first=%s",
        run.export,
        run.id,
        chunk,
        outcome.settled,
        bool(outcome.rest),
        first,
    )
    return recorded


def note_calls(app: App, run: Run, calls: Counts) -> None:
    """Count calls that no outcome counts: that of an attempt which was postponed, or came second."""
    if not calls.requests:
        return
    with suppress(NoSuchRun):
        noted = app.ledger.change(run.export, run.id, lambda run: run.called(calls))
        if noted.plan is not None and not noted.status.is_final:  # a plan reports what was called before
            metering.called(noted, calls)


type Blob = tuple[Container, str, bytes]


def _named(run: Run, chunk: str, outcome: Outcome) -> tuple[Entry, list[Blob]]:
    """Return a chunk's entry in the ledger, and the blobs that it names."""
    attempt = secrets.token_hex(4)
    result = outcome.observed.write() if outcome.observed else outcome.receipts
    folder = f"{run_folder(run.export, run.id)}{chunk}-{attempt}"
    entry = Entry(
        chunk=chunk,
        attempt=attempt,
        result=f"{folder}.parquet" if result else None,
        list_index=outcome.observed.list_index if outcome.observed else None,
        rejected=f"{folder}.rejected.parquet" if outcome.rejected else None,
        continued_by=next_name(chunk, attempt) if outcome.rest else None,
        lost=outcome.lost,
        settled=outcome.settled,
        left=None if outcome.lost else outcome.left,
    )
    rest = chunk_path(run.export, run.id, str(run.plan), entry.continued_by) if entry.continued_by else None
    return entry, [
        (container, name, data)
        for container, name, data in (
            (Container.OUTCOMES, entry.result, result),
            (Container.OUTCOMES, entry.rejected, outcome.rejected),
            (Container.CHUNKS, rest, outcome.rest),
        )
        if name and data
    ]


def _take_away(app: App, blobs: Sequence[Blob]) -> None:
    for container, name, _ in blobs:
        app.storage.delete(container, name)


def gather_receipts(app: App, entries: Sequence[Entry]) -> tuple[pl.DataFrame, tuple[str, ...], list[str]]:
    """Return the chunks' receipts in their order, the ids of the lists that their masks count through, and what is damaged."""
    tables, damaged = _outcomes(app, [entry.result for entry in entries if entry.result], FORMER_RECEIPTS)
    lists = tuple(dict.fromkeys(list_id for _, table_lists in tables for list_id in table_lists))
    found = [(table.select(name for name in RECEIPTS if name in table.columns), ids) for table, ids in tables]
    receipts = [remap_bits(table, table_lists, lists) for table, table_lists in found]
    return pl.concat([_NO_RECEIPTS, *receipts], how="diagonal"), lists, damaged


def gather_customers(app: App, run: Run) -> pl.DataFrame:
    """Return what the plan learnt of whose rows are whose; what is damaged of it is learnt by the next run."""
    names = app.storage.names(Container.OUTCOMES, identities_path(run.export, run.id, str(run.plan)))
    tables, damaged = _outcomes(app, list(names), CUSTOMERS)
    if damaged:
        log.error("outcomes are damaged: export=%s run=%s %s", run.export, run.id, "; ".join(damaged))
    return pl.concat([_NO_CUSTOMERS, *(table for table, _ in tables)]).unique("person")


def gather_rejected(app: App, run: Run, entries: Sequence[Entry]) -> tuple[pl.DataFrame, list[str]]:
    """Return the rejected rows, those of the plan first, then those of the chunks, and what is damaged.

    Those that an older version of the app wrote say no `where` and no `hint`.
    """
    names = [planned_rejected_path(run.export, run.id, str(run.plan))]
    names += [entry.rejected for entry in entries if entry.rejected]
    tables, damaged = _outcomes(app, names, _ALWAYS_SAID)
    found = [table.select(name for name in REJECTED if name in table.columns) for table, _ in tables]
    return pl.concat([NO_REJECTED, *found], how="diagonal"), damaged


def _outcomes(
    app: App, names: Sequence[str], schema: pl.Schema
) -> tuple[list[tuple[pl.DataFrame, tuple[str, ...]]], list[str]]:
    """Read tables of what became of chunks; those that are missing or cannot be read are named, a sentence each."""

    def load(name: str) -> tuple[pl.DataFrame, tuple[str, ...]] | str:
        try:
            return load_table(app.storage, Container.OUTCOMES, name, schema)
        except Damaged as damage:
            return str(damage)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(load, names))
    return [item for item in found if not isinstance(item, str)], [item for item in found if isinstance(item, str)]
