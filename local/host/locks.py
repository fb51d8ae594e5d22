"""Who holds what only one host may do: a blob that names its holder and until when, renewed while the holder lives.

Microsoft's listener takes a blob lease of 60 seconds. Leases shorter than 15 seconds cannot be had, which tests want, so
this is the same by conditional writes.
"""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
import threading
import time
from typing import Any, Final

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient

log = logging.getLogger(__name__)

CONTAINER: Final = "azure-webjobs-hosts"


class Lock:
    """One lock, as one host sees it."""

    def __init__(self, service: BlobServiceClient, name: str, seconds: float) -> None:
        self._service = service
        self._name = name
        self._blob = service.get_blob_client(CONTAINER, name)
        self._seconds = seconds
        self._owner = secrets.token_hex(8)
        self._etag: str | None = None
        self._ended = threading.Event()

    @property
    def is_held(self) -> bool:
        """Whether this host holds the lock."""
        return self._etag is not None

    def acquire(self) -> bool:
        """Take the lock unless another host holds it, and keep it from now on; return whether it is held."""
        if self._etag is None and self._is_free():
            self._ended.clear()
            threading.Thread(target=self._keep, name=f"keep-{self._name}", daemon=True).start()
        return self.is_held

    def release(self) -> None:
        """Let another host take it at once; where storage does not answer, that is not waited for: a lock ends by itself."""
        self._ended.set()
        etag, self._etag = self._etag, None
        if etag is not None:
            with contextlib.suppress(AzureError):
                self._write(until=0.0, etag=etag, retry_total=0)

    def _is_free(self) -> bool:
        """Take the lock if nobody holds it; return whether it could be taken."""
        try:
            found = self._blob.download_blob()
            if json.loads(found.readall())["until"] > time.monotonic():
                return False
            etag: str | None = str(found.properties.etag)
        except ResourceNotFoundError:
            etag = None
        try:
            self._etag = self._write(time.monotonic() + self._seconds, etag)
        except (ResourceExistsError, ResourceModifiedError):
            return False
        return True

    def _keep(self) -> None:
        """Renew the lock until it is released, or lost to another host while this one slept."""
        while not self._ended.wait(self._seconds / 3):
            try:
                self._etag = self._write(time.monotonic() + self._seconds, self._etag)
            except ResourceModifiedError:
                log.warning("%s: the lock was lost to another host", self._name)
                self._etag = None
                return
            except AzureError as error:
                log.warning("%s: the lock could not be renewed: %s", self._name, type(error).__name__)

    def _write(self, until: float, etag: str | None, **patience: Any) -> str:
        """Write the lock's document over the version that `etag` names, or as the first one.

        Times are the machine's monotonic ones, which all local hosts share, whatever clock they are told to have.
        """
        condition = (
            {"overwrite": True, "etag": etag, "match_condition": MatchConditions.IfNotModified}
            if etag
            else {"overwrite": False}
        )
        data = json.dumps({"owner": self._owner, "until": until})
        try:
            written = self._blob.upload_blob(data, **condition, **patience)
        except ResourceNotFoundError:
            with contextlib.suppress(ResourceExistsError):
                self._service.create_container(CONTAINER)
            written = self._blob.upload_blob(data, **condition, **patience)
        return str(written["etag"])
