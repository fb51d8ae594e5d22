"""The contestants: the peers' programs, and our own stack, each with a sandbox of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol

import psutil
import requests
from azure.storage.blob import BlobServiceClient

from bench.peers.installation import HOME, PEERS, python_of
from bench.peers.measure import PeakMemory
from bench.peers.population import Population
from bench.world import QUICK_ORTTO
from cli.client import Address, Client
from local.environment import publish
from local.processes import ServerProcess
from local.stack import Stack
from local.targets import AUTOPILOT, Target
from local.world import KEY

LIST: Final = "Everyone"
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


@dataclass(frozen=True, slots=True)
class Pipe:
    """A peer's programs: its folder, the scripts in the order that one writes to the next, and settings."""

    peer: str
    scripts: tuple[str, ...]
    settings: Mapping[str, str] = field(default_factory=dict)


class Program:
    """A peer: a pipe of one or more programs that run once for each export."""

    def __init__(self, name: str, pipe: Pipe, directory: Path, settings: Mapping[str, str], url: str) -> None:
        self.name = name
        self.sandbox_url = url
        self._python = python_of(pipe.peer)
        self._scripts = [PEERS / pipe.peer / script for script in pipe.scripts]
        self._directory = directory
        self._settings = {**pipe.settings, **settings}
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

    def __init__(self, stack: Stack, api: Client, target: Target, rate: int) -> None:
        assert stack.sandbox_url
        self.sandbox_url = stack.sandbox_url
        self._target = target
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
        self._api.put("connections/main", {**account, **self._target.connection})
        export = {"display_name": "peers", "connection": "main", "mapping": self._target.mapping, "segments": [LIST]}
        more = {"max_profiles": max(100_000, 2 * profiles), **self._target.export}
        self._api.put("exports/peers", {**export, **more})
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


@dataclass(frozen=True, slots=True)
class Contest:
    """Who competes at a kind of destination: the peers by name, and the header that their calls carry its key in."""

    target: Target
    key_header: str
    peers: Mapping[str, Pipe]

    @property
    def all(self) -> tuple[str, ...]:
        """The names of all, ours first."""
        return (Ours.name, *self.peers)

    @property
    def names(self) -> tuple[str, ...]:
        """Who takes part unless told otherwise: the others fail, which says nothing of their speed."""
        return tuple(name for name in self.all if not name.endswith("as documented"))


CONTESTS: Final[Mapping[str, Contest]] = {
    "autopilot": Contest(
        AUTOPILOT,
        "autopilotapikey",
        {
            "loop": Pipe("loop", ("loop.py",)),
            "threads": Pipe("threads", ("threads.py",)),
            "dlt": Pipe("dlt", ("export.py",)),
            "dlt, remembering": Pipe("dlt", ("export.py",), {"PEER_REMEMBER": "1"}),
            "singer": Pipe("singer", ("tap.py", "target.py")),
            "dlt, as documented": Pipe("dlt", ("export.py",), {"PEER_AS_DOCUMENTED": "1"}),
            "singer, as documented": Pipe("singer", ("tap.py", "target.py"), {"PEER_AS_DOCUMENTED": "1"}),
        },
    ),
    "ortto": Contest(
        QUICK_ORTTO,
        "X-Api-Key",
        {"loop": Pipe("loop", ("ortto.py",)), "threads": Pipe("threads", ("ortto.py",))},
    ),
}
"""By kind of destination."""


@contextmanager
def contestant(name: str, kind: str, rate: int, knobs: Mapping[str, Any]) -> Iterator[Contestant]:
    """Yield a contestant with a fresh sandbox; both are gone afterwards."""
    at = CONTESTS[kind]
    directory = HOME / "runs" / kind / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    if name == Ours.name:
        stack = Stack(
            directory,
            settings=QUICK,
            knobs=knobs,
            in_memory=True,
            environment=_plain_environment(),
            targets=(at.target,),
        )
        with stack, Client(Address(stack.api_url, stack.function_key)) as api:
            assert stack.sandbox_url
            at.target.furnish(stack.sandbox_url, KEY)
            yield Ours(stack, api, at.target, rate)
        return
    sandbox = ServerProcess(
        "sandbox", ["-m", at.target.sandbox, "--knobs", json.dumps(knobs)], os.environ, directory / "sandbox.log"
    )
    try:
        url = str(sandbox.start()["url"])
        at.target.furnish(url, KEY)
        settings = {
            "PEER_URL": f"{url}/v1",
            "PEER_KEY": KEY,
            "PEER_KEY_HEADER": at.key_header,
            "PEER_RATE": str(rate),
            "SEGMENT_LIST": LIST,
            "PEER_STATE": str(directory / "state"),
            "PYTHONPATH": str(PEERS.parent.parent),
        }
        yield Program(name, at.peers[name], directory, settings, url)
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
