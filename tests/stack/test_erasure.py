"""Erasure on the whole stack: what is still on its way, what cannot be reached now, and what nobody configures any more."""

from __future__ import annotations

import json
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient

from local.eventually import eventually
from local.world import SIMPLE, World, people
from tests.stack.conftest import MakeWorld

GOES = "goes@example.com"


@pytest.fixture
def ticking(make_world: MakeWorld) -> World:
    """Return a world that looks every second at what is due."""
    world = make_world(settings={"EXPORT_SCHEDULE": "*/1 * * * * *", "GRACE_SECONDS": "3"})
    world.publish({"Team": people("stays@example.com", GOES)})
    world.connect()
    return world


def settled(world: World, request: dict[str, Any]) -> dict[str, Any]:
    """Wait until a request is over."""

    def look() -> dict[str, Any]:
        found: dict[str, Any] = world.api.get(f"erasure/{request['id']}")
        return found

    return eventually(look, lambda found: found["progress"] != "open")


def addresses(world: World) -> set[str]:
    return {contact["Email"] for contact in world.look("contacts")}


def kept(world: World) -> list[str]:
    with BlobServiceClient.from_connection_string(world.stack.storage) as service:
        container = service.get_container_client("erasures")
        return list(container.list_blob_names()) if container.exists() else []


def test_a_run_of_a_deleted_export_brings_nobody_back(ticking: World) -> None:
    """Its worker looks for the list when export and person go; the contact is sent when the erasure was answered."""
    ticking.connect(list_strategy="single")
    ticking.save("doomed", segments=["Team"], mapping=SIMPLE, schedule={"on": "off"})
    ticking.turn(latency_ms=3000)
    ticking.reset_statistics()
    run = ticking.start("doomed")
    # The plan looked for the list, and now the worker does.
    eventually(lambda: ticking.look("stats")["requests"], lambda count: count >= 2, every=0.05)
    ticking.api.delete("exports/doomed")
    ticking.turn(latency_ms=0)
    request = ticking.api.post("erasure", {"email": GOES})
    assert not request["erased"]
    assert request["waiting_for"] == [{"export": "doomed", "run": run}]
    assert GOES not in addresses(ticking)
    done = settled(ticking, request)
    assert (done["erased"], done["waiting_for"]) == (True, [])
    assert done["accounts"] <= 1  # whether the worker was quick enough to bring the contact or not, it is gone
    assert addresses(ticking) <= {"stays@example.com"}
    assert kept(ticking) == []


def test_a_connection_with_a_dead_key_is_named_and_reached_when_it_has_a_good_one(ticking: World) -> None:
    ticking.save("team", segments=["Team"], mapping=SIMPLE, schedule={"on": "off"})
    ticking.run("team")
    ticking.connect("dead")
    ticking.stack.store_secret(ticking.api.get("connections/dead")["secret_name"], "withdrawn")
    request = ticking.api.post("erasure", {"email": GOES})
    named = {item["connection"]: (item["erased"], item["code"]) for item in request["connections"]}
    assert named == {"main": (True, ""), "dead": (False, "key_refused")}
    assert (request["erased"], request["states"]) == (False, 1)
    assert GOES not in addresses(ticking)
    assert len(kept(ticking)) == 1
    trail = ticking.api.get("audit")["items"]
    assert f"erasure={request['id']} connection=dead" in {item["of"] for item in trail}
    assert "@" not in json.dumps(trail)
    ticking.connect("dead")
    assert settled(ticking, request)["erased"]
    assert kept(ticking) == []


def test_a_lost_state_keeps_nobody_from_being_erased(ticking: World) -> None:
    ticking.save("team", segments=["Team"], mapping=SIMPLE, schedule={"on": "off"})
    ticking.run("team")
    ticking.lose_states("team")
    for start in ("exports/team/runs", "exports/team/verify"):
        ended = ticking.wait("team", ticking.api.post(start)["run"])
        assert (ended["status"], ended["reason"]) == ("Failed", "state_lost")
        assert "state/team/main/" in ended["detail"]
    assert ticking.api.post("erasure", {"email": GOES})["erased"]
    assert GOES not in addresses(ticking)


def test_a_request_that_nobody_knows_is_not_found(ticking: World) -> None:
    assert ticking.refused("GET", f"erasure/{'0' * 32}").code == "erasure_not_found"
