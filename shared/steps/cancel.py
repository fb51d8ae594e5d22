"""Cancel a run: between chunks, so that what was delivered stays recorded."""

from __future__ import annotations

from shared.app import App
from shared.reasons import Reason, RunEnded
from shared.run import Run
from shared.steps.finish import end_run
from shared.steps.plan import issue


def cancel_run(app: App, export: str, run_id: str) -> Run:
    """Ask a run to stop; one that has no plan yet ends at once. A run that has ended stays as it is."""

    def stopped(run: Run) -> Run:
        if run.status.is_final or run.stop:
            return run
        return run.model_copy(update={"stop": Reason.CANCELED_BY_USER})

    run = app.ledger.change(export, run_id, stopped)
    if run.plan is None and not run.status.is_final:
        return end_run(app, run, RunEnded(Reason.CANCELED_BY_USER))
    if run.is_waiting(app.now()):  # its messages are hidden until then
        issue(app, run)
    return run
