"""The queue of chunks to be delivered."""

from __future__ import annotations

import azure.functions as func

from shared.reasons.faults import without_texts

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]


@blueprint.queue_trigger("message", queue_name="export-chunks", connection="AzureWebJobsStorage")
@without_texts
def deliver_chunk(message: func.QueueMessage) -> None:
    """Deliver a chunk."""
    from export_worker import deliver_chunk as step
    from shared.azure.storage import Queue
    from shared.lifecycle.queue_work import handle
    from shared.runs.work import ChunkWork

    handle(
        message.get_body(),
        ChunkWork,
        lambda app, work: step.deliver_chunk(app, work.export, work.run, work.chunk),
        Queue.CHUNKS,
    )


@blueprint.queue_trigger("message", queue_name="export-chunks-poison", connection="AzureWebJobsStorage")
@without_texts
def record_poisoned_chunk(message: func.QueueMessage) -> None:
    """Record a chunk that always failed as undelivered, so that its run ends and says so."""
    from shared.azure.storage import Queue
    from shared.lifecycle import give_up as step
    from shared.lifecycle.queue_work import handle
    from shared.runs.work import ChunkWork

    handle(
        message.get_body(),
        ChunkWork,
        lambda app, work: step.record_undelivered(app, work.export, work.run, work.chunk),
        Queue.CHUNKS,
    )
