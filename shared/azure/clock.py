"""The adapter to the time: the storage account's clock, which all instances share, read off its answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any, Final

from shared.azure.skew import Skew

_SENT: Final = "segment_export_sent_at"


class StorageClock:
    """Time by the storage account's clock, in seconds since 1970. Hand `hooks` to the client whose answers it reads."""

    def __init__(self, machine: Callable[[], float] = time.time) -> None:
        self._machine = machine
        self._skew = Skew()
        self._lock = threading.Lock()

    def now(self) -> float:
        """Return the time."""
        return self._machine() + self._skew.offset

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    @property
    def hooks(self) -> dict[str, Any]:
        """Options of an Azure client (azure-core's CustomHookPolicy) that show this clock its requests and answers."""
        return {"raw_request_hook": self._sending, "raw_response_hook": self._received}

    def _sending(self, request: Any) -> None:
        request.context[_SENT] = self._machine()

    def _received(self, response: Any) -> None:
        sent, date = response.context.get(_SENT), response.http_response.headers.get("Date")
        if sent is None or date is None:
            return
        with self._lock:
            self._skew.observe(sent, self._machine(), parsedate_to_datetime(date).timestamp())
