"""Lists read back: what others did at Autopilot is found, named and, if asked, mended."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from local.eventually import eventually
from local.world import SIMPLE, World, adds_up, people
from tests.stack.conftest import MakeWorld

TEAM = ("ann@example.com", "ben@example.com", "cid@example.com", "dan@example.com")


@pytest.fixture
def export(world: World) -> World:
    """Return a world in which four members were delivered."""
    world.publish({"Team": people(*TEAM)})
    world.connect()
    world.save("team", segments=["Team"], mapping=SIMPLE)
    world.run("team")
    return world


def by_hand(world: World, method: str, path: str, body: object = None) -> None:
    """Do at Autopilot what a person does there."""
    answer = requests.request(method, f"{world.stack.sandbox_url}/sandbox/{path}", json=body, timeout=60)
    assert answer.ok, answer.text


def off_the_list(world: World, email: str) -> None:
    url = f"{world.stack.sandbox_url}/v1/list/{world.list_ids()['Team']}/contact/{email}"
    assert requests.delete(url, headers={"autopilotapikey": "sandbox-key"}, timeout=60).ok


def verify(world: World, *, repair: bool = False) -> dict[str, Any]:
    started = world.api.post(f"exports/team/verify?repair={str(repair).lower()}")
    return world.wait("team", started["run"])


def followed(world: World, run: dict[str, Any]) -> dict[str, Any]:
    """Wait for the run that follows another one by itself, and return it."""
    found = eventually(lambda: world.runs("team")[0], lambda newest: newest["id"] != run["id"])
    return world.wait("team", found["id"])


def mend(world: World) -> dict[str, Any]:
    """Verify with repair, and return the run that repaired."""
    return followed(world, verify(world, repair=True))


def test_equal_lists_are_said_to_be_equal_and_nothing_is_written(export: World) -> None:
    export.reset_statistics()
    run = verify(export)
    assert (run["status"], run["reason"]) == ("Successful", "lists_equal")
    assert run["findings"] == [
        {"list": "Team", "exists": True, "expected": 4, "found": 4, "missing": 0, "extra": 0, "drifted": 0}
    ]
    assert export.look("stats")["writes"] == 0


def test_what_others_did_is_found_and_a_repair_mends_what_is_ours(export: World) -> None:
    off_the_list(export, "ann@example.com")
    by_hand(export, "DELETE", "contacts/ben@example.com")
    by_hand(export, "PUT", "contacts/cid@example.com", {"FirstName": "Overwritten"})
    by_hand(export, "PUT", "contacts/dan@example.com", {"LastName": "not ours"})
    expected = {"list": "Team", "exists": True, "expected": 4, "found": 2, "missing": 2, "extra": 0, "drifted": 1}

    reported = verify(export)
    assert (reported["status"], reported["reason"]) == ("Completed with warnings", "lists_differ")
    assert reported["findings"] == [expected]
    assert export.members("Team") == {"cid@example.com", "dan@example.com"}  # a report mends nothing

    found = verify(export, repair=True)
    assert found["findings"] == [expected]
    mended = followed(export, found)
    assert (mended["trigger"], mended["status"]) == ("repair", "Successful")
    assert adds_up(mended)
    assert (mended["counts"]["joiners"], mended["counts"]["changed"]) == (2, 0)
    assert export.members("Team") == set(TEAM)
    assert export.look("contacts/cid@example.com")["FirstName"] == "Name2"
    assert export.look("contacts/dan@example.com")["LastName"] == "not ours"
    assert verify(export)["reason"] == "lists_equal"


def test_a_repair_believes_nothing_that_was_proved(make_world: MakeWorld) -> None:
    """By now the account may fill lists no more: a contact that comes back is put on its list by a call of its own."""
    world = make_world()
    world.publish({"Team": people(*TEAM)})
    world.connect()
    world.save("team", segments=["Team"], mapping=SIMPLE)
    world.run("team")
    by_hand(world, "DELETE", "contacts/ben@example.com")
    world.turn(contact_lists="ignored")
    assert mend(world)["status"] == "Successful"
    assert world.members("Team") == set(TEAM)


def test_a_merged_contact_comes_back_as_one_of_its_own(export: World) -> None:
    by_hand(export, "POST", "contacts/ann@example.com/merge/ben@example.com")
    found = verify(export, repair=True)
    assert found["findings"][0]["missing"] == 1
    assert followed(export, found)["status"] == "Successful"
    assert export.members("Team") == set(TEAM)


def test_members_whom_others_added_are_reported_and_stay(export: World) -> None:
    url = f"{export.stack.sandbox_url}/v1"
    headers = {"autopilotapikey": "sandbox-key"}
    requests.post(f"{url}/contact", json={"contact": {"Email": "guest@example.com"}}, headers=headers, timeout=60)
    requests.post(f"{url}/list/{export.list_ids()['Team']}/contact/guest@example.com", headers=headers, timeout=60)
    found = verify(export, repair=True)
    assert found["findings"][0]["extra"] == 1
    followed(export, found)
    assert export.members("Team") == {*TEAM, "guest@example.com"}
    requests.delete(f"{url}/contact/guest@example.com", headers=headers, timeout=60)


def test_a_list_that_was_deleted_is_filled_anew(export: World) -> None:
    by_hand(export, "DELETE", f"lists/{export.list_ids()['Team']}")
    assert verify(export)["findings"][0]["exists"] is False
    assert export.run("team")["status"] == "Successful"
    assert export.members("Team") == set(TEAM)
    assert verify(export)["reason"] == "lists_equal"


def test_a_contact_that_was_deleted_by_hand_comes_back_with_its_next_change_and_all_its_lists(export: World) -> None:
    by_hand(export, "DELETE", "contacts/ann@example.com")
    changed = people(*TEAM)
    export.publish({"Team": changed.with_columns(FirstName=changed["FirstName"] + "!")})
    ended = export.run("team")
    assert ended["status"] == "Successful"
    assert export.look("contacts/ann@example.com")["FirstName"] == "Name0!"
    assert (found := followed(export, ended))["trigger"] == "repair", found
    assert export.members("Team") == set(TEAM)
    assert verify(export)["reason"] == "lists_equal"


def test_every_nth_run_is_followed_by_a_verification(export: World) -> None:
    export.save("team", segments=["Team"], mapping=SIMPLE, verification={"every": 2, "repair": True})
    verify(export)
    export.run("team")
    found = followed(export, export.run("team"))
    assert (found["trigger"], found["reason"]) == ("verify", "lists_equal")
    export.run("team")
    followed(export, export.run("team"))
    newest = [run["trigger"] for run in export.runs("team")[:4]]
    assert newest == ["verify", "on_demand", "on_demand", "verify"]


def test_a_verification_that_autopilot_refuses_ends_with_its_reason(export: World) -> None:
    export.turn(key="rotated")
    run = verify(export)
    assert (run["status"], run["reason"], run["findings"]) == ("Failed", "key_refused", [])


def test_a_source_that_cannot_be_read_leaves_members_compared(export: World) -> None:
    container, _, folder = export.stack.source_path.partition("/")
    blob = export.source.get_blob_client(container, f"{folder}/model.json")
    whole = blob.download_blob().readall()
    blob.upload_blob(b"{", overwrite=True)
    run = verify(export)
    assert run["findings"][0]["missing"] == 0
    assert "Values were not compared" in run["advice"]
    blob.upload_blob(whole, overwrite=True)


def test_a_list_of_many_pages_is_read_to_its_end_through_faults(make_world: MakeWorld) -> None:
    world = make_world(instances=2)
    everybody = [f"p{n}@example.com" for n in range(1234)]
    world.publish({"Team": people(*everybody)})
    world.connect()
    world.save("team", segments=["Team"], mapping=SIMPLE)
    world.run("team")
    world.turn(faults={"throttle": 0.1, "error": 0.1, "reset": 0.1}, seed=5)
    run = verify(world)
    assert run["reason"] == "lists_equal"
    assert run["findings"][0]["found"] == 1234


def test_a_list_that_is_deleted_while_bulk_calls_fill_it_is_made_anew(make_world: MakeWorld) -> None:
    """A bulk call may not say that its list is gone (the sandbox's does not): the end of the run does."""
    world = make_world(knobs={"bulk_lists": "honoured"})
    everybody = [f"p{n}@example.com" for n in range(1200)]
    world.publish({"Team": people(*everybody)})
    world.connect(rate_limit=4)
    world.save("team", segments=["Team"], mapping=SIMPLE)
    run = world.start("team")
    eventually(lambda: len(world.members("Team")), lambda count: count >= 300, every=0.05)
    by_hand(world, "DELETE", f"lists/{world.list_ids()['Team']}")
    world.connect(rate_limit=2000)
    ended = world.wait("team", run)
    assert (ended["status"], ended["reason"]) == ("Completed with warnings", "lists_differ")
    mended = followed(world, followed(world, ended))
    assert (mended["trigger"], mended["status"]) == ("repair", "Successful")
    assert world.members("Team") == set(everybody)


@pytest.mark.parametrize(
    "knobs", [{"bulk_lists": "until:3"}, {"bulk_lists": "until:8"}, {"contact_lists": "until:700"}]
)
def test_a_call_that_stops_filling_lists_is_caught_and_mended(make_world: MakeWorld, knobs: dict[str, str]) -> None:
    """The proof holds, then the account changes its ways: the run says so, the lists are read back and filled."""
    world = make_world(knobs=knobs)
    everybody = [f"p{n}@example.com" for n in range(1200)]
    world.publish({"Team": people(*everybody)})
    world.connect()
    world.save("team", segments=["Team"], mapping=SIMPLE)
    run = world.run("team")
    assert (run["status"], run["reason"]) == ("Completed with warnings", "lists_differ")
    mended = followed(world, followed(world, run))
    assert (mended["trigger"], mended["status"]) == ("repair", "Successful")
    assert world.members("Team") == set(everybody)
    triggers = [item["trigger"] for item in world.api.get("exports/team/runs")["items"]]
    assert triggers == ["repair", "verify", "on_demand"]


def test_an_export_that_has_delivered_nothing_has_nothing_to_verify(world: World) -> None:
    world.publish({"Unsent": people("nobody")})
    world.connect()
    world.save("unsent", segments=["Unsent"], mapping=SIMPLE)
    run = world.wait("unsent", world.api.post("exports/unsent/verify")["run"])
    assert (run["status"], run["reason"], run["findings"]) == ("Skipped", "nothing_delivered", [])
    world.run("unsent")  # whose only row is rejected
    run = world.wait("unsent", world.api.post("exports/unsent/verify")["run"])
    assert run["reason"] == "nothing_delivered"


def test_a_list_that_is_gone_is_said_to_be_gone_with_all_its_members(export: World) -> None:
    by_hand(export, "DELETE", f"lists/{export.list_ids()['Team']}")
    found = verify(export)
    gone = {"list": "Team", "exists": False, "expected": 4, "found": 0, "missing": 4, "extra": 0, "drifted": 0}
    assert found["findings"] == [gone]
    assert "'Team' is gone" in found["advice"]
    assert "Verify with repair" in found["advice"]


def test_a_repair_of_a_list_that_is_gone_says_that_a_run_follows(export: World) -> None:
    by_hand(export, "DELETE", f"lists/{export.list_ids()['Team']}")
    found = verify(export, repair=True)
    assert found["findings"][0]["exists"] is False
    assert "follows by itself" in found["advice"]
    assert "Verify with repair" not in found["advice"]
    assert followed(export, found)["status"] == "Successful"
    assert export.members("Team") == set(TEAM)
