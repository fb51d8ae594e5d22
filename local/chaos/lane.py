"""A lane: one stack of its own, on which rounds of chaos run one after the other, each checked at its end."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import requests
from azure.core.exceptions import AzureError
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from cli.client import Address, ApiError, Client
from local.chaos.marks import Search
from local.chaos.schedule import Round, Trouble
from local.chaos.trouble import KEYS, SECRET, TroubleMaker
from local.environment import MAPPING, Company
from local.stack import Stack
from shared.adapters.tables import Table
from shared.ledger import Ledger

NAME: Final = "chaos"
STUCK_SECONDS: Final = 300.0
"""Seconds after which a run that has not ended counts as stuck: twice what two kills in a row may cost."""

EXPLAINED: Final = {None, "rows_rejected", "nothing_to_do", "lists_differ", "lists_equal"}
ALSO_EXPLAINED: Final = {"vault down": {"key_refused"}, "restart the vault": {"key_refused"}}
"""Ends that a trouble explains: a key that was rotated while the vault could not be asked."""

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


@dataclass(slots=True)
class Verdict:
    """What a round came to: zeros everywhere is what must be."""

    seed: int
    lost: int = 0
    wrong: int = 0
    off: int = 0
    stuck: int = 0
    marks: int = 0
    seconds: float = 0.0
    troubles: list[str] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether everything held."""
        return not (self.lost or self.wrong or self.off or self.stuck or self.marks)

    def as_line(self) -> str:
        """Write it as one line of JSON."""
        return json.dumps(asdict(self))


class Stuck(Exception):
    """A run has not ended in time."""


