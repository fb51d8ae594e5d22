"""The contestants: the peers' programs, and our own stack, each with a sandbox of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import psutil
import requests
from azure.storage.blob import BlobServiceClient

from bench.peers.installation import HOME, PEERS, python_of
from bench.peers.measure import PeakMemory
from bench.peers.population import Population
from cli.client import Address, Client
from local.environment import MAPPING, publish
from local.processes import ServerProcess
from local.stack import Stack

LIST: Final = "Everyone"
KEY: Final = "sandbox-key"
POLL_SECONDS: Final = 0.1
QUICK: Final[Mapping[str, str]] = {
    "SETTLE_SECONDS": "0",
    "EXPORT_SCHEDULE": "0 0 0 1 1 *",
    "LOCAL_HOST_LEASE_SECONDS": "5",
}
"""No settling time, no tick: a run begins when it is asked for. As in tests/stack."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one export went: when it began and ended, what it said of itself, what it wrote, and its memory."""

    began: float
    ended: float
    end: str
    output: str
    peak_mib: float
    stand_ins_mib: float = 0


class Contestant(Protocol):
    """What can export."""

    name: str
    sandbox_url: str

    def export(self, population: Population) -> Outcome:
        """Export a segment as it is now."""


class Program:
    """A peer: a pipe of one or more programs that run once for each export."""

    def __init__(self, name: str, peer: str, scripts: tuple[str, ...], settings: Mapping[str, str], url: str) -> None:
        self.name = name
        self.sandbox_url = url
        self._python = python_of(peer)
        self._scripts = [PEERS / peer / script for script in scripts]
        self._directory = HOME / "runs" / name
        self._settings = settings
        self._runs = 0

    def export(self, population: Population) -> Outcome:
        """Write the segment's file and run the program on it."""
        self._runs += 1
        file, log = self._directory / "segment.csv", self._directory / f"run-{self._runs}.log"
        population.table.write_csv(file, quote_style="always")
        environment = {**_plain_environment(), **self._settings, "SEGMENT_CSV": str(file)}
        began = time.time()
        with ExitStack() as started, log.open("wb") as output:
            processes = self._start(started, environment, output)
            with PeakMemory(lambda: [process.pid for process in processes]) as memory:
                codes = [process.wait() for process in processes]
        end = "ended" if not any(codes) else f"failed ({', '.join(map(str, codes))})"
        return Outcome(began, time.time(), end, log.read_text(errors="replace"), memory.mib)

    def _start(self, started: ExitStack, environment: Mapping[str, str], log: Any) -> list[subprocess.Popen[bytes]]:
        processes: list[subprocess.Popen[bytes]] = []
        for place, script in enumerate(self._scripts):
            last = place == len(self._scripts) - 1
            process = subprocess.Popen(
                [self._python, script],
                env=environment,
                cwd=self._directory,
                stdin=processes[-1].stdout if processes else subprocess.DEVNULL,
                stdout=log if last else subprocess.PIPE,
                stderr=log,
            )
            started.callback(_end, process)
            if processes and processes[-1].stdout is not None:
                processes[-1].stdout.close()
            processes.append(process)
        return processes


