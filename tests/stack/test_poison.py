"""What fails however often it is tried: its run ends and says so, the rest goes through, and no queue keeps anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient
from azure.storage.queue import QueueServiceClient, TextBase64EncodePolicy

from local.eventually import eventually
from local.world import SIMPLE, World, adds_up, people
from tests.stack.chunks import last_chunk
from tests.stack.conftest import MakeWorld

EVERYBODY = [f"p{n}@example.com" for n in range(1200)]


@pytest.fixture(scope="module")
def slow(make_lasting_world: MakeWorld) -> World:
    """Return a world whose runs take their time, and whose failures are tried again at once."""
    world = make_lasting_world(settings={"LOCAL_HOST_RETRY_SECONDS": "0", "LOCAL_HOST_POISON_POLL_SECONDS": "1"})
    world.publish({"All": people(*EVERYBODY)})
    return world


@pytest.fixture
def chunks(slow: World) -> Iterator[ContainerClient]:
    with BlobServiceClient.from_connection_string(slow.stack.storage) as service:
        yield service.get_container_client("chunks")


def start(world: World, name: str) -> str:
    """Start a run that waits for the vault once it is planned."""
    world.connect(rate_limit=2000)
    world.save(name, segments=[{"segment": "All", "list": name}], mapping=SIMPLE)
    world.turn(latency_ms=300)
    return world.start(name)


def poisoned(world: World) -> dict[str, int]:
    """Return how many messages lie in poison queues."""
    with QueueServiceClient.from_connection_string(world.stack.storage) as service:
        names = [queue.name for queue in service.list_queues() if queue.name.endswith("-poison")]
        counts = {name: service.get_queue_client(name).get_queue_properties() for name in names}
        return {name: count for name, found in counts.items() if (count := found.approximate_message_count)}


def ends_and_recovers(world: World, name: str, run: str) -> dict[str, Any]:
    ended = world.wait(name, run)
    assert (ended["status"], ended["reason"]) == ("Failed", "chunk_damaged")
    assert adds_up(ended)
    assert ended["counts"]["delivered"] + ended["counts"]["undelivered"] == len(EVERYBODY)
    assert ended["counts"]["undelivered"] >= 200
    world.turn(latency_ms=0)
    again = world.run(name)
    assert again["status"] == "Successful"
    assert again["counts"]["delivered"] == ended["counts"]["undelivered"]
    assert world.members(name) == set(EVERYBODY)
    assert poisoned(world) == {}
    return ended


def test_a_chunk_that_cannot_be_read_ends_its_run_and_the_next_one_delivers_it(
    slow: World, chunks: ContainerClient
) -> None:
    run = start(slow, "spoiled")
    chunks.upload_blob(last_chunk(chunks, "spoiled"), b'{"person": "not a', overwrite=True)
    ends_and_recovers(slow, "spoiled", run)


def test_a_chunk_that_somebody_emptied_ends_its_run_and_the_next_one_delivers_it(
    slow: World, chunks: ContainerClient
) -> None:
    run = start(slow, "emptied")
    chunks.upload_blob(last_chunk(chunks, "emptied"), b"", overwrite=True)
    ends_and_recovers(slow, "emptied", run)


def test_a_chunk_that_lost_some_lines_ends_its_run_and_the_next_one_delivers_them(
    slow: World, chunks: ContainerClient
) -> None:
    """What is left of it is sound, and delivered; that some is missing only the books show."""
    run = start(slow, "shortened")
    name = last_chunk(chunks, "shortened")
    lines = chunks.download_blob(name).readall().splitlines(keepends=True)
    chunks.upload_blob(name, b"".join(lines[:50]), overwrite=True)
    ended = slow.wait("shortened", run)
    assert (ended["status"], ended["reason"]) == ("Failed", "books_do_not_close")
    assert adds_up(ended)
    assert ended["counts"]["undelivered"] == len(lines) - 50
    slow.turn(latency_ms=0)
    assert slow.run("shortened")["counts"]["delivered"] == len(lines) - 50
    assert slow.members("shortened") == set(EVERYBODY)


def test_a_chunk_that_somebody_deleted_ends_its_run_and_the_next_one_delivers_it(
    slow: World, chunks: ContainerClient
) -> None:
    run = start(slow, "deleted")
    chunks.delete_blob(last_chunk(chunks, "deleted"))
    ends_and_recovers(slow, "deleted", run)


@pytest.mark.parametrize("queue", ["export-runs", "export-chunks", "export-notices"])
@pytest.mark.parametrize(
    "text", ["", "nonsense", "{}", "[]", '{"export": "../x", "run": "1", "chunk": "2"}', '{"export": "e", "run": 7}']
)
def test_a_message_that_names_no_work_is_dropped(slow: World, queue: str, text: str) -> None:
    with QueueServiceClient.from_connection_string(slow.stack.storage) as service:
        client = service.get_queue_client(queue, message_encode_policy=TextBase64EncodePolicy())
        if queue not in {item.name for item in service.list_queues()}:
            client.create_queue()
        client.send_message(text)
        eventually(lambda: client.get_queue_properties().approximate_message_count, lambda count: not count)
    assert poisoned(slow) == {}


def test_a_message_of_a_run_that_nobody_knows_is_dropped(slow: World) -> None:
    with QueueServiceClient.from_connection_string(slow.stack.storage) as service:
        client = service.get_queue_client("export-chunks", message_encode_policy=TextBase64EncodePolicy())
        client.send_message('{"export": "gone", "run": "20260101t000000000-abcd", "chunk": "000001"}')
        client.send_message('{"export": "gone", "run": "no-run", "chunk": "000001"}')
        eventually(lambda: client.get_queue_properties().approximate_message_count, lambda count: not count)
    assert poisoned(slow) == {}


def test_contacts_past_the_contracts_limit_stop_the_run_and_the_rest_waits(slow: World) -> None:
    """That a full account refuses new contacts is our assumption; real ones are probably billed instead."""
    held = len(slow.look("contacts"))
    slow.connect(rate_limit=2000)
    new = [f"new{n}@example.com" for n in range(900)]
    slow.publish({"All": people(*EVERYBODY), "New": people(*new)})
    slow.turn(contact_limit=held)
    slow.save("full", segments=["New"], mapping=SIMPLE)
    slow.reset_statistics()
    ended = slow.run("full")
    assert (ended["status"], ended["reason"]) == ("Failed", "autopilot_refused")
    assert adds_up(ended)
    assert ended["counts"]["delivered"] == 0
    assert slow.look("stats")["requests"] < 500  # not two calls a contact
    slow.turn(contact_limit=None)
    again = slow.run("full")
    assert again["counts"]["delivered"] == len(new)
    assert slow.members("New") == set(new)
