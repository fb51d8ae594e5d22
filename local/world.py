"""A world to try things in: a running stack, a source to write, an export to save and run, and Autopilot to look into."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import polars as pl
import requests
from azure.storage.blob import BlobServiceClient

from cli.client import Address, ApiError, Client
from local.environment import MAPPING, SEGMENTS, Company, publish
from local.stack import Stack
from shared.runs.counts import Counts

KEY = "sandbox-key"
WAIT_SECONDS = 90


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

    def save(self, name: str, **settings: Any) -> dict[str, Any]:
        """Save an export."""
        body = {
            "display_name": name,
            "connection": "main",
            "mapping": MAPPING,
            "segments": list(SEGMENTS),
            **settings,
        }
        saved: dict[str, Any] = self.api.put(f"exports/{name}", body)
        return saved

    def start(self, name: str) -> str:
        """Start a run and give its id."""
        return str(self.api.post(f"exports/{name}/runs")["run"])

    def wait(self, name: str, run: str, seconds: float = WAIT_SECONDS) -> dict[str, Any]:
        """Wait until a run has ended."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                found: dict[str, Any] = self.api.get(f"exports/{name}/runs/{run}")
            except requests.ConnectionError:
                found = {"ended_at": None}
            if found["ended_at"]:
                return found
            assert time.monotonic() < deadline, f"run {run} has not ended: {found}"
            time.sleep(0.1)

    def run(self, name: str) -> dict[str, Any]:
        """Run an export to its end, and give the run."""
        return self.wait(name, self.start(name))

    def refused(self, method: str, path: str, body: object = None) -> ApiError:
        """Do what must be refused, and give the refusal."""
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

    def turn(self, **knobs: Any) -> None:
        """Turn the sandbox's knobs."""
        answer = requests.put(f"{self.stack.sandbox_url}/sandbox/knobs", json=knobs, timeout=10)
        assert answer.ok, answer.text

    def look(self, path: str) -> Any:
        """Look into the sandbox."""
        return requests.get(f"{self.stack.sandbox_url}/sandbox/{path}", timeout=30).json()

    def reset_statistics(self) -> None:
        """Have the sandbox count anew."""
        requests.post(f"{self.stack.sandbox_url}/sandbox/reset", timeout=10)

    def list_ids(self) -> dict[str, str]:
        """Give the ids of Autopilot's lists by title."""
        return {item["title"]: item["list_id"] for item in self.look("lists")["lists"]}

    def members(self, title: str) -> set[str]:
        """Give the addresses on a list."""
        found = self.list_ids().get(title)
        return set(self.look(f"lists/{found}/emails")) if found else set()

    def vault(self, mode: str) -> None:
        """Switch the vault: up, forbidden or down."""
        self.stack.switch_vault(mode)


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