class Ours:
    """Our own stack: one instance, asked through its API; it reads the segment from storage."""

    name = "ours"

    def __init__(self, stack: Stack, api: Client, rate: int) -> None:
        assert stack.sandbox_url
        self.sandbox_url = stack.sandbox_url
        self._stack = stack
        self._api = api
        self._rate = rate
        self._saved = False

    def export(self, population: Population) -> Outcome:
        """Publish the segment and run the export on it."""
        with BlobServiceClient.from_connection_string(self._stack.source_storage) as service:
            publish(service, self._stack.source_path, {LIST: population.table}, datetime.now(UTC))
        self._save(population.rows.height)
        requests.post(f"{self.sandbox_url}/sandbox/reset", timeout=30)
        began = time.time()
        with PeakMemory(self._hosts) as memory, PeakMemory(self._stand_ins) as stand_ins:
            run = self._run()
        ended = time.time()
        rejected = self._api.text(f"exports/peers/runs/{run['id']}/rejected") if run["counts"]["rejected"] else ""
        return Outcome(began, ended, run["status"], rejected, memory.mib, stand_ins.mib)

    def _save(self, profiles: int) -> None:
        if self._saved:
            return
        account = {"display_name": "main", "api_key": KEY, "agree_to_privacy": True, "rate_limit": self._rate}
        self._api.put("connections/main", account)
        export = {"display_name": "peers", "connection": "main", "mapping": MAPPING, "segments": [LIST]}
        self._api.put("exports/peers", {**export, "max_profiles": max(100_000, 2 * profiles)})
        self._saved = True

    def _run(self) -> dict[str, Any]:
        run = self._api.post("exports/peers/runs")["run"]
        while True:
            found: dict[str, Any] = self._api.get(f"exports/peers/runs/{run}")
            if found["ended_at"]:
                return found
            time.sleep(POLL_SECONDS)

    def _hosts(self) -> list[int]:
        return [host.pid for host in self._stack.hosts]

    def _stand_ins(self) -> list[int]:
        """Return what stands in for Azure: storage and vault."""
        others = {*self._hosts(), *([self._stack.sandbox.pid] if self._stack.sandbox else [])}
        return [child.pid for child in psutil.Process().children() if child.pid not in others]


PEERS_RUN: Final[Mapping[str, tuple[str, tuple[str, ...], Mapping[str, str]]]] = {
    "loop": ("loop", ("loop.py",), {}),
    "threads": ("threads", ("threads.py",), {}),
    "dlt": ("dlt", ("export.py",), {}),
    "dlt, remembering": ("dlt", ("export.py",), {"PEER_REMEMBER": "1"}),
    "singer": ("singer", ("tap.py", "target.py"), {}),
    "dlt, as documented": ("dlt", ("export.py",), {"PEER_AS_DOCUMENTED": "1"}),
    "singer, as documented": ("singer", ("tap.py", "target.py"), {"PEER_AS_DOCUMENTED": "1"}),
}
"""Name to folder, programs of the pipe, and settings."""

ALL: Final = (Ours.name, *PEERS_RUN)
NAMES: Final = tuple(name for name in ALL if not name.endswith("as documented"))
"""Who takes part unless told otherwise: the others fail, which says nothing of their speed."""


@contextmanager
def contestant(name: str, rate: int, knobs: Mapping[str, Any]) -> Iterator[Contestant]:
    """Yield a contestant with a fresh sandbox; both are gone afterwards."""
    directory = HOME / "runs" / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    if name == Ours.name:
        stack = Stack(directory, settings=QUICK, knobs=knobs, in_memory=True, environment=_plain_environment())
        with stack, Client(Address(stack.api_url, stack.function_key)) as api:
            yield Ours(stack, api, rate)
        return
    peer, scripts, more = PEERS_RUN[name]
    sandbox = ServerProcess(
        "sandbox", ["-m", "local.sandbox", "--knobs", json.dumps(knobs)], os.environ, directory / "sandbox.log"
    )
    try:
        url = str(sandbox.start()["url"])
        settings = {
            **more,
            "AUTOPILOT_URL": f"{url}/v1",
            "AUTOPILOT_KEY": KEY,
            "AUTOPILOT_RATE": str(rate),
            "SEGMENT_LIST": LIST,
            "PEER_STATE": str(directory / "state"),
            "PYTHONPATH": str(PEERS.parent.parent),
        }
        yield Program(name, peer, scripts, settings, url)
    finally:
        sandbox.stop()


def _plain_environment() -> dict[str, str]:
    """Return this process's environment without settings that would turn the stack to another account."""
    ours = ("AUTOPILOT_", "KEY_VAULT_", "CUSTOMER_INSIGHTS_", "AzureWebJobs", "CustomerInsights", "PEER_", "SEGMENT_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
        process.wait()
