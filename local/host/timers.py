"""Timer triggers: NCRONTAB in UTC, one instance at a time, and an occurrence that was missed is run past due, once."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobClient

from local.host import runtime
from local.host.configuration import resolve
from local.host.lock import Lock
from local.host.runtime import Function, InvocationFailed
from local.host.schedule import Schedule
from local.host.storage import blob_service
from local.host.worker import Worker

log = logging.getLogger(__name__)

CONTAINER: Final = "azure-webjobs-hosts"
HOST_STORAGE: Final = "AzureWebJobsStorage"
RETRY_SECONDS: Final = 1.0


class TimerTrigger:
    """Runs one function by its schedule. Raises ScheduleInvalid and SettingMissing."""

    def __init__(self, function: Function, worker: Worker) -> None:
        self._function = function
        self._worker = worker
        self._schedule = Schedule.parse(resolve(function.trigger["schedule"]))
        self._service = blob_service(HOST_STORAGE)
        self._status = self._service.get_blob_client(CONTAINER, f"timers/local/{function.name}/status")
        self._lock = self._service.get_blob_client(CONTAINER, f"locks/local/{function.name}.listener")
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name=f"timer-{function.name}", daemon=True)

    def start(self) -> None:
        """Begin to watch the clock."""
        self._thread.start()

    def stop(self) -> None:
        """Begin no more occurrences."""
        self._stopping.set()

    def close(self) -> None:
        """Wait for the occurrence that runs, and let go of storage."""
        self._thread.join()
        self._service.close()

    def _loop(self) -> None:
        with suppress(_Stopped):
            due, is_late = self._patiently(self._first_due)
            while not self._stopping.wait(max(0.0, (due - datetime.now(UTC)).total_seconds())):
                self._occur(due, is_late=is_late)
                due, is_late = self._schedule.next_after(max(due, datetime.now(UTC))), False

    def _patiently[T](self, action: Callable[[], T]) -> T:
        """Do something in storage; a hiccup is logged and it is tried again until the host stops."""
        while True:
            try:
                return action()
            except AzureError as error:
                log.warning("%s: the timer's status: %s", self._function.name, type(error).__name__)
                if self._stopping.wait(RETRY_SECONDS):
                    raise _Stopped from None

    def _first_due(self) -> tuple[datetime, bool]:
        """Give the first occurrence, and whether it is one that was missed while nobody ran."""
        now = datetime.now(UTC)
        if self._function.trigger.get("useMonitor", True):
            last = self._last()
            if last is None:
                self._write(self._status, _status(now))
            elif (missed := self._schedule.next_after(last)) < now:
                return missed, True
        at_once = self._function.trigger.get("runOnStartup", False)
        return now if at_once else self._schedule.next_after(now), False

    def _occur(self, due: datetime, *, is_late: bool) -> None:
        """Run one occurrence, unless another instance has it or had it."""
        lock = self._patiently(self._acquire)
        if lock is None:
            return
        with lock:
            last = self._patiently(self._last)
            if last is not None and last >= due:
                return
            # One late run stands for everything that was missed until now, so the next start must not find more.
            covered = datetime.now(UTC) if is_late else due
            self._run(due, last, is_late=is_late)
            self._patiently(lambda: self._write(self._status, _status(covered)))

    def _run(self, due: datetime, last: datetime | None, *, is_late: bool) -> None:
        before = last or due - timedelta(seconds=1)
        info = {
            "Schedule": {"AdjustForDST": True},
            "ScheduleStatus": {
                "Last": before.isoformat(),
                "Next": self._schedule.next_after(max(before, due)).isoformat(),
                "LastUpdated": before.isoformat(),
            },
            "IsPastDue": is_late,
        }
        try:
            self._worker.invoke(self._function, runtime.as_json(info))
        except InvocationFailed as error:
            log.error("%s failed: %s", self._function.name, error)

    def _acquire(self) -> Lock | None:
        """Take the timer's lock; gives None if another instance has it."""
        try:
            return Lock.acquire(self._lock)
        except ResourceNotFoundError:
            with suppress(ResourceExistsError):
                self._write(self._lock, "", overwrite=False)
            return Lock.acquire(self._lock)

    def _last(self) -> datetime | None:
        """Give the moment up to which occurrences are dealt with, if one was noted."""
        try:
            return datetime.fromisoformat(json.loads(self._status.download_blob().readall())["last"])
        except ResourceNotFoundError:
            return None

    def _write(self, blob: BlobClient, data: str, *, overwrite: bool = True) -> None:
        try:
            blob.upload_blob(data, overwrite=overwrite)
        except ResourceNotFoundError:
            with suppress(ResourceExistsError):
                self._service.create_container(CONTAINER)
            blob.upload_blob(data, overwrite=overwrite)


class _Stopped(Exception):
    """The host stops while storage does not answer."""


def _status(last: datetime) -> str:
    return json.dumps({"last": last.isoformat()})
