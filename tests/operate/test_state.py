"""What the app remembers: saved, lost, restored, moved to another environment, and met by a new version."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack import Stack
from local.warm import Shared
from local.world import World, people
from tests.operate.conftest import SETTINGS, Follow, deliver, settle

A, B, C, D = (f"{letter}@example.com" for letter in "abcd")


def test_state_is_saved_and_restored(world: World, follow: Follow) -> None:
    deliver(world, "kept", A, B)
    with follow("Backup and restore of state") as page:
        page.do("local.backup save", FOLDER="saved")
        deliver(world, "kept", A, B, C)
        world.lose_states("kept")
        assert world.run("kept")["reason"] == "state_lost"
        page.do("local.backup restore", FOLDER="saved")
        page.do("cli verify", EXPORT="kept", ends=1)
    settle(world, "kept")
    world.publish({"kept": people(A, C)})
    run = world.run("kept")
    assert (run["counts"]["leavers"], run["status"]) == (1, "Successful")
    assert world.members("kept") == {A, C}


def test_who_joined_after_the_backup_and_left_before_the_restore_is_taken_off(world: World, follow: Follow) -> None:
    deliver(world, "older", A, B)
    with follow("Backup and restore of state") as page:
        page.do("local.backup save", FOLDER="saved")
        deliver(world, "older", A, B, C)
        world.publish({"older": people(A, B, D)})
        page.do("local.backup restore", FOLDER="saved")
        page.do("cli verify", EXPORT="older")
    settle(
        world, "older"
    )  # who is found on the list in doubt, and in the segment no more, leaves with the run that follows
    world.run("older")
    assert world.members("older") == {A, B, D}
    assert [run["counts"]["removed"] for run in world.api.get("exports/older/runs")["items"]].count(1) == 1


def test_an_upgrade_changes_nothing(world: World, follow: Follow) -> None:
    """The page's line of git and azd is what tests/upgrade does to what older versions stored; here the host is another one."""
    deliver(world, "upgraded", A)
    world.stack.restart_host(0, world.stack.environment)
    with follow("Upgrade") as page:
        page.do("cli health")
        said = page.do("cli preview", EXPORT="upgraded")
    assert "No calls" in said


@pytest.fixture
def elsewhere(world: World, tmp_path_factory: pytest.TempPathFactory, shared_parts: Shared) -> Iterator[World]:
    """Return another environment that reads the same segments and delivers to the same Autopilot."""
    shared = {"AUTOPILOT_URL": f"{world.stack.sandbox_url}/v1", "CustomerInsightsStorage": world.stack.source_storage}
    folder = tmp_path_factory.mktemp("elsewhere")
    environment = {name: value for name, value in world.stack.environment.items() if name in {"PATH", "HOME"}}
    with Stack(
        folder, settings=SETTINGS, in_memory=True, environment={**environment, **shared}, shared=shared_parts
    ) as stack:
        world = World(stack)
        yield world
        world.close()


def test_an_export_moves_to_another_environment(world: World, elsewhere: World, follow: Follow, clone: Path) -> None:
    deliver(world, "moved", A, B)
    with follow("Backup and restore of state") as page:
        page.do("local.backup save", FOLDER="saved")
        shutil.copytree(clone / "saved", clone / "copy")
        page.do("local.backup restore", FOLDER="saved")
        page.do("cli verify", EXPORT="moved")
    key = "segment-export-digest-key"
    elsewhere.stack.store_secret(key, world.stack.secret(key))  # the page's lines of az
    with follow("Backup and restore of state", elsewhere) as page:
        page._left.pop(0)
        page.do("local.backup restore", FOLDER="copy")
        elsewhere.connect("main")
        page.do("cli verify", EXPORT="moved")
    with follow("Moving to another environment", elsewhere) as page:
        assert "No calls" in page.do("cli preview", EXPORT="moved")
    assert elsewhere.run("moved")["reason"] == "nothing_to_do"
