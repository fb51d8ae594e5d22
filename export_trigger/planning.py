"""The queue of runs to be planned."""

from __future__ import annotations

import azure.functions as func

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]


@blueprint.queue_trigger("message", queue_name="export-runs", connection="AzureWebJobsStorage")
def plan_run(message: func.QueueMessage) -> None:
    """Plan a run; what cannot go on now goes back on the queue for a while, and counts as no failure."""
    from export_trigger.steps import plan_run as plan
    from shared.azure.records import NewerVersion
    from shared.azure.storage import Queue
    from shared.composition.app import app
    from shared.lifecycle.postpone import postpone
    from shared.reasons.errors import TryLater
    from shared.runs.work import RunWork, read_work

    work = read_work(message.get_body(), RunWork)
    if work is None:
        return
    try:
        plan.plan_run(app(), work.export, work.run)
    except (NewerVersion, TryLater) as later:
        postpone(app(), Queue.RUNS, work, later)


@blueprint.queue_trigger("message", queue_name="export-runs-poison", connection="AzureWebJobsStorage")
def end_poisoned_run(message: func.QueueMessage) -> None:
    """End a run that could not be planned however often it was tried, so that its owner hears of it."""
    from shared.composition.app import app
    from shared.lifecycle import give_up
    from shared.runs.work import RunWork, read_work

    work = read_work(message.get_body(), RunWork)
    if work is not None:
        give_up.end_unplanned(app(), work.export, work.run)
