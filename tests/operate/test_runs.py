"""Runs that do not end by themselves, that lost a chunk, and an export that is made again."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from azure.storage.blob import BlobServiceClient

from local.eventually import eventually
from local.world import SIMPLE, World, people
from tests.operate.conftest import OFF, Follow, deliver

MANY = [f"p{number}@example.com" for number in range(1200)]


@pytest.fixture(autouse=True)
def as_before(world: World) -> Iterator[None]:
    yield
    world.turn(down=False, latency_ms=0)


def damage_last_chunk(world: World, export: str) -> None:
    """Write over the last chunk of a run that is going, before anybody takes it."""
    deadline = time.monotonic() + 60
    with BlobServiceClient.from_connection_string(world.stack.storage) as service:
        chunks = service.get_container_client("chunks")
        while True:
            names = list(chunks.list_blob_names(name_starts_with=f"{export}/")) if chunks.exists() else []
            if last := [name for name in names if name.endswith("/000003.ndjson")]:
                chunks.upload_blob(last[0], b"not what a plan writes", overwrite=True)
                return
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_a_chunk_that_was_damaged_is_sent_by_the_next_run(world: World, follow: Follow) -> None:
    world.connect("main")
    world.publish({"poisoned": people(*MANY)})
    world.save("poisoned", segments=["poisoned"], mapping=SIMPLE, schedule=OFF)
    world.turn(latency_ms=300)
    run = world.start("poisoned")
    damage_last_chunk(world, "poisoned")
    assert world.wait("poisoned", run)["reason"] == "chunk_damaged"
    world.turn(latency_ms=0)
    with follow("chunk-given-up") as page:
        assert "chunk_damaged" in page.do("cli status", EXPORT="poisoned")
        assert "Successful" in page.do("cli run", EXPORT="poisoned")
    assert world.members("poisoned") == set(MANY)


def test_a_run_that_waits_for_autopilot_is_canceled_and_run_again(world: World, follow: Follow) -> None:
    deliver(world, "stuck", "a@example.com")
    world.publish({"stuck": people("a@example.com", "b@example.com")})
    world.turn(down=True)
    run = world.start("stuck")
    eventually(lambda: world.api.get(f"exports/stuck/runs/{run}")["waits_for"])
    with follow("A run that does not end") as page:
        assert "Autopilot" in page.do("cli status", EXPORT="stuck")
        page.do("cli health")
        page.do("cli cancel", EXPORT="stuck")
        assert world.wait("stuck", run)["status"] == "Canceled"
        world.turn(down=False)
        assert "Successful" in page.do("cli run", EXPORT="stuck")
    assert world.members("stuck") == {"a@example.com", "b@example.com"}


def test_an_export_is_deleted_and_made_again(world: World, follow: Follow) -> None:
    deliver(world, "again", "stays@example.com", "leaves@example.com")
    settings = world.api.get("exports/again")
    world.publish({"again": people("stays@example.com")})
    with follow("Deleting an export, and creating it again") as page:
        page.do("cli export show", EXPORT="again")
        page.do("cli export delete", EXPORT="again")
        page.do("cli export save", EXPORT="again")
        assert "Successful" in page.do("cli run", EXPORT="again")
    made = world.api.get("exports/again")
    assert {name: made[name] for name in ("mapping", "segments", "schedule", "guards")} == {
        name: settings[name] for name in ("mapping", "segments", "schedule", "guards")
    }
    assert [run["counts"]["delivered"] for run in world.api.get("exports/again/runs")["items"]] == [1]
    assert world.members("again") == {"stays@example.com", "leaves@example.com"}
