"""What follows a run's end: a verification that is due, or the run that mends what one found."""

from __future__ import annotations

import logging

from shared.composition.app import App
from shared.exports.configuration import Export
from shared.lifecycle.start import start_run
from shared.reasons.codes import Reason, Status
from shared.runs.head import FollowUp, FollowUpTaken, Head, RunInProgress
from shared.runs.run import Run

log = logging.getLogger(__name__)


def what_follows(ended: Run, head: Head, export: Export | None, *, corrected: bool = False) -> FollowUp | None:
    """Return what has to follow a run: what it leads to itself, else what was pending before it and is pending still.

    `corrected` says that the state shows now what lists lack, since a verification corrected it, or since the run itself
    learnt of it: then a run follows that delivers that. A run that repairs leads to nothing: it must not go round for ever.
    """
    if export is None:
        return None
    follows = _led_to(ended, head, export, corrected=corrected)
    before = _still_pending(ended, head)
    return before if before == "run" else follows or before


def _led_to(ended: Run, head: Head, export: Export, *, corrected: bool) -> FollowUp | None:
    if ended.trigger == "repair":
        return None
    if ended.verification:
        differs = corrected or ended.reason is Reason.LISTS_DIFFER
        return "run" if ended.verification == "repair" and differs else None
    if ended.status not in {Status.SUCCESSFUL, Status.COMPLETED_WITH_WARNINGS}:
        return None
    if corrected and not ended.short:
        return "run"
    if head.lists_suspect:
        return "repair"
    due = export.verification
    if due.every == 0 or head.unverified < due.every:
        return None
    return "repair" if due.repair else "report"


def _still_pending(ended: Run, head: Head) -> FollowUp | None:
    """Return the follow-up that was pending before a run that somebody else had started; lists read back fulfil a look at them."""
    looked = bool(ended.findings)
    repaired = looked and (ended.verification == "repair" or all(finding.is_equal for finding in ended.findings))
    fulfilled = {"report": looked, "repair": repaired}
    pending = head.pending_follow_up
    return None if pending and fulfilled.get(pending) else pending


def follow_up(app: App, export: str) -> None:
    """Start the pending follow-up run; if another run is active, supervision starts it later."""
    pending = app.ledger.head(export).pending_follow_up
    if pending is None:
        return
    try:
        run = start_run(
            app,
            export,
            trigger="repair" if pending == "run" else "verify",
            requested_by="schedule",
            verification=None if pending == "run" else pending,
            fulfils=pending,
        )
        log.info("followed up export=%s run=%s follow_up=%s", export, run.id, pending)
    except RunInProgress as going:
        log.info("already going: export=%s run=%s", export, going.run_id)
    except FollowUpTaken:
        log.info("followed up by somebody else: export=%s", export)
