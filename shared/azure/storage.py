"""The adapter to blobs and queues of the app's own storage account."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient, ContentSettings
from azure.storage.queue import QueueServiceClient, TextBase64EncodePolicy

from shared.reasons.errors import Ours


class Container(StrEnum):
    """The blob containers, one for each span of life: chunks go when delivered, rejected rows expire, state stays.

    In `erasures` is the address of each person whose erasure is not done yet, and nothing else.
    """

    CONFIGURATION = "configuration"
    CHUNKS = "chunks"
    OUTCOMES = "outcomes"
    STATE = "state"
    REPORTS = "reports"
    REJECTED = "rejected"
    ERASURES = "erasures"
    COUNTS = "counts"
    PREVIEWS = "previews"


class Queue(StrEnum):
    """The queues: runs to be planned, chunks to be delivered, notices of runs' ends."""

    RUNS = "export-runs"
    CHUNKS = "export-chunks"
    NOTICES = "export-notices"


LARGEST: Final[Mapping[Container, int]] = {
    Container.CONFIGURATION: 1 << 20,
    Container.CHUNKS: 1 << 26,
    Container.OUTCOMES: 1 << 30,
    Container.STATE: 1 << 31,
    Container.REPORTS: 1 << 20,
    Container.REJECTED: 1 << 30,
    Container.ERASURES: 1 << 10,
    Container.COUNTS: 1 << 21,
    Container.PREVIEWS: 1 << 20,
}
"""Bytes of a blob that is read, by what it holds. Ours are far smaller: a state has some 40 bytes a person, and ten million
people are the most that an export may have. What is larger was not written by us, and would take the instance's memory."""


NEVER: Final = -1
"""Time to live of a message: it does not expire, since losing it would only make supervision do the work."""


StorageFault = AzureError
"""What the storage SDKs raise when an account does not answer or does not let us."""


class Conflict(Ours, Exception):
    """The blob is not as the caller thought it was."""


class TooLarge(Ours, Exception):
    """A blob is larger than any of its kind that we write. The text names it; `etag` is its version's."""

    def __init__(self, name: str, size: int, most: int, etag: str) -> None:
        super().__init__(f"{name} has {size} bytes; at most {most} are read")
        self.etag = etag


