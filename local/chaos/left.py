"""What an app leaves lying: blobs of runs that have ended, states that hold no more, messages that nobody handles."""

from __future__ import annotations

from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

MOST = {"chunks": 0, "outcomes": 0, "state": 1}
"""How many blobs each container may hold while nothing runs: one export's state."""


def left_lying(storage: str) -> list[str]:
    """Name what lies in the app's storage and should not, while nothing runs."""
    return [*_blobs(storage), *_poison(storage)]


def _blobs(storage: str) -> list[str]:
    with BlobServiceClient.from_connection_string(storage) as service:
        names = {container.name for container in service.list_containers()}
        return [
            f"left in {container}: {blob}"
            for container, most in MOST.items()
            if container in names
            for blob in list(service.get_container_client(container).list_blob_names())[most:]
        ]


def _poison(storage: str) -> list[str]:
    with QueueServiceClient.from_connection_string(storage) as service:
        return [
            f"a message in {queue.name}"
            for queue in service.list_queues()
            if queue.name.endswith("-poison")
            and service.get_queue_client(queue.name).get_queue_properties().approximate_message_count
        ]
