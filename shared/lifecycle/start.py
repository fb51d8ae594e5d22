"""Start a run: one at a time for an export, by construction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from shared.azure.storage import Queue
from shared.composition.app import App
from shared.runs.head import FollowUp, Head
from shared.runs.run import Run, Trigger, Verification
from shared.runs.run_id import new_run_id
from shared.telemetry import tracing


def start_run(
    app: App,
    export: str,
    *,
    trigger: Trigger,
    requested_by: str,
    change_head: Callable[[Head], Head] = lambda head: head,
    rejected_of: str | None = None,
    verification: Verification | None = None,
    refresh: str | None = None,
    refreshed_at: datetime | None = None,
    fulfils: FollowUp | None = None,
) -> Run:
    """Record a new run of an export and put it on the queue for planning; raise RunInProgress.

    `change_head` is what the export's head notes with it, such as when cron was looked at. `refresh` is the refresh that the
    run takes up: it counts as taken up once the run got beyond its plan. With a `verification` it reads the lists back
    instead of delivering. With `fulfils` it is the pending follow-up; raise FollowUpTaken if that is not pending now. A
    crash between the two leaves a queued run, which supervision puts on the queue again.
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
    app.ledger.start(run, change_head, fulfils=fulfils)
    app.storage.send(Queue.RUNS, message(run))
    app.audit.note(now, requested_by, f"run started ({trigger})", message(run))
    return run


def message(run: Run) -> dict[str, str]:
    """Return the message that asks for a run to be planned."""
    return {"export": run.export, "run": run.id}