class Lane:
    """Runs rounds on one stack; a context manager."""

    def __init__(self, directory: Path, hosts: int = 2) -> None:
        self._directory = directory
        self._stack = Stack(directory, instances=hosts, settings=SETTINGS)

    def __enter__(self) -> Lane:
        self._stack.__enter__()
        self._api = Client(Address(self._stack.api_url, self._stack.function_key))
        return self

    def __exit__(self, *_: object) -> None:
        self._api.__exit__()
        self._stack.__exit__()

    def play(self, drawn: Round) -> Verdict:
        """Play one round: a first load, a refresh, both in trouble; then, in calm, what must hold."""
        verdict = Verdict(drawn.seed, troubles=[trouble.kind for part in drawn.troubles for trouble in part])
        begun = time.monotonic()
        try:
            self._play(drawn, verdict)
        except (Stuck, ApiError, requests.RequestException, AzureError) as error:
            verdict.stuck += 1
            verdict.notes.append(f"{type(error).__name__}: {error}")
        verdict.seconds = round(time.monotonic() - begun, 1)
        return verdict

    def _play(self, drawn: Round, verdict: Verdict) -> None:
        requests.post(f"{self._stack.sandbox_url}/sandbox/empty", timeout=30).raise_for_status()
        calm = {"key": KEYS[0], **drawn.knobs}
        company = Company.found(drawn.people, drawn.seed)
        with TroubleMaker(self._stack, (), calm):
            self._publish(company)
        self._configure(drawn)
        self._run_in_trouble(drawn.troubles[0], drawn.knobs, verdict)
        company = company.next_refresh(drawn.churn)
        self._publish(company)
        self._run_in_trouble(drawn.troubles[1], drawn.knobs, verdict)
        self._check(drawn, company, verdict)
        self._persistently("delete", f"exports/{NAME}")
        self._persistently("delete", f"connections/{NAME}")

    def _publish(self, company: Company) -> None:
        with BlobServiceClient.from_connection_string(self._stack.source_storage) as service:
            company.publish(service, self._stack.source_path)

    def _configure(self, drawn: Round) -> None:
        connection = {
            "display_name": "Chaos",
            "secret_name": SECRET,
            "agree_to_privacy": True,
            "rate_limit": drawn.rate,
        }
        export = {
            "display_name": "Chaos",
            "connection": NAME,
            "mapping": dict(MAPPING),
            "segments": list(drawn.segments),
            "schedule": {"on": "off"},
            "guards": {"max_removed_percent": 100, "allow_empty": True},
        }
        self._stack.store_secret(SECRET, KEYS[0])
        self._persistently("put", f"connections/{NAME}", connection)
        self._persistently("put", f"exports/{NAME}", export)

    def _run_in_trouble(self, troubles: Sequence[Trouble], calm: Mapping[str, Any], verdict: Verdict) -> None:
        with TroubleMaker(self._stack, troubles, dict(calm)):
            run = self._persistently("post", f"exports/{NAME}/runs")["run"]
            ended = self._wait(run)
        explained = EXPLAINED.union(*(ALSO_EXPLAINED.get(trouble.kind, set()) for trouble in troubles))
        self._judge(ended, explained, verdict)

    def _check(self, drawn: Round, company: Company, verdict: Verdict) -> None:
        """Check, in calm: one more run, and what follows it, brings everything to what the segments say; then nothing is left."""
        self._judge(self._run("runs"), EXPLAINED, verdict)
        self._settle()
        expected = {name: company.expected_members(name) for name in drawn.segments}
        self._compare(expected, verdict)
        requests.post(f"{self._stack.sandbox_url}/sandbox/reset", timeout=10).raise_for_status()
        idle = self._run("runs")
        self._judge(idle, EXPLAINED, verdict)
        writes = self._look("stats")["writes"]
        if writes or idle["counts"]["delivered"]:
            verdict.off += 1
            verdict.notes.append(f"an idle run made {writes} writes and delivered {idle['counts']['delivered']}")
        verified = self._run("verify")
        if verified["reason"] != "lists_equal":
            verdict.wrong += 1
            verdict.notes.append(f"verification: {verified['findings']}")
        self._search(verdict)

    def _compare(self, expected: Mapping[str, set[str]], verdict: Verdict) -> None:
        lists = {item["title"]: item["list_id"] for item in self._look("lists")["lists"]}
        if len(lists) != len(self._look("lists")["lists"]):
            verdict.wrong += 1
            verdict.notes.append("a list was created twice")
        for name, members in expected.items():
            held = set(self._look(f"lists/{lists[name]}/emails")) if name in lists else set()
            verdict.lost += len(members - held)
            verdict.wrong += len(held - members)
            if held != members:
                verdict.notes.append(f"{name}: {len(members - held)} lost, {len(held - members)} wrong")

    def _judge(self, run: Mapping[str, Any], explained: set[str | None], verdict: Verdict) -> None:
        """Check what a run says of itself: an explained end, and counts that add up."""
        counts = run["counts"]
        settled = sum(counts[name] for name in ("delivered", "unchanged", "duplicates", "rejected", "undelivered"))
        verdict.ends.append(f"{run['trigger']}: {run['status']} ({run['reason']})")
        if run["reason"] not in explained:
            verdict.off += 1
            verdict.notes.append(f"{run['id']} ended as {run['reason']}: {run['advice']}")
        if settled != counts["rows_read"] or (run["status"] == "Successful" and counts["undelivered"]):
            verdict.off += 1
            verdict.notes.append(f"{run['id']}: counts do not add up: {counts}")

    def _search(self, verdict: Verdict) -> None:
        """Look for addresses and keys in all that the app wrote, and for what it left lying."""
        container = self._stack.source_path.partition("/")[0]
        search = Search(["@example.", *KEYS])
        found = [*search.storage(self._stack.storage, but=[container]), *search.files(self._logs())]
        verdict.marks += len(found)
        verdict.notes += found[:5]
        left = [*self._blobs_left(), *self._poison_left()]
        verdict.off += len(left)
        verdict.notes += left[:5]

    def _logs(self) -> list[Path]:
        return list((self._directory / "logs").glob("host-*.log"))

    def _blobs_left(self) -> list[str]:
        with BlobServiceClient.from_connection_string(self._stack.storage) as service:
            names = {container.name for container in service.list_containers()}
            return [
                f"left in {container}: {blob}"
                for container, most in (("chunks", 0), ("outcomes", 0), ("state", 1))
                if container in names
                for blob in list(service.get_container_client(container).list_blob_names())[most:]
            ]

    def _poison_left(self) -> list[str]:
        with QueueServiceClient.from_connection_string(self._stack.storage) as service:
            return [
                f"a message in {queue.name}"
                for queue in service.list_queues()
                if queue.name.endswith("-poison")
                and service.get_queue_client(queue.name).get_queue_properties().approximate_message_count
            ]

    def _settle(self) -> None:
        """Wait for whatever follows the last run by itself: an account may change its ways even in calm."""
        with TableServiceClient.from_connection_string(self._stack.storage) as service:
            ledger = Ledger(Table(service, "ledger"))
            while (head := ledger.head(NAME)).active or head.owed:
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
            time.sleep(0.2)
        raise Stuck(f"run {run} has not ended after {STUCK_SECONDS:.0f} s: {found}")

    def _persistently(self, method: str, path: str, *body: object) -> Any:
        """Call the API until it answers: its process may just be dead, or its storage down."""
        deadline = time.monotonic() + STUCK_SECONDS
        while True:
            try:
                return getattr(self._api, method)(path, *body)
            except ApiError as error:
                if error.code == "run_in_progress" and path.endswith("/runs"):
                    return {"run": error.content["run"]}
                if error.status < 500 or time.monotonic() > deadline:
                    raise
            except requests.RequestException:
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.2)

    def _look(self, path: str) -> Any:
        return requests.get(f"{self._stack.sandbox_url}/sandbox/{path}", timeout=30).json()
