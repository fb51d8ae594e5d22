"""What is measured: memory of a process tree, and what the sandbox saw and holds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import psutil
import requests

from bench.peers.population import Population

SAMPLE_SECONDS: Final = 0.1
JOURNAL: Final = 10_000
"""How many of the last calls the sandbox's journal holds."""


class PeakMemory:
    """The largest resident memory, in MiB, that processes and their descendants held together, by samples."""

    def __init__(self, pids: Callable[[], Iterable[int]]) -> None:
        self._pids = pids
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.mib = 0.0

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.is_set():
            self.mib = max(self.mib, sum(map(_resident, self._all())) / 2**20)
            self._stop.wait(SAMPLE_SECONDS)

    def _all(self) -> set[psutil.Process]:
        found = set()
        for pid in self._pids():
            try:
                process = psutil.Process(pid)
                found |= {process, *process.children(recursive=True)}
            except psutil.NoSuchProcess:
                continue
        return found


class SandboxView:
    """What a sandbox saw and holds."""

    def __init__(self, url: str, destination: str) -> None:
        self._url = f"{url}/sandbox"
        self._points = _POINTS[destination]

    def reset(self) -> None:
        """Begin to count anew."""
        requests.post(f"{self._url}/reset", timeout=30).raise_for_status()

    def statistics(self) -> dict[str, Any]:
        """Return the counts since the reset."""
        found: dict[str, Any] = self._get("stats")
        return found

    def first_and_last_call(self) -> tuple[float | None, float]:
        """Return the times of the first call (None if the journal no longer holds it) and of the last."""
        times = [entry["at"] for entry in self._get("journal")] or [time.time()]
        return (times[0] if len(times) < JOURNAL else None), times[-1]

    def members(self, title: str) -> set[str]:
        """Return the addresses on a list, trimmed and lower case."""
        lists = [item["list_id"] for item in self._get("lists")["lists"] if item["title"] == title]
        return {str(email).strip().lower() for list_id in lists for email in self._get(f"lists/{list_id}/emails")}

    def stale(self, population: Population) -> int:
        """Count members whose points are not the segment's."""
        wanted = population.points
        held = dict(map(self._points, self._get("contacts")))
        return sum(email in held and held[email] not in points for email, points in wanted.items())

    def _get(self, path: str) -> Any:
        answer = requests.get(f"{self._url}/{path}", timeout=60)
        answer.raise_for_status()
        return answer.json()


def _points_at_autopilot(contact: dict[str, Any]) -> tuple[str, object]:
    """Return a contact's address and its points."""
    points = {field["kind"]: field["value"] for field in contact.get("custom_fields", [])}.get("Loyalty Points")
    return str(contact.get("Email", "")).strip().lower(), points


def _points_at_ortto(person: dict[str, Any]) -> tuple[str, object]:
    """Return a person's address and their points."""
    fields = person["fields"]
    return str(fields.get("str::email", "")).strip().lower(), fields.get("int:cm:loyalty-points")


_POINTS: Final[Mapping[str, Callable[[dict[str, Any]], tuple[str, object]]]] = {
    "autopilot": _points_at_autopilot,
    "ortto": _points_at_ortto,
}


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
