"""A world to try things in: a running stack, a source to write, an export to save and run, and Autopilot to look into."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import polars as pl
import requests
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from cli.client import Address, ApiError, Client
from local.environment import SEGMENTS, Company, publish
from local.eventually import eventually
from local.stack import Stack
from local.targets import AUTOPILOT
from shared.runs.counts import Counts

KEY = "sandbox-key"
WAIT_SECONDS = 300
TICKED = "tick was called"
"""What a host's log says of each call of the timer."""


class World:
    """One stack, with short ways to do what users do."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.api = Client(Address(stack.api_url, stack.function_key))
        self.source = BlobServiceClient.from_connection_string(stack.source_storage)

    def close(self) -> None:
        """Close its clients."""
        self.api.__exit__()
        self.source.close()

    def publish(self, tables: Mapping[str, pl.DataFrame]) -> None:
        """Write tables as Customer Insights' Blob export does."""
        publish(self.source, self.stack.source_path, tables, datetime.now(UTC))

    def publish_company(self, company: Company) -> None:
        """Write a company's segments."""
        company.publish(self.source, self.stack.source_path)

    def connect(self, name: str = "main", **settings: Any) -> None:
        """Make a connection to the sandbox."""
        body = {"display_name": name, "api_key": KEY, "agree_to_privacy": True, "rate_limit": 5000, **settings}
        self.api.put(f"connections/{name}", body)

    def rotate(self, key: str, name: str = "main") -> None:
        """Put another key into the vault, as its owner, behind the app's back."""
        self.stack.store_secret(self.api.get(f"connections/{name}")["secret_name"], key)

    def lose_states(self, export: str) -> None:
        """Delete the states of an export, behind the app's back; those that it sweeps meanwhile are gone as well."""
        with BlobServiceClient.from_connection_string(self.stack.storage) as service:
            states = service.get_container_client("state")
            for name in list(states.list_blob_names(name_starts_with=f"{export}/")):
                with suppress(ResourceNotFoundError):
                    states.delete_blob(name)

    def save(self, name: str, **settings: Any) -> dict[str, Any]:
        """Save an export."""
        body = {
            "display_name": name,
            "connection": "main",
            "mapping": AUTOPILOT.mapping,
            "segments": list(SEGMENTS),
            **settings,
        }
        saved: dict[str, Any] = self.api.put(f"exports/{name}", body)
        return saved

    def start(self, name: str) -> str:
        """Start a run and return its id."""
        return str(self.api.post(f"exports/{name}/runs")["run"])

    def wait(self, name: str, run: str, seconds: float = WAIT_SECONDS) -> dict[str, Any]:
        """Wait until a run has ended."""

        def look() -> dict[str, Any]:
            try:
                return self.look_at(name, run)
            except requests.ConnectionError as error:
                return {"ended_at": None, "error": type(error).__name__}

        return eventually(look, lambda found: found["ended_at"], seconds=seconds)

    def look_at(self, name: str, run: str) -> dict[str, Any]:
        """Return a run as it stands."""
        found: dict[str, Any] = self.api.get(f"exports/{name}/runs/{run}")
        return found

    def runs(self, name: str) -> list[dict[str, Any]]:
        """Return an export's runs, the newest first."""
        found: list[dict[str, Any]] = self.api.get(f"exports/{name}/runs")["items"]
        return found

    def next_run(self, name: str, known: int = 0) -> dict[str, Any]:
        """Wait for the first run beyond the `known` ones, and for its end."""
        found = eventually(lambda: self.runs(name), lambda runs: len(runs) > known)
        return self.wait(name, found[-known - 1]["id"])

    def waiting(self, name: str, run: str, what: str) -> dict[str, Any]:
        """Wait until a run says that it waits for this, and return it as it is then."""
        return eventually(lambda: self.look_at(name, run), lambda found: found["waits_for"] == what)

    def rests(self) -> None:
        """Wait until no message is left, hidden or not: nobody works at anything."""
        with QueueServiceClient.from_connection_string(self.stack.storage) as service:
            eventually(lambda: _messages(service), lambda found: not any(found.values()))

    def ticked(self) -> None:
        """Wait until the timer `tick` has begun and ended after this moment."""
        before = self._ticks()
        eventually(self._ticks, lambda ticks: ticks >= before + 2)  # the first may have begun before

    def _ticks(self) -> int:
        return sum(log.read_text(errors="replace").count(TICKED) for log in self.stack.logs.glob("host-*.log"))

    def run(self, name: str) -> dict[str, Any]:
        """Run an export to its end, and return the run."""
        return self.wait(name, self.start(name))

    def refused(self, method: str, path: str, body: object = None) -> ApiError:
        """Do what must be refused, and return the refusal."""
        try:
            if method == "PUT":
                self.api.put(path, body)
            elif method == "POST":
                self.api.post(path, body)
            elif method == "DELETE":
                self.api.delete(path)
            else:
                self.api.get(path)
        except ApiError as error:
            return error
        raise AssertionError(f"{method} {path} was not refused")

    @contextmanager
    def put_back(self) -> Iterator[None]:
        """Put the sandbox's knobs and the vault back afterwards to what they are now."""
        knobs = self.look("knobs")
        try:
            yield
        finally:
            self.turn(**{**knobs, "key": KEY})  # which the sandbox does not show
            self.vault("up")

    def turn(self, **knobs: Any) -> None:
        """Turn the sandbox's knobs."""
        answer = requests.put(f"{self.stack.sandbox_url}/sandbox/knobs", json=knobs, timeout=60)
        assert answer.ok, answer.text

    def look(self, path: str) -> Any:
        """Look into the sandbox."""
        return requests.get(f"{self.stack.sandbox_url}/sandbox/{path}", timeout=60).json()

    def reset_statistics(self) -> None:
        """Have the sandbox count anew."""
        requests.post(f"{self.stack.sandbox_url}/sandbox/reset", timeout=60)

    def list_ids(self) -> dict[str, str]:
        """Return the ids of Autopilot's lists by title."""
        return {item["title"]: item["list_id"] for item in self.look("lists")["lists"]}

    def members(self, title: str) -> set[str]:
        """Return the addresses on a list."""
        found = self.list_ids().get(title)
        return set(self.look(f"lists/{found}/emails")) if found else set()

    def vault(self, mode: str) -> None:
        """Switch the vault: up, forbidden or down."""
        self.stack.switch_vault(mode)


def _messages(service: QueueServiceClient) -> dict[str, int]:
    """Return how many messages each queue holds, poison queues too."""
    queues = [queue.name for queue in service.list_queues()]
    counts = {name: service.get_queue_client(name).get_queue_properties() for name in queues}
    return {name: found.approximate_message_count or 0 for name, found in counts.items()}


def people(*emails: str | None, **columns: str) -> pl.DataFrame:
    """Make a small segment: one row an address."""
    return pl.DataFrame(
        {
            "CustomerId": [f"{place:032x}" for place in range(len(emails))],
            "Email": list(emails),
            "FirstName": [f"Name{place}" for place in range(len(emails))],
            **{name: [value] * len(emails) for name, value in columns.items()},
        },
        schema_overrides={"Email": pl.String},
    )


SIMPLE = {"Email": "Email", "FirstName": "FirstName"}
"""A mapping that fits `people`."""


def adds_up(run: Mapping[str, Any]) -> bool:
    """Whether every row that a run read is accounted for."""
    return Counts.model_validate(run["counts"]).add_up
