"""What a newer version of the app stored is refused by name, harms nothing else, and is as it was when that version is back."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import polars as pl
import pytest
from azure.data.tables import TableServiceClient, UpdateMode
from azure.storage.blob import BlobServiceClient

from local.stack import Stack
from local.warm import Shared
from local.world import SIMPLE, World, people
from shared.azure.records import NewerVersion
from shared.azure.storage import Container, Queue
from shared.composition.app import App
from shared.delivery.chunks import Operation, decode, encode
from shared.erasure.requests import Erasures
from shared.lifecycle.finish import finish_run
from shared.lifecycle.queue_work import leave_to_newer_version
from shared.runs.counts import Counts
from shared.runs.entry import Entry
from shared.runs.files import write_table
from shared.runs.ledger import Ledger
from shared.runs.run import Run
from shared.runs.work import ChunkWork
from shared.state.state import RECEIPTS
from tests.runs.lives import planned
from tests.upgrade.make import QUICK

NEWER: Final = 1_000


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, shared_parts: Shared) -> Iterator[World]:
    with Stack(tmp_path_factory.mktemp("stack"), settings=QUICK, in_memory=True, shared=shared_parts) as stack:
        world = World(stack)
        world.publish({"A": people("a@example.com"), "B": people("b@example.com")})
        world.connect()
        for name in ("a", "b"):
            world.save(name, segments=[name.upper()], mapping=SIMPLE)
            assert world.run(name)["status"] == "Successful"
        world.api.post("erasure", {"email": "c@example.com"})
        yield world
        world.close()


@pytest.fixture
def blobs(world: World) -> Iterator[BlobServiceClient]:
    with BlobServiceClient.from_connection_string(world.stack.storage) as client:
        yield client


@pytest.fixture
def tables(world: World) -> Iterator[TableServiceClient]:
    with TableServiceClient.from_connection_string(world.stack.storage) as client:
        yield client


def contents(blobs: BlobServiceClient, container: str) -> dict[str, bytes]:
    client = blobs.get_container_client(container)
    return {name: client.download_blob(name).readall() for name in client.list_blob_names()}


def test_everything_that_is_stored_says_its_version(
    world: World, blobs: BlobServiceClient, tables: TableServiceClient
) -> None:
    for name in ("ledger", "accounts", "erased", "audit"):
        entities = list(tables.get_table_client(name).list_entities())
        assert entities
        assert {entity["version"] for entity in entities} == {1}
    for container in ("configuration", "reports"):
        assert {json.loads(data)["version"] for data in contents(blobs, container).values()} == {1}
    said = [pl.read_parquet_metadata(io.BytesIO(data)) for data in contents(blobs, "state").values()]
    assert {(item["version"], item["digests"]) for item in said} == {("1", "hmac-sha256")}
    stones = tables.get_table_client("erased").query_entities("PartitionKey eq 'erased'")
    assert [stone["digests"] for stone in stones] == ["hmac-sha256"]
    assert "version" not in world.api.get("connections/main") | world.api.get("exports/a")


def document(text: bytes) -> bytes:
    return json.dumps({**json.loads(text), "version": NEWER}).encode()


def state(data: bytes, **said: str) -> bytes:
    file = io.BytesIO()
    pl.read_parquet(io.BytesIO(data)).write_parquet(file, metadata={"lists": "[]", **said})
    return file.getvalue()


@contextmanager
def changed(blobs: BlobServiceClient, container: str, prefix: str, how: Callable[[bytes], bytes]) -> Iterator[None]:
    """Have a newer version write over a blob, and then be back."""
    client = blobs.get_container_client(container)
    with ExitStack() as back:
        for name, data in contents(blobs, container).items():
            if name.startswith(prefix):
                client.upload_blob(name, how(data), overwrite=True)
                back.callback(client.upload_blob, name, data, overwrite=True)
        yield


@contextmanager
def newer_head(tables: TableServiceClient, export: str) -> Iterator[None]:
    ledger = tables.get_table_client("ledger")
    entity = dict(ledger.get_entity(export, "head"))
    ledger.upsert_entity({**entity, "version": NEWER}, UpdateMode.REPLACE)
    yield
    ledger.upsert_entity(entity, UpdateMode.REPLACE)


def goes_on(world: World) -> None:
    """Whatever was newer is back: nobody is sent again."""
    for name in ("a", "b"):
        assert world.run(name)["reason"] == "nothing_to_do"


def test_a_newer_state_ends_the_run_by_name(world: World, blobs: BlobServiceClient) -> None:
    world.reset_statistics()
    for how in (lambda data: state(data, version="2"), lambda data: state(data, version="1", digests="sha3")):
        with changed(blobs, "state", "a/", how):
            run = world.run("a")
            assert (run["status"], run["reason"]) == ("Failed", "newer_version")
            assert "state/a/main/" in run["detail"]
            assert world.refused("POST", "exports/a/preview").code == "newer_version"
            assert world.run("b")["reason"] == "nothing_to_do"
    assert world.look("stats")["writes"] == 0
    goes_on(world)


@pytest.mark.parametrize("prefix", ["exports/a", "connections/"])
def test_a_newer_document_is_named(world: World, blobs: BlobServiceClient, prefix: str) -> None:
    with changed(blobs, "configuration", prefix, document):
        health = world.api.get("health")
        assert health["damaged"][0]["detail"].endswith("was written by a newer version of the app.")
        assert world.refused("POST", "exports/a/runs").code == "newer_version"
        if prefix == "exports/a":
            assert world.run("b")["reason"] == "nothing_to_do"
    goes_on(world)


def test_a_newer_head_keeps_nobody_else(world: World, tables: TableServiceClient) -> None:
    with newer_head(tables, "a"):
        assert world.refused("POST", "exports/a/runs").code == "newer_version"
        shown = {item["name"]: item.get("code") for item in world.api.get("exports")["items"]}
        assert shown == {"a": "newer_version", "b": None}
        answer = world.api.post("runs")
        assert [item["code"] for item in answer["skipped"]] == ["newer_version"]
        assert world.wait("b", answer["started"][0]["run"])["reason"] == "nothing_to_do"
    goes_on(world)


def test_receipts_of_a_newer_version_are_kept_for_it(app: App, run: Run) -> None:
    ledger: Ledger = app.ledger
    now = app.now()
    ledger.change(run.export, run.id, lambda run: planned(run, now, operations=1))
    name = f"{run.export}/{run.id}/000001-x.parquet"
    app.storage.put(Container.OUTCOMES, name, state(write_table(pl.DataFrame(schema=RECEIPTS)), version="2"))
    entry = Entry(chunk="000001", attempt="x", result=name, settled=1, left=0)
    ledger.record(run.export, run.id, entry, lambda run: run.recorded(entry, Counts(), None, now))
    with pytest.raises(NewerVersion, match=r"000001-x\.parquet was written by a newer version"):
        finish_run(app, run.export, run.id)
    assert not ledger.run(run.export, run.id).status.is_final
    assert app.storage.get(Container.OUTCOMES, name) is not None


def test_work_of_a_newer_version_waits_for_it(app: App, run: Run) -> None:
    before = app.storage.waiting(Queue.CHUNKS)
    work = ChunkWork(export=run.export, run=run.id, chunk="000001")
    leave_to_newer_version(app, Queue.CHUNKS, work, NewerVersion("The chunk"))
    assert app.storage.waiting(Queue.CHUNKS) == before + 1


def test_a_chunk_of_a_newer_version_is_not_read() -> None:
    operation = Operation(7, None, 0, None, 1, False, (0,), (), None)
    chunk = encode([operation])
    assert decode(chunk) == (operation,)
    with pytest.raises(NewerVersion):
        decode(chunk.replace(b'"version":1', b'"version":2'))


def test_a_request_of_a_newer_version_keeps_no_other_from_its_end(app: App) -> None:
    erasures: Erasures = app.erasures
    first, second = (erasures.begin(f"{name}@example.com", app.now(), "me", (), 1) for name in "ab")
    table: Any = erasures._table
    client = table._client
    client.upsert_entity({**client.get_entity("requests", first.id), "version": NEWER}, UpdateMode.REPLACE)
    assert [erasure.id for erasure in erasures.all()] == [second.id]
    erasures.sweep()
    assert erasures.address(first.id) == "a@example.com"
