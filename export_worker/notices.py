"""The queue of notices for the operator's webhook."""

from __future__ import annotations

import azure.functions as func

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]


@blueprint.queue_trigger("message", queue_name="export-notices", connection="AzureWebJobsStorage")
def notify(message: func.QueueMessage) -> None:
    """Tell the webhook of a run's end; a notice that it does not take goes back on the queue for a while."""
    from shared.azure.storage import Queue
    from shared.composition.app import app
    from shared.lifecycle import notify as step
    from shared.reasons.errors import TryLater
    from shared.runs.work import RunWork, read_work

    work = read_work(message.get_body(), RunWork)
    if work is None:
        return
    try:
        step.notify(app(), work.export, work.run)
    except TryLater as later:
        app().storage.send(Queue.NOTICES, work.model_dump(), delay=later.seconds)


@blueprint.queue_trigger("message", queue_name="export-notices-poison", connection="AzureWebJobsStorage")
def drop_notice(message: func.QueueMessage) -> None:
    """Say in the log that the webhook never took a notice; the run itself is in the history."""
    from shared.lifecycle import notify as step
    from shared.runs.work import RunWork, read_work

    work = read_work(message.get_body(), RunWork)
    if work is not None:
        step.give_up(work.export, work.run)
