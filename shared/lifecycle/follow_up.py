"""What follows a run's end: a verification that is due, or the run that mends what one found."""

from __future__ import annotations

import logging

from shared.composition.app import App
from shared.exports.configuration import Export
from shared.lifecycle.start import start_run
from shared.reasons.codes import Reason, Status
from shared.runs.ledger import NotOwed, RunInProgress
from shared.runs.run import Head, Owed, Run

log = logging.getLogger(__name__)


def what_follows(ended: Run, head: Head, export: Export | None) -> Owed | None:
    """Return what has to follow a run: what it leads to itself, else what was owed before it and is owed still.

    A run that repairs leads to nothing: it must not go round for ever.
    """
    if export is None:
        return None
    follows = _led_to(ended, head, export)
    before = _still_owed(ended, head)
    return before if before == "run" else follows or before


def _led_to(ended: Run, head: Head, export: Export) -> Owed | None:
    if ended.trigger == "repair":
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


def _still_owed(ended: Run, head: Head) -> Owed | None:
    """Return what was owed already when a run ended that somebody else had started: a look at the lists pays for a look."""
    looked = bool(ended.findings)
    repaired = looked and (ended.verification == "repair" or all(finding.is_equal for finding in ended.findings))
    paid = {"report": looked, "repair": repaired}
    return None if head.owed and paid.get(head.owed) else head.owed


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
            verification=None if owed == "run" else owed,
            pays=owed,
        )
        log.info("followed up export=%s run=%s owed=%s", export, run.id, owed)
    except RunInProgress as going:
        log.info("already going: export=%s run=%s", export, going.run_id)
    except NotOwed:
        log.info("followed up by somebody else: export=%s", export)
