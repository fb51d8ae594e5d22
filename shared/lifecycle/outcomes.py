"""Gather what became of a run's chunks: receipts, whose rows stand for whom, rejected rows; what is damaged is named."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import polars as pl

from shared.azure.storage import Container
from shared.composition.app import App
from shared.planning.survey import REJECTED
from shared.runs.entry import Entry
from shared.runs.files import Damaged, identities_path, load_table, planned_rejected_path
from shared.runs.run import Run
from shared.state.state import CUSTOMERS, RECEIPTS, remap_bits

log = logging.getLogger(__name__)


def gather_receipts(app: App, entries: Sequence[Entry]) -> tuple[pl.DataFrame, tuple[str, ...], list[str]]:
    """Return the chunks' receipts in their order, the ids of the lists that their masks count through, and what is damaged."""
    tables, damaged = _outcomes(app, [entry.result for entry in entries if entry.result], RECEIPTS)
    lists = tuple(dict.fromkeys(list_id for _, table_lists in tables for list_id in table_lists))
    receipts = [remap_bits(table.select(RECEIPTS.names()), table_lists, lists) for table, table_lists in tables]
    return pl.concat([pl.DataFrame(schema=RECEIPTS), *receipts]), lists, damaged


def gather_customers(app: App, run: Run) -> pl.DataFrame:
    """Return what the plan learnt of whose rows are whose; what is damaged of it is learnt by the next run."""
    names = app.storage.names(Container.OUTCOMES, identities_path(run.export, run.id, str(run.plan)))
    tables, damaged = _outcomes(app, list(names), CUSTOMERS)
    if damaged:
        log.error("outcomes are damaged: export=%s run=%s %s", run.export, run.id, "; ".join(damaged))
    return pl.concat([pl.DataFrame(schema=CUSTOMERS), *(table for table, _ in tables)]).unique("person")


def gather_rejected(app: App, run: Run, entries: Sequence[Entry]) -> tuple[pl.DataFrame, list[str]]:
    """Return the rejected rows, those of the plan first, then those of the chunks, and what is damaged.

    Those that an older version of the app wrote say no `where` and no `hint`.
    """
    names = [planned_rejected_path(run.export, run.id, str(run.plan))]
    names += [entry.rejected for entry in entries if entry.rejected]
    always = pl.Schema({name: kind for name, kind in REJECTED.items() if name not in {"where", "hint"}})
    tables, damaged = _outcomes(app, names, always)
    found = [table.select(name for name in REJECTED if name in table.columns) for table, _ in tables]
    return pl.concat([pl.DataFrame(schema=REJECTED), *found], how="diagonal"), damaged


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