class Storage:
    """Blobs and queues. What does not exist yet is made when it is first written to."""

    def __init__(self, blobs: BlobServiceClient, queues: QueueServiceClient) -> None:
        self._blobs = blobs
        self._queues = queues

    def put(
        self, container: Container, name: str, data: bytes, *, if_match: str | None = None, only_new: bool = False
    ) -> str:
        """Write a blob and return its ETag; `if_match` and `only_new` raise Conflict if the blob is not so.

        What the blob holds already is no conflict: the client has repeated what was done, and whose answer was lost.
        """
        blob = self._blobs.get_blob_client(container, name)
        condition: dict[str, Any] = {}
        if if_match is not None:
            condition = {"etag": if_match, "match_condition": MatchConditions.IfNotModified}
        kind = ContentSettings(content_type="application/json" if name.endswith("json") else "application/octet-stream")
        try:
            answer = blob.upload_blob(data, overwrite=not only_new, content_settings=kind, **condition)
        except (ResourceExistsError, ResourceModifiedError) as error:
            if (found := self._as_written(container, name, data)) is not None:
                return found
            raise Conflict(f"{container}/{name} was changed by somebody else") from error
        except ResourceNotFoundError as error:
            if getattr(error, "error_code", "") != "ContainerNotFound":
                raise Conflict(f"{container}/{name} is gone") from error
            self._make_container(container)
            return self.put(container, name, data, if_match=if_match, only_new=only_new)
        return str(answer["etag"])

    def get(self, container: Container, name: str) -> tuple[bytes, str] | None:
        """Return a blob's content and ETag, or None if there is none; raise TooLarge for more than LARGEST bytes."""
        try:
            stream = self._blobs.get_blob_client(container, name).download_blob()
            size, etag = stream.properties.size, str(stream.properties.etag)
            if size > LARGEST[container]:
                raise TooLarge(f"{container}/{name}", size, LARGEST[container], etag)
            return stream.readall(), etag
        except ResourceNotFoundError:
            return None

    def etag(self, container: Container, name: str) -> str | None:
        """Return a blob's ETag without its content, or None if there is none."""
        try:
            return str(self._blobs.get_blob_client(container, name).get_blob_properties().etag)
        except ResourceNotFoundError:
            return None

    def read(self, container: Container, name: str) -> bytes:
        """Return a blob's content; raise FileNotFoundError naming it if it is not there."""
        found = self.get(container, name)
        if found is None:
            raise FileNotFoundError(f"{container}/{name} is missing")
        return found[0]

    def delete(self, container: Container, name: str, *, if_match: str | None = None) -> None:
        """Delete a blob if it is there; `if_match` raises Conflict if it is another version by now."""
        condition: dict[str, Any] = {}
        if if_match is not None:
            condition = {"etag": if_match, "match_condition": MatchConditions.IfNotModified}
        try:
            self._blobs.get_blob_client(container, name).delete_blob(**condition)
        except ResourceModifiedError as error:
            raise Conflict(f"{container}/{name} was changed by somebody else") from error
        except ResourceNotFoundError:
            return

    def names(self, container: Container, prefix: str = "", *, after: str = "") -> Iterator[str]:
        """Return the names of blobs under a prefix in ascending order, those greater than `after`."""
        try:
            for name in self._blobs.get_container_client(container).list_blob_names(name_starts_with=prefix):
                if name > after:
                    yield name
        except ResourceNotFoundError:
            return

    def versions(self, container: Container, prefix: str = "", *, after: str = "") -> Iterator[tuple[str, str]]:
        """Yield the names of blobs under a prefix, those greater than `after`, in ascending order, with their ETags."""
        try:
            for blob in self._blobs.get_container_client(container).list_blobs(name_starts_with=prefix):
                if blob.name > after:
                    yield blob.name, f'"{str(blob.etag).strip(chr(34))}"'  # a listing leaves the quotes out
        except ResourceNotFoundError:
            return

    def folders(self, container: Container) -> list[str]:
        """Return the names of a container's folders, in ascending order."""
        try:
            found = self._blobs.get_container_client(container).walk_blobs(delimiter="/")
            return [item.name.removesuffix("/") for item in found if item.name.endswith("/")]
        except ResourceNotFoundError:
            return []

    def delete_all(self, container: Container, prefix: str) -> None:
        """Delete every blob under a prefix."""
        for name in list(self.names(container, prefix)):
            self.delete(container, name)

    def send(self, queue: Queue, message: Mapping[str, Any], *, delay: float = 0) -> None:
        """Put a message on a queue, to be seen in `delay` seconds. It names things and holds no personal data."""
        client = self._queues.get_queue_client(queue, message_encode_policy=TextBase64EncodePolicy())
        text = json.dumps(message, separators=(",", ":"))
        try:
            client.send_message(text, visibility_timeout=max(0, round(delay)), time_to_live=NEVER)
        except ResourceNotFoundError:
            self._make_queue(queue)
            client.send_message(text, visibility_timeout=max(0, round(delay)), time_to_live=NEVER)

    def waiting(self, queue: Queue) -> int:
        """Return about how many messages a queue holds; 0 if it was not made yet."""
        try:
            return self._queues.get_queue_client(queue).get_queue_properties().approximate_message_count or 0
        except ResourceNotFoundError:
            return 0

    def _as_written(self, container: Container, name: str, data: bytes) -> str | None:
        """Return a blob's ETag if it holds `data`, else None."""
        try:
            found = self.get(container, name)
        except TooLarge:
            return None
        return found[1] if found and found[0] == data else None

    def _make_container(self, container: Container) -> None:
        try:
            self._blobs.create_container(container)
        except ResourceExistsError:
            return

    def _make_queue(self, queue: Queue) -> None:
        try:
            self._queues.create_queue(queue)
        except ResourceExistsError:
            return
