"""The queue of runs to be planned."""

from __future__ import annotations

import azure.functions as func

from shared.reasons.faults import without_texts

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]


@blueprint.queue_trigger("message", queue_name="export-runs", connection="AzureWebJobsStorage")
@without_texts
def plan_run(message: func.QueueMessage) -> None:
    """Plan a run."""
    from export_trigger.steps import plan_run as step
    from shared.azure.storage import Queue
    from shared.lifecycle.queue_work import handle
    from shared.runs.work import RunWork

    handle(message.get_body(), RunWork, lambda app, work: step.plan_run(app, work.export, work.run), Queue.RUNS)


@blueprint.queue_trigger("message", queue_name="export-runs-poison", connection="AzureWebJobsStorage")
@without_texts
def end_poisoned_run(message: func.QueueMessage) -> None:
    """End a run that could not be planned however often it was tried, so that its owner hears of it."""
    from shared.azure.storage import Queue
    from shared.lifecycle import give_up as step
    from shared.lifecycle.queue_work import handle
    from shared.runs.work import RunWork

    handle(message.get_body(), RunWork, lambda app, work: step.end_unplanned(app, work.export, work.run), Queue.RUNS)
