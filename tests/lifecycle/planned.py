"""A run in storage whose plan is recorded."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

import polars as pl

from shared.azure.storage import Container
from shared.composition.app import App
from shared.exports.configuration import SegmentTarget
from shared.planning.survey import REJECTED
from shared.runs.counts import Counts
from shared.runs.files import planned_rejected_path, write_table
from shared.runs.run import Run, Verification
from shared.runs.run_id import new_run_id
from tests.runs import lives


def planned(
    app: App,
    chunks: int,
    operations: int,
    *,
    counts: Counts | None = None,
    verification: Verification | None = None,
) -> Run:
    """Return a run whose plan has been written, but for its chunks."""
    now = datetime.now(UTC)
    name = f"e-{secrets.token_hex(4)}"
    run = Run(
        export=name,
        id=new_run_id(now),
        trigger="on_demand",
        requested_by="me",
        queued_at=now,
        verification=verification,
    )
    app.ledger.start(run)
    app.storage.put(
        Container.OUTCOMES, planned_rejected_path(name, run.id, "p"), write_table(pl.DataFrame(schema=REJECTED))
    )
    return app.ledger.change(
        name,
        run.id,
        lambda run: lives.planned(
            run,
            now,
            chunks=chunks,
            operations=operations,
            counts=counts or Counts(rows_read=operations),
            targets=(SegmentTarget(segment="VIP", list="VIP"),),
        ),
    )
