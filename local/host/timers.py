"""Timer triggers: NCRONTAB in UTC, one instance at a time, and an occurrence that was missed is run past due, once."""

from __future__ import annotations

import json
import logging
import os
import threading
from datetime import UTC, datetime, timedelta
from typing import Final

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobClient, BlobLeaseClient, BlobServiceClient
from cronsim import CronSim

from local.host import runtime
from local.host.configuration import resolve
from local.host.runtime import Function, InvocationFailed

log = logging.getLogger(__name__)

CONTAINER: Final = "azure-webjobs-hosts"
LEASE_SECONDS: Final = 15
HOST_STORAGE: Final = "AzureWebJobsStorage"


class TimerTrigger:
    """Runs one function by its schedule."""

    def __init__(self, function: Function) -> None:
        self._function = function
        self._schedule = resolve(function.trigger["schedule"])
        CronSim(self._schedule, datetime.now(UTC))
        service = BlobServiceClient.from_connection_string(os.environ[HOST_STORAGE])
        self._status: BlobClient = service.get_blob_client(CONTAINER, f"timers/local/{function.name}/status")
        self._service = service
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name=f"timer-{function.name}", daemon=True)

    def start(self) -> None:
        """Begin to watch the clock."""
        self._thread.start()

    def stop(self) -> None:
        """Run no more."""
        self._stopping.set()
        self._thread.join(5)
        self._service.close()

    def _loop(self) -> None:
        due = self._first_due()
        while not self._stopping.wait(max(0.0, (due - datetime.now(UTC)).total_seconds())):
            self._occur(due)
            due = next(CronSim(self._schedule, max(due, datetime.now(UTC))))

    def _first_due(self) -> datetime:
        """Give the first occurrence: one that was missed while nobody ran, or the next one."""
        now = datetime.now(UTC)
        if self._function.trigger.get("runOnStartup"):
            return now
        if not self._function.trigger.get("useMonitor", True):
            return next(CronSim(self._schedule, now))
        last = self._last()
        if last is None:
            self._remember(now)
            last = now
        missed = next(CronSim(self._schedule, last))
        return missed if missed < now else next(CronSim(self._schedule, now))

    def _occur(self, due: datetime) -> None:
        """Run one occurrence, unless another instance has it."""
        try:
            lease = self._status.acquire_lease(LEASE_SECONDS)
        except ResourceNotFoundError:
            self._remember(due - timedelta(seconds=1))
            return self._occur(due)
        except (ResourceExistsError, AzureError):
            return None
        try:
            last = self._last()
            if last is None or last < due:
                self._run(due)
                self._remember(due, lease)
        finally:
            lease.release()
        return None

    def _run(self, due: datetime) -> None:
        now = datetime.now(UTC)
        info = {
            "Schedule": {"AdjustForDST": True},
            "ScheduleStatus": {"Last": due.isoformat(), "Next": due.isoformat(), "LastUpdated": now.isoformat()},
            "IsPastDue": now - due > timedelta(seconds=2),
        }
        try:
            runtime.invoke(self._function, runtime.as_json(info))
        except InvocationFailed as error:
            log.error("%s failed: %s", self._function.name, error)

    def _last(self) -> datetime | None:
        try:
            return datetime.fromisoformat(json.loads(self._status.download_blob().readall())["last"])
        except ResourceNotFoundError:
            return None

    def _remember(self, last: datetime, lease: BlobLeaseClient | None = None) -> None:
        data = json.dumps({"last": last.isoformat()})
        try:
            self._status.upload_blob(data, overwrite=True, lease=lease)
        except ResourceNotFoundError:
            try:
                self._service.create_container(CONTAINER)
            except ResourceExistsError:
                log.debug("another instance made the container")
            self._status.upload_blob(data, overwrite=True, lease=lease)
