"""Cancel a run: between chunks, so that what was delivered stays recorded."""

from __future__ import annotations

from export_trigger.steps.plan_run import issue
from shared.composition.app import App
from shared.lifecycle.finish import end_run
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.runs.run import Run


def cancel_run(app: App, export: str, run_id: str) -> Run:
    """Ask a run to stop; one that has no plan yet ends at once. A run that has ended stays as it is."""
    run = app.ledger.change(export, run_id, lambda run: run.stopped(Reason.CANCELED_BY_USER))
    if run.plan is None and not run.status.is_final:
        return end_run(app, run, ExportError(Reason.CANCELED_BY_USER))
    if run.is_waiting(app.now()):  # its messages are hidden until then
        issue(app, run)
    return run
