"""The queue of chunks to be delivered."""

from __future__ import annotations

import azure.functions as func

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]


@blueprint.queue_trigger("message", queue_name="export-chunks", connection="AzureWebJobsStorage")
def deliver_chunk(message: func.QueueMessage) -> None:
    """Deliver a chunk; what cannot go on now goes back on the queue for a while, and counts as no failure."""
    from export_worker import deliver_chunk as deliver
    from shared.azure.records import NewerVersion
    from shared.azure.storage import Queue
    from shared.composition.app import app
    from shared.lifecycle.postpone import postpone
    from shared.reasons.errors import TryLater
    from shared.runs.work import ChunkWork, read_work

    work = read_work(message.get_body(), ChunkWork)
    if work is None:
        return
    try:
        deliver.deliver_chunk(app(), work.export, work.run, work.chunk)
    except (NewerVersion, TryLater) as later:
        postpone(app(), Queue.CHUNKS, work, later)


@blueprint.queue_trigger("message", queue_name="export-chunks-poison", connection="AzureWebJobsStorage")
def record_poisoned_chunk(message: func.QueueMessage) -> None:
    """Record a chunk that always failed as undelivered, so that its run ends and says so."""
    from shared.azure.records import NewerVersion
    from shared.azure.storage import Queue
    from shared.composition.app import app
    from shared.lifecycle import give_up
    from shared.lifecycle.postpone import postpone
    from shared.reasons.errors import TryLater
    from shared.runs.work import ChunkWork, read_work

    work = read_work(message.get_body(), ChunkWork)
    if work is None:
        return
    try:
        give_up.record_undelivered(app(), work.export, work.run, work.chunk)
    except (NewerVersion, TryLater) as later:
        postpone(app(), Queue.CHUNKS, work, later)
