"""The worker: runs functions, watches `functionTimeout`, and knows what runs."""

from __future__ import annotations

import logging
import os
import threading
import uuid
from collections.abc import Mapping
from typing import Final

from azure_functions_runtime.bindings.datumdef import Datum

from local.host import runtime
from local.host.runtime import Function

log = logging.getLogger(__name__)

TIMED_OUT: Final = 1
"""Exit code of a host one of whose functions took too long."""


class Worker:
    """Runs functions, each on a thread of the runtime's pool."""

    def __init__(self, timeout: float | None) -> None:
        self._timeout = timeout
        self._running: dict[str, str] = {}
        self._changed = threading.Condition()

    def invoke(self, function: Function, data: Datum, metadata: Mapping[str, Datum] | None = None) -> Datum | None:
        """Run a function on its trigger's data; gives what it returns. Raises InvocationFailed."""
        invocation = str(uuid.uuid4())
        limit = threading.Timer(self._timeout or 0, _end_worker, [function.name])
        limit.daemon = True
        with self._changed:
            self._running[invocation] = function.name
        try:
            if self._timeout is not None:
                limit.start()
            return runtime.invoke(invocation, function, data, metadata or {})
        finally:
            limit.cancel()
            with self._changed:
                del self._running[invocation]
                self._changed.notify_all()

    @property
    def running(self) -> tuple[str, ...]:
        """Names of the functions that run now, one for each invocation."""
        with self._changed:
            return tuple(self._running.values())

    def wait_until_idle(self) -> None:
        """Wait until nothing runs."""
        with self._changed:
            self._changed.wait_for(lambda: not self._running)

    def name_function(self, record: logging.LogRecord) -> bool:
        """Put the name of the function that logs into a record: a filter for a handler."""
        record.function = self._running.get(runtime.current_invocation() or "", "-")
        return True


def _end_worker(function: str) -> None:
    """Do what the platform does when a function takes too long: the whole worker goes, with all that it runs."""
    log.critical("%s took longer than functionTimeout: the worker ends", function)
    os._exit(TIMED_OUT)
