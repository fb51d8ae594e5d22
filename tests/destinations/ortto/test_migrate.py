"""From Autopilot to Ortto: the same export moves, nobody is lost, nobody gets a tag or an invitation twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from azure.storage.blob import BlobServiceClient

from cli.migrate import moved, propose
from local.environment import publish
from local.targets import AUTOPILOT, ORTTO
from local.warm import Shared
from local.world import people
from tests.hostile.conftest import Installation, installing

KEY = "sandbox-key"
FIELDS = [
    {"name": "str::email", "title": "Email", "type": "text"},
    {"name": "str::first", "title": "First name", "type": "text"},
    {"name": "str:cm:loyalty-tier", "title": "Loyalty tier", "type": "text"},
    {"name": "str:cm:points", "title": "Points", "type": "text"},
    {"name": "int:cm:points", "title": "Points", "type": "integer"},
    {"name": "phn:cm:mobile-phone", "title": "Mobile phone", "type": "phone"},
]


def test_a_mapping_is_proposed_by_meaning_by_name_and_by_type() -> None:
    mapping = {
        "Email": "mail",
        "FirstName": "first",
        "string--Loyalty--Tier": "tier",
        "integer--Points": "points",
        "MobilePhone": "mobile",
    }
    found = propose(mapping, FIELDS)
    assert found.mapping == {
        "str::email": "mail",
        "str::first": "first",
        "str:cm:loyalty-tier": "tier",
        "int:cm:points": "points",
        "phn:cm:mobile-phone": "mobile",
    }
    assert found.notes == []


def test_what_has_no_counterpart_is_left_out_by_name() -> None:
    found = propose({"Email": "mail", "unsubscribed": "optout", "date--Last--Visit": "visit", "Title": "title"}, FIELDS)
    assert found.mapping == {"str::email": "mail"}
    permission, visit, title = found.notes
    assert "bol::p says the opposite" in permission
    assert "'Last Visit' of type date" in visit
    assert "'Title' of type text" in title


@pytest.fixture
def installation(tmp_path_factory: pytest.TempPathFactory, shared_parts: Shared) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("stack")
    with installing(folder, shared_parts, targets=(AUTOPILOT, ORTTO)) as made:
        yield made


def test_an_export_moves_from_autopilot_to_ortto(installation: Installation) -> None:
    autopilot, ortto = (str(sandbox.ready["url"]) for sandbox in installation.stack.sandboxes.values())
    ORTTO.furnish(ortto, KEY)
    for name, kind in (("old", {}), ("new", dict(ORTTO.connection))):
        body = {"display_name": name, "api_key": KEY, "agree_to_privacy": True, "rate_limit": 1000, **kind}
        assert installation.ask("put_connection", name, body=body)[0] == 201
    refresh(installation, "a@example.com", "b@example.com", "c@example.com")
    export = {
        "display_name": "Team",
        "connection": "old",
        "mapping": {"Email": "Email", "FirstName": "FirstName", "string--Loyalty--Tier": "Tier"},
        "segments": ["Team"],
        "guards": {"max_removed_percent": 100},
    }
    assert installation.ask("put_export", "team", body=export)[0] == 201
    assert run(installation)["counts"]["delivered"] == 3

    offered = installation.ask("list_fields", "new")[1]["fields"]
    found = propose(export["mapping"], offered)  # type: ignore[arg-type]  # a mapping of texts
    assert found.notes == []
    status, saved = installation.ask("put_export", "team", body=moved(export, "new", found.mapping, "not_subscribed"))
    assert (status, saved["mapping"]["str:cm:loyalty-tier"]) == (200, "Tier")

    requests.post(f"{autopilot}/sandbox/reset", timeout=60)
    moving = run(installation)
    assert (moving["counts"]["delivered"], moving["counts"]["leavers"]) == (3, 0)
    assert members(ortto) == members(autopilot) == ["a@example.com", "b@example.com", "c@example.com"]
    everybody = look(ortto, "people")
    assert len(everybody) == 3  # each once
    assert {item["fields"]["str:cm:loyalty-tier"] for item in everybody} == {"Gold"}
    assert run(installation, "verify_export")["reason"] == "lists_equal"

    requests.post(f"{ortto}/sandbox/reset", timeout=60)
    assert run(installation)["counts"]["unchanged"] == 3
    assert look(ortto, "stats")["writes"] == 0  # nobody is tagged again, so no journey starts again

    refresh(installation, "b@example.com", "c@example.com", "d@example.com")
    assert run(installation)["counts"]["removed"] == 1
    assert members(ortto) == ["b@example.com", "c@example.com", "d@example.com"]
    assert members(autopilot) == ["a@example.com", "b@example.com", "c@example.com"]
    assert look(autopilot, "stats")["writes"] == 0


def refresh(installation: Installation, *addresses: str) -> None:
    with BlobServiceClient.from_connection_string(installation.stack.source_storage) as source:
        rows = people(*addresses, Tier="Gold")
        publish(source, installation.stack.source_path, {"Team": rows}, datetime.now(UTC))


def run(installation: Installation, route: str = "start_run") -> dict[str, Any]:
    """Start a run and carry it out, as the queues' handlers do."""
    ended = installation.run("team", route)
    assert ended["status"] != "Failed", ended
    return ended


def look(sandbox: str, path: str) -> Any:
    """Look into a sandbox."""
    return requests.get(f"{sandbox}/sandbox/{path}", timeout=60).json()


def members(sandbox: str) -> list[str]:
    """Return who is on the list, or has the tag, of the segment."""
    (found,) = [item["list_id"] for item in look(sandbox, "lists")["lists"] if item["title"] == "Team"]
    return sorted(look(sandbox, f"lists/{found}/emails"))
