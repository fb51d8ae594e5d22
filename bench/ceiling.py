"""`python -m bench.ceiling`: our whole pipeline, unpaced, beside a bare loop that makes the same calls and nothing else."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

import psutil
import requests
from requests.adapters import HTTPAdapter
from rich.console import Console

from bench.report import Part
from bench.world import open_world
from local.world import KEY, SIMPLE, World, people
from shared.azure.vault import GivenKey
from shared.destinations.autopilot.client import Autopilot
from shared.http.transport import session

PROFILES: Final = 12_000
INSTANCES: Final = (1, 2)


class Connections:
    """Watches how many connections a server has open, and keeps the largest number."""

    def __init__(self, pid: int) -> None:
        self.most = 0
        self._process = psutil.Process(pid)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Connections:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.25):
            open_now = [item for item in self._process.net_connections("tcp") if item.status == psutil.CONN_ESTABLISHED]
            self.most = max(self.most, len(open_now))


def ours(instances: int) -> tuple[float, int]:
    """Export to a plain account without a limit; return calls a second, and the most connections."""
    with open_world(instances=instances, in_memory=True) as world:
        world.publish({"All": people(*(f"p{n}@example.com" for n in range(PROFILES)))})
        world.connect(rate_limit=10_000)
        world.save("all", segments=["All"], mapping=SIMPLE)
        world.reset_statistics()
        assert world.stack.sandbox is not None
        with Connections(world.stack.sandbox.pid) as connections:
            run = world.wait("all", world.start("all"), seconds=300)
        assert run["counts"]["delivered"] == PROFILES, run
        return calls_a_second(world), connections.most


def bare(connections: int, *, adapter: bool = False) -> float:
    """Make the same calls from a loop over threads: bodies prepared, nothing recorded; return calls a second.

    They go by a session of requests, as anybody would write it, or by our own adapter.
    """
    with open_world(instances=1, in_memory=True) as world, _session(connections) as http, session() as ours:
        url = f"{world.stack.sandbox_url}/v1"
        listed = http.post(f"{url}/list", json={"name": "All"}, timeout=60).json()["list_id"]
        contacts = [
            {"Email": f"p{n}@example.com", "FirstName": f"Name{n}", "_autopilot_list": listed} for n in range(PROFILES)
        ]
        world.reset_statistics()
        api = Autopilot(url, GivenKey(KEY), ours)
        bodies = [json.dumps({"contact": contact}).encode() for contact in contacts]
        calls: list[Callable[[], object]] = [partial(_post, http, f"{url}/contact", body) for body in bodies]
        if adapter:
            calls = [partial(api.upsert_one, contact) for contact in contacts]
        with ThreadPoolExecutor(connections) as pool:
            for _ in pool.map(lambda call: call(), calls):
                continue
        return calls_a_second(world)


def _session(connections: int) -> requests.Session:
    http = requests.Session()
    http.headers.update({"autopilotapikey": KEY, "Content-Type": "application/json"})
    http.mount("http://", HTTPAdapter(pool_maxsize=connections))
    return http


def _post(http: requests.Session, url: str, body: bytes) -> None:
    http.post(url, data=body, timeout=60).raise_for_status()


def calls_a_second(world: World) -> float:
    """Return the calls a second between the first and the last one."""
    moments = [entry["at"] for entry in world.look("journal")]
    return float((len(moments) - 1) / (max(moments) - min(moments)))


def run() -> Part:
    """Measure ours with one and two instances, each beside the bare loop with as many connections."""
    rows, met = [], True
    for instances in INSTANCES:
        begun = time.monotonic()
        speed, connections = ours(instances)
        rival = max(bare(max(connections, 1)), bare(16))
        lean = max(bare(max(connections, 1), adapter=True), bare(16, adapter=True))
        met = met and speed / rival >= 0.8
        rows.append(
            (
                str(instances),
                str(connections),
                f"{speed:,.0f}/s",
                f"{rival:,.0f}/s",
                f"{speed / rival:.2f}",
                f"{lean:,.0f}/s",
                f"{time.monotonic() - begun:.0f} s",
            )
        )
    columns = ("instances", "connections", "ours", "bare loop", "ratio", "bare, our adapter", "took")
    notes = [
        "The bare loop is the better of two: with as many connections as ours had at most, and with 16. It uses a session of",
        "requests, as anybody would; beside it the same loop by our own adapter, which settles headers, proxies,",
        "certificates and the pool of connections once instead of for each call. One instance is one Python process; beside its calls it reserves",
        "windows and records chunks, all under one interpreter's lock, which the local host shares. What held it back was",
        "reserving: unpaced, a window lasts milliseconds, and each chunk lost most of its own. Now an instance that is slower",
        "than the pace reserves once for all its chunks. Fewer threads made it slower, not quicker.",
    ]
    return Part("Ceiling, unpaced", "at least 0.8 of the bare loop", columns, rows, met, notes)


if __name__ == "__main__":
    run().show(Console())
