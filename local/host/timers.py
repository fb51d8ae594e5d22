"""Timer triggers, as Microsoft's timer listener behaves: one host holds a timer, and calls it by its schedule in UTC.

Measured on Microsoft's listener (docs/local-host.md): the holder keeps its lock for as long as it lives; the others look
once a minute, so after a crash nobody calls for one to two minutes. A call that outlasts occurrences is followed by the
next at once. A schedule of a minute or more remembers its last occurrence and catches up once, past due; a denser one
remembers nothing.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Final

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.blob import BlobClient, BlobServiceClient
from cronsim import CronSim

from local.host import runtime
from local.host.configuration import resolve
from local.host.locks import CONTAINER, Lock
from local.host.runtime import Function, InvocationFailed

log = logging.getLogger(__name__)

LOCK_SECONDS: Final = 60.0
HOST_STORAGE: Final = "AzureWebJobsStorage"
REMEMBERED: Final = timedelta(minutes=1)
"""A schedule whose occurrences are closer than this has no memory."""


class TimerTrigger:
    """Runs one function by its schedule, while this host holds the function's lock."""

    def __init__(self, function: Function) -> None:
        self._function = function
        self._schedule = resolve(function.trigger["schedule"])
        self._remembers = function.trigger.get("useMonitor", True) and _is_sparse(self._schedule)
        self._service = BlobServiceClient.from_connection_string(os.environ[HOST_STORAGE])
        self._status: BlobClient = self._service.get_blob_client(CONTAINER, f"timers/local/{function.name}/status")
        self._lock_seconds = float(os.environ.get("LOCAL_HOST_TIMER_LOCK_SECONDS", LOCK_SECONDS))
        self._lock = Lock(self._service, f"locks/local/{function.name}", self._lock_seconds)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name=f"timer-{function.name}", daemon=True)

    def start(self) -> None:
        """Begin to watch the clock."""
        self._thread.start()

    def stop(self) -> None:
        """Run no more."""
        self._stopping.set()

    def close(self, deadline: float) -> None:
        """Let another host hold the timer; wait for what runs until a moment of the monotonic clock."""
        self._thread.join(max(0.0, deadline - time.monotonic()))
        self._lock.release()
        self._service.close()

    def _loop(self) -> None:
        """Wait for the lock, then call by the schedule until the lock is lost."""
        while not self._stopping.is_set():
            try:
                if self._lock.acquire():
                    self._call_by_schedule()
            except AzureError as error:
                log.warning("%s: storage does not answer: %s", self._function.name, type(error).__name__)
            self._stopping.wait(self._lock_seconds)

    def _call_by_schedule(self) -> None:
        due, past_due = self._first_due()
        while not self._stopping.wait(max(0.0, (due - datetime.now(UTC)).total_seconds())):
            if not self._lock.is_held:
                return
            begun = datetime.now(UTC)
            self._run(due, past_due=past_due)
            self._remember(begun)
            # An occurrence that passes while the function runs is called at once, and is not past due (measured).
            due, past_due = next(CronSim(self._schedule, max(due, begun))), False

    def _first_due(self) -> tuple[datetime, bool]:
        """Return the first occurrence, and whether it was missed while no host ran."""
        now = datetime.now(UTC)
        if self._function.trigger.get("runOnStartup"):
            return now, False
        following = next(CronSim(self._schedule, now))
        if not self._remembers:
            return following, False
        last = self._last()
        if last is None:
            self._remember(now)
            return following, False
        missed = next(CronSim(self._schedule, last))
        return (missed, True) if missed < now else (following, False)

    def _run(self, due: datetime, *, past_due: bool) -> None:
        now = datetime.now(UTC)
        info = {
            "Schedule": {"AdjustForDST": True},
            "ScheduleStatus": {"Last": due.isoformat(), "Next": due.isoformat(), "LastUpdated": now.isoformat()},
            "IsPastDue": past_due,
        }
        try:
            runtime.invoke(self._function, runtime.as_json(info))
        except InvocationFailed as error:
            log.error("%s failed: %s", self._function.name, error)
        log.info("%s was called", self._function.name)

    def _last(self) -> datetime | None:
        try:
            return datetime.fromisoformat(json.loads(self._status.download_blob().readall())["last"])
        except ResourceNotFoundError:
            return None

    def _remember(self, last: datetime) -> None:
        if self._remembers:
            self._status.upload_blob(json.dumps({"last": last.isoformat()}), overwrite=True)


def _is_sparse(schedule: str) -> bool:
    """Return whether all of the next occurrences are a minute or more apart; raise CronSimError for no schedule."""
    occurrences = CronSim(schedule, datetime.now(UTC))
    return all(later - earlier >= REMEMBERED for earlier, later in pairwise(islice(occurrences, 10)))
