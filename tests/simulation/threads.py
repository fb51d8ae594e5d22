"""Threads that are used again: a play has some ten actors, and to start a thread costs more than most of them do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final


class Job:
    """Work that a thread of its own does."""

    def __init__(self, work: Callable[[], None]) -> None:
        self.work = work
        self._done = threading.Lock()
        self._done.acquire()

    def wait(self) -> None:
        """Wait until it is done."""
        with self._done:
            return

    def do(self, then: Callable[[], None]) -> None:
        """Do the work, then what has to be done before anybody knows that it is done."""
        try:
            self.work()
        finally:
            then()
            self._done.release()


class _Hand:
    """A thread that does one job after the other."""

    def __init__(self) -> None:
        self._job: Job | None = None
        self._go = threading.Lock()
        self._go.acquire()
        threading.Thread(target=self._live, daemon=True).start()

    def take(self, job: Job) -> None:
        """Do this job."""
        self._job = job
        self._go.release()

    def _live(self) -> None:
        while True:
            self._go.acquire()
            job, self._job = self._job, None
            assert job is not None
            job.do(then=lambda: _free.append(self))


_free: Final[list[_Hand]] = []


def run_apart(work: Callable[[], None]) -> Job:
    """Have a thread do some work."""
    job = Job(work)
    (_free.pop() if _free else _Hand()).take(job)
    return job
