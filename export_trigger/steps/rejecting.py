"""Runs that rejected rows one after the other: what tells since when a row is rejected."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from shared.composition.app import App
from shared.runs.run import Run

MOST_RUNS: Final = 100
MOST_FILES: Final = 10
"""Runs, and rejected-rows files of theirs, that are looked at."""


def rejecting_runs(app: App, export: str, *, before: str | None = None) -> Iterator[Run | None]:
    """Yield an export's ended runs, the newest first, back to one that rejected nothing; None where nobody looks any further.

    Runs that read no whole segments say nothing of it, and are left out.
    """
    began, files = app.ledger.head(export).began_at, 0
    for number, run in enumerate(app.ledger.each_run(export, before=before)):
        if number == MOST_RUNS:
            yield None
            return
        if run.verification or run.rejected_of or run.plan is None or not run.status.is_final:
            continue
        if (began and run.queued_at < began) or not (run.counts.rejected or run.counts.values_omitted):
            return
        if files == MOST_FILES:
            yield None
            return
        files += 1
        yield run
