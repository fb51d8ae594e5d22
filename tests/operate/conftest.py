"""One stack for the procedures that do not get in each other's way: each has an export, a segment and a connection of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.eventually import eventually
from local.package import ROOT
from local.stack import Stack
from local.warm import Shared
from local.world import SIMPLE, World, people
from tests.operate.page import Procedure

SETTINGS = {
    "SETTLE_SECONDS": "0",
    "EXPORT_SCHEDULE": "*/10 * * * * *",
    "SUPERVISION_SCHEDULE": "*/2 * * * * *",
    "GRACE_SECONDS": "3",
    "LOCAL_HOST_LEASE_SECONDS": "5",
    "LOCAL_HOST_TIMER_LOCK_SECONDS": "5",
}
OFF = {"on": "off"}
KEY = "sandbox-key"

Follow = Callable[..., Procedure]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, shared_parts: Shared) -> Iterator[World]:
    """Return the module's world."""
    with Stack(tmp_path_factory.mktemp("stack"), settings=SETTINGS, in_memory=True, shared=shared_parts) as stack:
        world = World(stack)
        yield world
        world.close()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a folder in which the page's commands find what a clone has."""
    for name in (".venv", "cli", "local", "shared"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


@pytest.fixture
def follow(world: World, clone: Path) -> Follow:
    """Return what opens a procedure of the page, for the module's world or another one."""

    def opened(heading: str, of: World = world) -> Procedure:
        environment = {
            "SEGMENT_EXPORT_URL": of.stack.api_url,
            "SEGMENT_EXPORT_KEY": of.stack.function_key,
            "AzureWebJobsStorage": of.stack.storage,
        }
        return Procedure(heading, clone, environment)

    return opened


def settle(world: World, export: str) -> None:
    """Wait until nothing of an export is going, nor anything that follows by itself."""
    eventually(lambda: not world.api.get(f"exports/{export}")["active_run"])


def deliver(world: World, export: str, *members: str) -> None:
    """Make an export of a segment of its name, and deliver its members."""
    if export not in {item["name"] for item in world.api.items("exports")}:
        world.connect("main")
        world.publish({export: people(*members)})
        world.save(export, segments=[export], mapping=SIMPLE, schedule=OFF)
    world.publish({export: people(*members)})
    assert world.run(export)["status"] == "Successful"
