"""One line registers a destination: connected, mapped, delivered to, verified, erased from, with nothing else changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient

from local.environment import publish
from local.stack import Stack
from local.warm import Shared
from local.world import people
from shared.destinations.registry import DESTINATIONS
from tests.destinations.memory.destination import MemoryDestination, Store
from tests.hostile.conftest import Installation, installing

MAPPING = {"mail": "Email", "name": "FirstName"}


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    made = Store()
    monkeypatch.setitem(DESTINATIONS, "memory", MemoryDestination(made))
    return made


@pytest.fixture
def installation(tmp_path_factory: pytest.TempPathFactory, shared_parts: Shared) -> Iterator[Installation]:
    members = ("a@example.com", "b@example.com", "c@example.com")
    with installing(tmp_path_factory.mktemp("stack"), shared_parts, *members) as made:
        yield made


def refresh(stack: Stack, *addresses: str) -> None:
    with BlobServiceClient.from_connection_string(stack.source_storage) as source:
        publish(source, stack.source_path, {"Team": people(*addresses)}, datetime.now(UTC))


def test_a_destination_in_memory_is_exported_to(store: Store, installation: Installation) -> None:
    body = {"display_name": "Memory", "kind": "memory", "api_key": store.key, "agree_to_privacy": True}
    status, shown = installation.ask("put_connection", "main", body=body)
    assert (status, shown["account"], shown["rate_limit"]) == (201, "Memory", 1000)

    export = {
        "display_name": "Team",
        "connection": "main",
        "mapping": MAPPING,
        "segments": ["Team"],
        "guards": {"max_removed_percent": 100},
    }
    status, wrong = installation.ask("put_export", "team", body={**export, "mapping": {"Email": "Email"}})
    assert (status, [error["field"] for error in wrong["errors"]]) == (422, ["mapping.Email.[key]", "(body)"])
    assert installation.ask("put_export", "team", body=export)[0] == 201

    status, preview = installation.ask("preview_export", "team")
    assert (status, preview["calls"], len(preview["examples"])) == (200, 2, 3)  # one that sends, one that reads back
    assert run(installation)["counts"]["delivered"] == 3
    assert members(store) == {"a@example.com", "b@example.com", "c@example.com"}

    refresh(installation.stack, "b@example.com", "d@example.com")
    ended = run(installation)
    assert (ended["counts"]["removed"], ended["counts"]["joiners"]) == (2, 1)
    assert members(store) == {"b@example.com", "d@example.com"}

    store.delete(str(store.id_of("d@example.com")))
    store.people[str(store.id_of("b@example.com"))]["name"] = "by hand"
    ended = run(installation, "verify_export")
    (finding,) = ended["findings"]
    assert (finding["missing"], finding["drifted"], finding["extra"]) == (1, 1, 0)

    status, erased = installation.ask("post_erasure", body={"email": "b@example.com"})
    assert (status, erased["progress"]) == (200, "erased")
    assert store.id_of("b@example.com") is None


def run(installation: Installation, route: str = "start_run") -> dict[str, Any]:
    """Start a run and carry it out, as the queues' handlers do."""
    ended = installation.run("team", route)
    assert ended["status"] != "Failed", ended
    return ended


def members(store: Store) -> set[str]:
    (found,) = store.lists.values()
    return {store.people[person]["mail"] for person in found}
