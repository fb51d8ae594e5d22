"""The whole app beside the Ortto sandbox: what its user and its source do, and a run carried out as the queues' handlers do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import polars as pl
from azure.storage.blob import BlobServiceClient

from local.environment import publish
from local.stack import Stack
from local.world import people
from tests.destinations.ortto.bench import KEY
from tests.hostile.conftest import Installation

MAPPING = {"str::email": "Email", "str::first": "FirstName"}


def refresh(stack: Stack, *addresses: str, first_name: str | None = None) -> None:
    rows = people(*addresses)
    if first_name:
        rows = rows.with_columns(FirstName=pl.lit(first_name))
    write(stack, {"Team": rows})


def write(stack: Stack, tables: Mapping[str, pl.DataFrame]) -> None:
    with BlobServiceClient.from_connection_string(stack.source_storage) as source:
        publish(source, stack.source_path, tables, datetime.now(UTC))


def connect(installation: Installation) -> None:
    body = {"display_name": "Ortto", "kind": "ortto", "region": "eu", "api_key": KEY, "agree_to_privacy": True}
    status, wrong = installation.ask("put_connection", "main", body={**body, "region": "mars"})
    assert (status, "is one of: us, au, eu" in str(wrong)) == (422, True)
    status, shown = installation.ask("put_connection", "main", body=body)
    assert (status, shown["account"], shown["rate_limit"]) == (201, "sandbox-instance", 5)


def save(installation: Installation, **more: Any) -> tuple[int, Any]:
    export = {
        "display_name": "Team",
        "connection": "main",
        "mapping": MAPPING,
        "segments": ["Team"],
        "new_people": "subscribed",
    }
    found: tuple[int, Any] = installation.ask(
        "put_export", "team", body={**export, "guards": {"max_removed_percent": 100}, **more}
    )
    return found


def run(installation: Installation, route: str = "start_run", *, fails: bool = False) -> dict[str, Any]:
    """Start a run and carry it out, as the queues' handlers do."""
    ended = installation.run("team", route)
    assert (ended["status"] == "Failed") is fails, ended
    return ended
