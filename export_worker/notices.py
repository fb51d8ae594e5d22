"""The queue of notices for the operator's webhook."""

from __future__ import annotations

import azure.functions as func

from shared.reasons.faults import without_texts

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]


@blueprint.queue_trigger("message", queue_name="export-notices", connection="AzureWebJobsStorage")
@without_texts
def notify(message: func.QueueMessage) -> None:
    """Tell the webhook of a run's end; a notice that it does not take goes back on the queue, though its run has ended."""
    from shared.azure.storage import Queue
    from shared.lifecycle import notify as step
    from shared.lifecycle.queue_work import handle, requeue
    from shared.runs.work import RunWork

    handle(
        message.get_body(),
        RunWork,
        lambda app, work: step.notify(app, work.export, work.run),
        Queue.NOTICES,
        requeue,
    )


@blueprint.queue_trigger("message", queue_name="export-notices-poison", connection="AzureWebJobsStorage")
@without_texts
def drop_notice(message: func.QueueMessage) -> None:
    """Note in the log that the webhook never took a notice; the run itself is in the history."""
    from shared.azure.storage import Queue
    from shared.lifecycle import notify as step
    from shared.lifecycle.queue_work import handle, requeue
    from shared.runs.work import RunWork

    handle(message.get_body(), RunWork, lambda _, work: step.give_up(work.export, work.run), Queue.NOTICES, requeue)
