"""What follows a run's end: a verification that is due, or the run that mends what one found."""

from __future__ import annotations

import logging

from shared.app import App
from shared.configuration import Export
from shared.ledger import RunInProgress
from shared.reasons import Reason, Status
from shared.run import Head, Owed, Run
from shared.steps.start import start_run

log = logging.getLogger(__name__)


def what_follows(ended: Run, head: Head, export: Export | None) -> Owed | None:
    """Say what has to follow a run. A run that repairs is followed by nothing: it must not go round for ever."""
    if export is None or ended.trigger == "repair":
        return None
    if ended.verification:
        return "run" if ended.verification == "repair" and ended.reason is Reason.LISTS_DIFFER else None
    if ended.status not in {Status.SUCCESSFUL, Status.COMPLETED_WITH_WARNINGS}:
        return None
    if head.doubted:
        return "repair"
    due = export.verification
    if due.every == 0 or head.unverified < due.every:
        return None
    return "repair" if due.repair else "report"


def follow_up(app: App, export: str) -> None:
    """Start what the last run of an export left to follow, unless another run is going: then supervision will."""
    owed = app.ledger.head(export).owed
    if owed is None:
        return
    try:
        run = start_run(
            app,
            export,
            trigger="repair" if owed == "run" else "verify",
            requested_by="schedule",
            mark={"owed": None},
            verification=None if owed == "run" else owed,
        )
        log.info("followed up export=%s run=%s owed=%s", export, run.id, owed)
    except RunInProgress as going:
        log.info("already going: export=%s run=%s", export, going.run_id)
