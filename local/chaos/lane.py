"""A lane: one stack of its own, on which rounds of chaos run one after the other, each checked at its end."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import requests
from azure.core.exceptions import AzureError
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient

from cli.client import Address, ApiError, Client
from local.chaos.account import harm
from local.chaos.asking import persistently
from local.chaos.evidence import keep_evidence
from local.chaos.left import left_lying
from local.chaos.marks import Search
from local.chaos.odd import spoil
from local.chaos.schedule import Round, Trouble
from local.chaos.trouble import KEYS, SECRET, Stage, TroubleMaker
from local.chaos.verdict import ALSO_EXPLAINED, EXPLAINED, NAMED, Verdict
from local.environment import Company
from local.source_proxy import SourceProxy
from local.stack import Stack
from local.targets import AUTOPILOT, Target
from local.warm import Shared
from shared.azure.tables import Table
from shared.runs.ledger import Ledger

NAME: Final = "chaos"
STUCK_SECONDS: Final = 300.0
"""Seconds after which a run that has not ended counts as stuck: twice what two kills in a row may cost."""

LOOK_SECONDS: Final = 0.5
"""Seconds between two looks at a run, which cost the machine that is waited for."""

CLEAR_SECONDS: Final = 60.0
"""Seconds in which a run that has ended clears up behind itself."""

SETTINGS: Final = {
    "SETTLE_SECONDS": "0",
    "EXPORT_SCHEDULE": "0 0 0 1 1 *",
    "SUPERVISION_SCHEDULE": "*/3 * * * * *",
    "GRACE_SECONDS": "6",
    "LOCAL_HOST_LEASE_SECONDS": "600",
    "LOCAL_HOST_TIMER_LOCK_SECONDS": "3",
}
"""The platform's ten minutes of hiding are kept; supervision looks more often than by default, and another host takes a
dead one's timers sooner, to save time."""


class Stuck(Exception):
    """A run has not ended in time."""


