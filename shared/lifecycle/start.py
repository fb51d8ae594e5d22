"""Start a run: one at a time for an export, by construction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from shared.azure.storage import Queue
from shared.composition.app import App
from shared.runs.run import Owed, Run, Trigger, Verification, new_run_id
from shared.telemetry import tracing


def start_run(
    app: App,
    export: str,
    *,
    trigger: Trigger,
    requested_by: str,
    mark: Mapping[str, object] | None = None,
    rejected_of: str | None = None,
    verification: Verification | None = None,
    refresh: str | None = None,
    refreshed_at: datetime | None = None,
    pays: Owed | None = None,
) -> Run:
    """Record a new run of an export and put it on the queue for planning; raise RunInProgress.

    `mark` is what the export's head shall say with it, such as when cron was looked at. `refresh` is the refresh that the
    run takes up: it counts as taken up once the run got beyond its plan. With a `verification` it
    reads the lists back instead of delivering. With `pays` it is what was owed, or NotOwed is raised. A crash between the
    two leaves a queued run, which supervision puts on
    the queue again.
    """
    now = app.now()
    run_id = new_run_id(now)
    run = Run(
        export=export,
        id=run_id,
        trigger=trigger,
        requested_by=requested_by,
        queued_at=now,
        rejected_of=rejected_of,
        verification=verification,
        refresh=refresh,
        refreshed_at=refreshed_at,
        traceparent=tracing.begin(export, run_id, trigger),
    )
    app.ledger.start(run, mark or {}, pays=pays)
    app.storage.send(Queue.RUNS, message(run))
    app.audit.note(now, requested_by, f"run started ({trigger})", message(run))
    return run


def message(run: Run) -> dict[str, str]:
    """Write the message that asks for a run to be planned."""
    return {"export": run.export, "run": run.id}
