"""Checks with a deadline: each runs in a thread of its own, and one that does not answer in time says so."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

_RUNNING: Final[dict[tuple[int, str], Check]] = {}
_LOCK: Final = threading.Lock()


class Check:
    """One check that runs; its thread may outlive whoever waits for it, and ends with the process."""

    def __init__(self, attempt: Callable[[], Mapping[str, object]]) -> None:
        self._attempt = attempt
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._error: Exception | None = None
        self._result: Mapping[str, object] | None = None
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether nothing has come of it yet."""
        return self._thread.is_alive()

    def result(self, until: float) -> Mapping[str, object] | None:
        """Return what came of it, or None if that is nothing by `until` (monotonic); raises what the check raised."""
        self._thread.join(max(0.0, until - time.monotonic()))
        if self._error is not None:
            raise self._error
        return self._result

    def _run(self) -> None:
        try:
            self._result = self._attempt()
        except Exception as error:  # noqa: BLE001 - raised where somebody waits
            self._error = error


def results(
    owner: object, checks: Mapping[str, Callable[[], Mapping[str, object]]], seconds: float
) -> dict[str, Mapping[str, object] | None]:
    """Run an owner's checks side by side and return what each came to, None for one that did not answer within `seconds`.

    One that hangs since somebody asked before is not begun a second time: who asks often does not pile up threads.
    """
    until = time.monotonic() + seconds
    with _LOCK:
        for over in [key for key, check in _RUNNING.items() if not check.is_running]:
            del _RUNNING[over]
        for name, attempt in checks.items():
            if (id(owner), name) not in _RUNNING:
                _RUNNING[id(owner), name] = Check(attempt)
        begun = {name: _RUNNING[id(owner), name] for name in checks}
    return {name: begun[name].result(until) for name in checks}