class Lane:
    """Runs rounds on one stack; a context manager."""

    def __init__(
        self, directory: Path, hosts: int = 2, target: Target = AUTOPILOT, shared: Shared | None = None
    ) -> None:
        self._directory = directory
        self._target = target
        self._proxy = SourceProxy()
        self._company = Company.found(1)
        self._churn = 0.0
        environment = {**os.environ, "CustomerInsightsStorage": self._proxy.connection_string}
        self._stack = Stack(
            directory, instances=hosts, settings=SETTINGS, environment=environment, targets=(target,), shared=shared
        )
        self._stage = Stage(self._stack, self._proxy, self._refresh)

    def __enter__(self) -> Lane:
        self._proxy.__enter__()
        self._stack.__enter__()
        assert self._stack.azurite is not None
        self._proxy.upstream = self._stack.azurite.blob_port
        self._api = Client(Address(self._stack.api_url, self._stack.function_key))
        return self

    def __exit__(self, *_: object) -> None:
        self._api.__exit__()
        self._stack.__exit__()
        self._proxy.__exit__()

    def play(self, drawn: Round) -> Verdict:
        """Play one round: a first load, a refresh, both in trouble; then, in calm, what must hold.

        What did not hold leaves its evidence, before anything is cleared up.
        """
        verdict = Verdict(drawn.seed, troubles=[trouble.kind for part in drawn.troubles for trouble in part])
        verdict.troubles += [f"odd partition: {drawn.odd}"] if drawn.odd else []
        begun = time.monotonic()
        try:
            self._play(drawn, verdict)
            if verdict.is_clean:
                self._persistently("delete", f"exports/{NAME}")
                self._persistently("delete", f"connections/{NAME}")
        except (Stuck, ApiError, requests.RequestException, AzureError) as error:
            verdict.stuck += 1
            verdict.notes.append(f"{type(error).__name__}: {error}")
        verdict.seconds = round(time.monotonic() - begun, 1)
        if not verdict.is_clean:
            keep_evidence(self.evidence(drawn.seed), self._stack, {"round": asdict(drawn), "verdict": asdict(verdict)})
        return verdict

    def evidence(self, seed: int) -> Path:
        """Return the folder that says everything about a round that went wrong."""
        return self._directory / f"evidence-{seed}"

    def _play(self, drawn: Round, verdict: Verdict) -> None:
        requests.post(f"{self._stack.sandbox_url}/sandbox/empty", timeout=30).raise_for_status()
        calm = {"key": KEYS[0], **drawn.knobs}
        self._company, self._churn = Company.found(drawn.people, drawn.seed), drawn.churn
        with TroubleMaker(self._stage, (), calm):
            self._publish()
        self._target.furnish(str(self._stack.sandbox_url), KEYS[0])
        self._configure(drawn)
        self._run_in_trouble(drawn.troubles[0], drawn.knobs, verdict)
        if drawn.odd:
            self._run_odd(drawn, drawn.odd, verdict)
        self._refresh()
        self._run_in_trouble(drawn.troubles[1], drawn.knobs, verdict)
        self._check(drawn, verdict)

    def _refresh(self) -> None:
        """Publish the company's next refresh."""
        self._company = self._company.next_refresh(self._churn)
        self._publish()

    def _publish(self) -> None:
        """Write what the company says now, to the account itself: Customer Insights has no proxy before it."""
        with BlobServiceClient.from_connection_string(self._stack.storage) as service:
            self._company.publish(service, self._stack.source_path)

    def _run_odd(self, drawn: Round, odd: str, verdict: Verdict) -> None:
        """Publish the same people with one partition odd: the run reads it right or ends by name, and nobody leaves."""
        self._publish()
        before = self._members(drawn)
        with BlobServiceClient.from_connection_string(self._stack.storage) as service:
            spoil(service, self._stack.source_path, drawn.segments[0], odd)
        verdict.judge(self._run("runs"), NAMED)
        for name, held in self._members(drawn).items():
            gone = (before[name] & self._company.expected_members(name)) - held
            verdict.lost += len(gone)
            if gone:
                verdict.notes.append(f"{name}: {len(gone)} left because of a partition with {odd}")

    def _members(self, drawn: Round) -> dict[str, set[str]]:
        lists = {item["title"]: item["list_id"] for item in self._look("lists")["lists"]}
        return {
            name: set(self._look(f"lists/{lists[name]}/emails")) if name in lists else set() for name in drawn.segments
        }

    def _configure(self, drawn: Round) -> None:
        connection = {
            "display_name": "Chaos",
            "secret_name": SECRET,
            "agree_to_privacy": True,
            "rate_limit": drawn.rate,
            **self._target.connection,
        }
        export = {
            "display_name": "Chaos",
            "connection": NAME,
            "mapping": dict(self._target.mapping),
            "segments": list(drawn.segments),
            "schedule": {"on": "off"},
            "guards": {"max_removed_percent": 100, "allow_empty": True},
            **self._target.export,
        }
        self._stack.store_secret(SECRET, KEYS[0])
        self._persistently("put", f"connections/{NAME}", connection)
        self._persistently("put", f"exports/{NAME}", export)

    def _run_in_trouble(self, troubles: Sequence[Trouble], calm: Mapping[str, Any], verdict: Verdict) -> None:
        with TroubleMaker(self._stage, troubles, dict(calm)):
            run = self._persistently("post", f"exports/{NAME}/runs")["run"]
            ended = self._wait(run)
        explained = EXPLAINED.union(*(ALSO_EXPLAINED.get(trouble.kind, set()) for trouble in troubles))
        verdict.judge(ended, explained)

    def _check(self, drawn: Round, verdict: Verdict) -> None:
        """Check, in calm: one more run, and what follows it, brings everything to what the segments say; then nothing is left."""
        verdict.judge(self._run("runs"), EXPLAINED)
        self._settle()
        self._compare(drawn, verdict)
        harms = harm(self._target, self._look)  # before the sandbox counts anew
        verdict.off += len(harms)
        verdict.notes += harms
        requests.post(f"{self._stack.sandbox_url}/sandbox/reset", timeout=10).raise_for_status()
        idle = self._run("runs")
        verdict.judge(idle, EXPLAINED)
        writes = self._look("stats")["writes"]
        if writes or idle["counts"]["delivered"]:
            verdict.off += 1
            verdict.notes.append(f"an idle run made {writes} writes and delivered {idle['counts']['delivered']}")
        verified = self._run("verify")
        if verified["reason"] != "lists_equal":
            verdict.wrong += 1
            verdict.notes.append(f"verification: {verified['findings']}")
        self._search(verdict)

    def _compare(self, drawn: Round, verdict: Verdict) -> None:
        titles = [item["title"] for item in self._look("lists")["lists"]]
        if len(set(titles)) != len(titles):
            verdict.wrong += 1
            verdict.notes.append("a list was created twice")
        for name, held in self._members(drawn).items():
            members = self._company.expected_members(name)
            verdict.lost += len(members - held)
            verdict.wrong += len(held - members)
            if held != members:
                verdict.notes.append(f"{name}: {len(members - held)} lost, {len(held - members)} wrong")

    def _search(self, verdict: Verdict) -> None:
        """Look for what the app left lying, once it has had the time to clear up, and for addresses and keys in all of it."""
        deadline = time.monotonic() + CLEAR_SECONDS
        while (left := left_lying(self._stack.storage)) and time.monotonic() < deadline:
            time.sleep(0.5)
        container = self._stack.source_path.partition("/")[0]
        search = Search(["@example.", *KEYS])
        found = [*search.storage(self._stack.storage, but=[container]), *search.files(self._logs())]
        verdict.marks += len(found)
        verdict.notes += found[:5]
        verdict.off += len(left)
        verdict.notes += left[:5]

    def _logs(self) -> list[Path]:
        return list(self._stack.logs.glob("host-*.log"))

    def _settle(self) -> None:
        """Wait for whatever follows the last run by itself: an account may change its ways even in calm."""
        with TableServiceClient.from_connection_string(self._stack.storage) as service:
            ledger = Ledger(Table(service, "ledger"))
            while (head := ledger.head(NAME)).active or head.pending_follow_up:
                if head.active:
                    self._wait(head.active)
                time.sleep(0.2)

    def _run(self, what: str) -> dict[str, Any]:
        """Start a run in calm, after whatever follows the last one by itself."""
        self._settle()
        return self._wait(self._persistently("post", f"exports/{NAME}/{what}")["run"])

    def _wait(self, run: str) -> dict[str, Any]:
        deadline = time.monotonic() + STUCK_SECONDS
        while time.monotonic() < deadline:
            found: dict[str, Any] = self._persistently("get", f"exports/{NAME}/runs/{run}")
            if found["ended_at"]:
                return found
            time.sleep(LOOK_SECONDS)
        raise Stuck(f"run {run} has not ended after {STUCK_SECONDS:.0f} s: {found}")

    def _persistently(self, method: str, path: str, *body: object) -> Any:
        """Call the API until it answers: its process may just be dead, or its storage down."""
        return persistently(self._api, method, path, *body)

    def _look(self, path: str) -> Any:
        return requests.get(f"{self._stack.sandbox_url}/sandbox/{path}", timeout=30).json()
