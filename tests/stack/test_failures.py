"""What goes wrong has a name, loses nothing, and is mended by the next run."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.eventually import eventually
from local.world import SIMPLE, World, adds_up, people
from tests.stack.conftest import MakeWorld


@pytest.fixture
def export(world: World) -> World:
    """Return a world with an export of one delivered member, so that there is something to lose."""
    world.publish({"Team": people("first@example.com")})
    world.connect()
    world.save("team", segments=["Team"], mapping=SIMPLE)
    world.run("team")
    world.publish({"Team": people("first@example.com", "second@example.com")})
    return world


def recovers(world: World) -> None:
    """Check that nothing was lost or half-recorded: the next run delivers what is due, and only that."""
    run = world.run("team")
    assert run["status"] == "Successful", run
    assert adds_up(run)
    assert world.members("Team") == {"first@example.com", "second@example.com"}


def overwrite_model(world: World, text: bytes) -> None:
    container, _, folder = world.stack.source_path.partition("/")
    world.source.get_blob_client(container, f"{folder}/model.json").upload_blob(text, overwrite=True)


def read_model(world: World) -> dict[str, Any]:
    container, _, folder = world.stack.source_path.partition("/")
    content: dict[str, Any] = json.loads(
        world.source.get_blob_client(container, f"{folder}/model.json").download_blob().readall()
    )
    return content


def test_a_malformed_model_is_said_so_and_where(export: World) -> None:
    whole = json.dumps(read_model(export)).encode()
    overwrite_model(export, whole[: len(whole) // 2])
    run = export.run("team")
    assert (run["status"], run["reason"]) == ("Failed", "source_malformed")
    overwrite_model(export, whole)
    recovers(export)


def test_a_missing_model_names_the_path(export: World) -> None:
    whole = json.dumps(read_model(export)).encode()
    container, _, folder = export.stack.source_path.partition("/")
    export.source.get_blob_client(container, f"{folder}/model.json").delete_blob()
    run = export.run("team")
    assert run["reason"] == "source_unreachable"
    assert "customer-insights/BlobExport/model.json" in run["advice"]
    overwrite_model(export, whole)
    recovers(export)


def test_a_missing_partition_is_named(export: World) -> None:
    model = read_model(export)
    whole = json.dumps(model).encode()
    model["entities"][0]["partitions"][0]["location"] += ".gone"
    overwrite_model(export, json.dumps(model).encode())
    run = export.run("team")
    assert run["reason"] == "source_unreachable"
    assert "Team_1.csv.gone" in run["advice"]
    overwrite_model(export, whole)
    recovers(export)


def test_a_segment_that_is_gone_is_missed_by_name(export: World) -> None:
    export.publish({"Teams": people("x@example.com")})
    run = export.run("team")
    assert (run["status"], run["reason"]) == ("Failed", "segment_missing")
    assert "'Teams'" in run["advice"]
    export.publish({"Team": people("first@example.com", "second@example.com")})
    recovers(export)


@pytest.mark.parametrize(("dropped", "reason"), [("FirstName", "column_missing"), ("Email", "email_column_missing")])
def test_a_column_that_is_gone_is_missed_by_name(export: World, dropped: str, reason: str) -> None:
    export.publish({"Team": people("first@example.com").drop(dropped)})
    run = export.run("team")
    assert (run["status"], run["reason"]) == ("Failed", reason)
    assert dropped in run["advice"]
    export.publish({"Team": people("first@example.com", "second@example.com")})
    recovers(export)


def test_an_empty_segment_and_a_mass_removal_are_skipped(export: World) -> None:
    export.publish({"Team": people()})
    run = export.run("team")
    assert (run["status"], run["reason"]) == ("Skipped", "empty_segment")
    export.publish({"Team": people("other@example.com")})
    run = export.run("team")
    assert (run["status"], run["reason"]) == ("Skipped", "mass_removal")
    assert export.members("Team") == {"first@example.com"}
    export.publish({"Team": people("first@example.com", "second@example.com")})
    recovers(export)


def test_too_many_profiles_are_skipped_before_a_single_write(export: World) -> None:
    saved = export.save("team", segments=["Team"], mapping=SIMPLE, max_profiles=1)
    assert saved["members"] == {"Team": 2}
    assert "more than max_profiles" in saved["warnings"][0]
    export.reset_statistics()
    run = export.run("team")
    assert (run["status"], run["reason"]) == ("Skipped", "over_limit")
    assert run["as_of"]  # so that its lists can be seen to be behind
    export.wait("team", export.api.post("exports/team/verify")["run"])
    listed = export.api.get("exports/team")
    assert (listed["last_run"]["reason"], listed["last_delivery"]["reason"]) == ("lists_equal", "over_limit")
    assert export.look("stats")["writes"] == 0
    export.save("team", segments=["Team"], mapping=SIMPLE)
    recovers(export)


def test_a_refused_key_ends_the_run_without_burning_calls_and_a_new_key_needs_no_restart(export: World) -> None:
    export.turn(key="rotated")
    export.reset_statistics()
    run = export.run("team")
    assert (run["status"], run["reason"]) == ("Failed", "key_refused")
    assert export.look("stats")["requests"] <= 5
    export.connect(api_key="rotated")
    recovers(export)


def test_a_key_rotated_in_the_vault_alone_is_picked_up(export: World) -> None:
    """The vault's owner stores a new version; nobody tells the app."""
    export.turn(key="newest")
    export.rotate("newest")
    recovers(export)


