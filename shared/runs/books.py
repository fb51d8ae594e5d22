"""Books that close: at the end of every run what was read and planned is held against what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shared.runs.counts import Counts
from shared.runs.entry import Entry
from shared.runs.run import Run


def discrepancies(run: Run, entries: Sequence[Entry]) -> str:
    """Return what does not add up in a run whose chunks all have their outcome, a sentence each; empty if all does."""
    return " ".join([*_of_rows(run.counts), *_of_operations(run, entries)])


def _of_rows(counts: Counts) -> Iterator[str]:
    if not counts.add_up:
        yield f"Of {counts.rows_read} rows read, {counts.rows_read - counts.unaccounted} are accounted for."


def _of_operations(run: Run, entries: Sequence[Entry]) -> Iterator[str]:
    """Hold the chunks' entries against the plan: none is missing, and together they handled or left every operation."""
    if len(entries) != run.done or run.done != run.chunks:
        yield f"Of {run.chunks} chunks, {len(entries)} are recorded and {run.done} counted."
    if any(entry.settled is None for entry in entries):  # of an older version, which did not write it down
        return
    settled, left = (sum(getattr(entry, name) or 0 for entry in entries) for name in ("settled", "left"))
    if settled + left != run.operations or settled != run.settled:
        yield f"Of {run.operations} operations planned, {settled} were handled and {left} left; {run.settled} were counted."
