"""Ortto through the whole app, by one registration line: connected, mapped, exported to, verified, erased from.

The kind is not registered yet (an export cannot say yet what permission new people get); this test registers it for itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient

import shared.composition.app
from export_trigger.steps.plan_run import plan_run
from export_worker.deliver_chunk import deliver_chunk
from local.environment import publish
from local.stack import Stack
from local.world import people
from shared.destinations.registry import DESTINATIONS
from shared.http.transport import session
from tests.destinations.ortto.bench import KEY, OrttoBench, serving
from tests.hostile.conftest import QUICK, Installation

MAPPING = {"str::email": "Email", "str::first": "FirstName"}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("ortto")) as found:
        yield found


@pytest.fixture
def ortto(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[OrttoBench]:
    with session() as http:
        made = OrttoBench(url, http)
        monkeypatch.setitem(DESTINATIONS, "ortto", made.destination)
        monkeypatch.setenv("ORTTO_URL", f"{url}/v1")
        yield made


@pytest.fixture
def installation(ortto: OrttoBench, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with (
        Stack(tmp_path_factory.mktemp("stack"), instances=0, settings=QUICK, in_memory=True) as stack,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in stack.environment.items():
            patch.setenv(name, value)
        made = Installation(shared.composition.app.app.__wrapped__(), stack)
        refresh(stack, "a@example.com", "b@example.com", "c@example.com")
        connect(made)
        yield made
        made.app.http.close()
        made.app.vault._client.close()


def refresh(stack: Stack, *addresses: str) -> None:
    with BlobServiceClient.from_connection_string(stack.source_storage) as source:
        publish(source, stack.source_path, {"Team": people(*addresses)}, datetime.now(UTC))


def connect(installation: Installation) -> None:
    body = {"display_name": "Ortto", "kind": "ortto", "region": "eu", "api_key": KEY, "agree_to_privacy": True}
    status, wrong = installation.ask("put_connection", "main", body={**body, "region": "mars"})
    assert (status, "region is one of: us, au, eu" in str(wrong)) == (422, True)
    status, shown = installation.ask("put_connection", "main", body=body)
    assert (status, shown["account"], shown["rate_limit"]) == (201, "sandbox-instance", 5)


def save(installation: Installation, **more: Any) -> tuple[int, Any]:
    export = {"display_name": "Team", "connection": "main", "mapping": MAPPING, "segments": ["Team"]}
    found: tuple[int, Any] = installation.ask(
        "put_export", "team", body={**export, "guards": {"max_removed_percent": 100}, **more}
    )
    return found


def run(installation: Installation, route: str = "start_run") -> dict[str, Any]:
    """Start a run and carry it out, as the queues' handlers do."""
    status, started = installation.ask(route, "team")
    assert status == 202, started
    plan_run(installation.app, "team", started["run"])
    planned = installation.app.ledger.run("team", started["run"])
    for number in range(planned.chunks):
        deliver_chunk(installation.app, "team", started["run"], f"{number + 1:06d}")
    ended: dict[str, Any] = installation.ask("get_run", "team", started["run"])[1]
    assert ended["status"] != "Failed", ended
    return ended


def test_a_segment_becomes_a_tag_that_follows_it_is_verified_repaired_and_erased_from(
    ortto: OrttoBench, installation: Installation
) -> None:
    assert save(installation)[0] == 201
    status, preview = installation.ask("preview_export", "team")
    assert (status, preview["calls"]) == (200, 2)  # one that sends, one that reads back
    assert run(installation)["counts"]["delivered"] == 3
    assert ortto.members("Team") == {"a@example.com", "b@example.com", "c@example.com"}

    ortto.calls()
    ended = run(installation)
    assert (ended["counts"]["unchanged"], ortto.calls().get("POST /person/merge", 0)) == (3, 0)

    ortto.by_hand("PUT", "tags/Team", {"name": "Team of ours"})
    refresh(installation.stack, "b@example.com", "d@example.com")
    ended = run(installation)
    assert (ended["counts"]["removed"], ended["counts"]["joiners"]) == (2, 1)
    assert ortto.members("Team of ours") == {"b@example.com", "d@example.com"}
    assert not ortto.members("Team")

    ortto.delete_contact("d@example.com")
    ortto.by_hand("PUT", "people/b@example.com", {"str::first": "by hand"})
    (finding,) = run(installation, "verify_export")["findings"]
    assert (finding["missing"], finding["drifted"], finding["extra"]) == (1, 1, 0)

    status, erased = installation.ask("post_erasure", body={"email": "b@example.com"})
    assert (status, erased["progress"]) == (200, "erased")
    assert ortto.first_name("b@example.com") is None
    assert ortto.look("archive") == []


def test_a_field_that_the_account_has_not_is_refused_when_the_export_is_saved(
    ortto: OrttoBench, installation: Installation
) -> None:
    status, wrong = save(installation, mapping={**MAPPING, "str:cm:tier": "FirstName"})
    assert status == 422
    assert [error["field"] for error in wrong["errors"]] == ["mapping.str:cm:tier"]
    assert save(installation, mapping={"Email": "Email"})[0] == 422