@pytest.mark.parametrize("in_the_vault_too", [True, False])
def test_a_key_that_is_rotated_in_the_middle_of_a_run(export: World, in_the_vault_too: bool) -> None:
    """With the vault's new key the run goes on; without it the run stops, and what was delivered stays recorded."""
    title = f"Rotated {in_the_vault_too}"
    everybody = [f"rotated{n}@example.com" for n in range(900)]
    export.publish({"Many": people(*everybody)})
    export.connect(rate_limit=200)
    export.save("many", segments=[{"segment": "Many", "list": title}], mapping=SIMPLE)
    run = export.start("many")
    eventually(lambda: len(export.members(title)), lambda count: count >= 100, every=0.05)
    if in_the_vault_too:
        export.rotate("rotated")
    export.turn(key="rotated")
    ended = export.wait("many", run)
    assert adds_up(ended)
    assert len(export.members(title)) == ended["counts"]["delivered"]
    if in_the_vault_too:
        assert ended["status"] == "Successful"
    else:
        assert (ended["status"], ended["reason"]) == ("Failed", "key_refused")
        assert ended["counts"]["undelivered"] > 0
        export.connect(api_key="rotated")
        assert export.run("many")["counts"]["delivered"] == ended["counts"]["undelivered"]
    assert export.members(title) == set(everybody)
    export.api.delete("exports/many")


def test_a_missing_secret_is_named(export: World) -> None:
    export.api.put(
        "connections/other",
        {
            "display_name": "other",
            "secret_name": export.api.get("connections/main")["secret_name"],
            "agree_to_privacy": True,
        },
    )
    refused = export.refused(
        "PUT",
        "connections/gone",
        {"display_name": "gone", "secret_name": "autopilot-never-stored", "agree_to_privacy": True},
    )
    assert (refused.status, refused.code) == (422, "key_missing")
    assert "autopilot-never-stored" in str(refused)


def test_a_vault_that_forbids_ends_the_run_with_the_role_to_give(export: World) -> None:
    export.vault("forbidden")
    run = export.run("team")
    assert (run["status"], run["reason"]) == ("Failed", "key_missing")
    assert "Key Vault Secrets User" in run["advice"]
    export.vault("up")
    recovers(export)


def test_an_outage_of_autopilot_is_waited_out(export: World) -> None:
    export.turn(down=True)
    run = export.start("team")
    assert export.waiting("team", run, "autopilot")["status"] == "Processing"
    export.turn(down=False)
    assert export.wait("team", run)["status"] == "Successful"
    assert export.members("Team") == {"first@example.com", "second@example.com"}


def test_an_outage_that_does_not_end_fails_the_run_in_the_end(make_world: MakeWorld) -> None:
    world = make_world(settings={"OUTAGE_MINUTES": "0.05"})
    world.publish({"Team": people("first@example.com", "second@example.com")})
    world.connect()
    world.save("team", segments=["Team"], mapping=SIMPLE)
    world.turn(down=True)
    run = world.run("team")
    assert (run["status"], run["reason"]) == ("Failed", "autopilot_unavailable")
    world.turn(down=False)
    recovers(world)


def test_a_vault_that_is_down_is_waited_out(make_world: MakeWorld) -> None:
    world = make_world()
    world.publish({"Team": people("first@example.com", "second@example.com")})
    world.connect()
    world.save("team", segments=["Team"], mapping=SIMPLE)
    world.vault("down")
    run = world.start("team")
    assert world.waiting("team", run, "key_vault")["status"] == "Processing"
    world.vault("up")
    assert world.wait("team", run)["status"] == "Successful"


@pytest.mark.parametrize("fault", ["error", "timeout_done", "reset", "reset_done", "html"])
def test_faults_on_every_tenth_call_change_nothing_in_the_end(export: World, fault: str) -> None:
    replace_all(export, fault)


def test_throttling_of_every_tenth_call_changes_nothing_in_the_end(make_world: MakeWorld) -> None:
    world = make_world()  # whose pace is slow when it is over
    world.connect()
    replace_all(world, "throttle")


def replace_all(world: World, fault: str) -> None:
    """Replace a segment's members, whoever they were, while one call in ten has a fault."""
    everybody = [f"{fault.replace('_', '-')}{n}@example.com" for n in range(150)]
    world.publish({"Team": people(*everybody)})
    world.save("team", segments=["Team"], mapping=SIMPLE, guards={"max_removed_percent": 100})
    world.turn(faults={fault: 0.1}, seed=7)
    run = world.run("team")
    assert run["status"] == "Successful", run
    assert adds_up(run)
    assert run["counts"]["delivered"] == 150
    assert world.members("Team") == set(everybody)


def test_no_traceback_and_no_address_reach_a_user_or_the_log(export: World) -> None:
    run = export.run("team")
    assert "Traceback" not in json.dumps(run)
    for log in (export.stack._directory / "logs").glob("host-*.log"):
        assert "@example.com" not in log.read_text()
