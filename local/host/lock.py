"""A lock that at most one instance holds: a blob lease, renewed for as long as it is held."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from typing import Final

from azure.core.exceptions import AzureError, ResourceExistsError
from azure.storage.blob import BlobClient, BlobLeaseClient

log = logging.getLogger(__name__)

LEASE_SECONDS: Final = 15
"""The shortest that storage allows: so long a dead instance's lock lasts."""
RENEW_SECONDS: Final = 5.0


class Lock:
    """A lease that is held; leaving the context gives it up."""

    def __init__(self, lease: BlobLeaseClient) -> None:
        self._lease = lease
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._renew, daemon=True)
        self._thread.start()

    @classmethod
    def acquire(cls, blob: BlobClient) -> Lock | None:
        """Take the lock; gives None if somebody else holds it. Raises AzureError, ResourceNotFoundError without a blob."""
        try:
            return cls(blob.acquire_lease(LEASE_SECONDS))
        except ResourceExistsError:
            return None

    def __enter__(self) -> Lock:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        with suppress(AzureError):  # then it runs out by itself
            self._lease.release()

    def _renew(self) -> None:
        while not self._over.wait(RENEW_SECONDS):
            try:
                self._lease.renew()
            except AzureError as error:
                log.warning("a lock could not be renewed: %s", type(error).__name__)
