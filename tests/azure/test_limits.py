"""Bounds of what is stored: a blob that is larger than any of ours harms itself only, and is named."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

import pytest

from export_worker.deliver_chunk import deliver_chunk
from shared.azure import storage
from shared.azure.storage import LARGEST, Container, TooLarge
from shared.composition.app import App
from shared.exports.registry import DocumentDamaged
from shared.reasons.codes import Reason, Status
from shared.reasons.errors import ExportError
from shared.runs.files import Damaged, chunk_path, load_state, load_table, state_path
from shared.runs.rejected import rejected_customers
from shared.runs.work import ChunkWork, RunWork, read_work
from shared.state.state import SCHEMA
from tests.conftest import publish
from tests.lifecycle.planned import planned

RUN = "20260101t000000000-dead"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Mapping[Container, int]:
    """Return limits that a test can exceed."""
    limits = dict.fromkeys(Container, 100)
    monkeypatch.setattr(storage, "LARGEST", limits)
    return limits


def test_every_container_has_a_limit() -> None:
    assert set(LARGEST) == set(Container)


def test_a_blob_that_is_too_large_is_not_read_and_is_named(app: App, small: Mapping[Container, int]) -> None:
    name = f"e-{secrets.token_hex(4)}/x"
    app.storage.put(Container.REPORTS, name, b"x" * 100)
    assert app.storage.get(Container.REPORTS, name) is not None
    app.storage.put(Container.REPORTS, name, b"x" * 101)
    with pytest.raises(TooLarge, match=f"reports/{name} has 101 bytes; at most 100"):
        app.storage.get(Container.REPORTS, name)
    app.storage.delete(Container.REPORTS, name)


def test_a_state_that_is_too_large_ends_its_run_by_name(app: App, small: Mapping[Container, int]) -> None:
    path = state_path(export := f"e-{secrets.token_hex(4)}", "main", RUN)
    app.storage.put(Container.STATE, path, b"x" * 101)
    with pytest.raises(Damaged, match="has 101 bytes"):
        load_table(app.storage, Container.STATE, path, SCHEMA)
    with pytest.raises(ExportError) as ended:
        load_state(app.storage, export, "main", RUN)
    assert ended.value.reason is Reason.STATE_LOST
    app.storage.delete(Container.STATE, path)


def test_a_chunk_that_is_too_large_ends_its_run_by_name(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    run = planned(app, chunks=1, operations=1)
    app.storage.put(Container.CHUNKS, chunk_path(run.export, run.id, "p", "000001"), b"x" * 101)
    monkeypatch.setattr(storage, "LARGEST", {**LARGEST, Container.CHUNKS: 100})
    deliver_chunk(app, run.export, run.id, "000001")
    ended = app.ledger.run(run.export, run.id)
    assert (ended.status, ended.reason) == (Status.FAILED, Reason.CHUNK_DAMAGED)


def test_a_document_that_is_too_large_is_damaged_and_can_be_removed(app: App, small: Mapping[Container, int]) -> None:
    publish(app, name := f"e-{secrets.token_hex(4)}")
    with pytest.raises(DocumentDamaged) as damage:
        app.registry.export(name)
    app.registry.delete_export(name, if_match=damage.value.etag)
    assert app.registry.export(name) is None


@pytest.mark.parametrize("content", [b"\xff\xfe", b"nonsense\r\n1,2"], ids=["no text", "no column"])
def test_a_rejected_rows_file_that_is_not_ours_ends_the_run_that_reads_it(app: App, content: bytes) -> None:
    name = f"e-{secrets.token_hex(4)}/{RUN}.csv"
    app.storage.put(Container.REJECTED, name, content)
    with pytest.raises(ExportError, match="cannot be read"):
        rejected_customers(app.storage, name)


@pytest.mark.parametrize(
    "run", ["", "r", "../x", f"{RUN}\nforged", f"{RUN}\n", "20260101t000000000-DEAD", RUN + "0" * 9000]
)
def test_a_message_whose_run_is_no_runs_id_is_dropped(run: str) -> None:
    assert read_work(RunWork.model_construct(export="e", run=run).model_dump_json().encode(), RunWork) is None


@pytest.mark.parametrize("chunk", ["", "1", "000001\nforged", "000001/../x", "000001-1", "000001-1-X", "0" * 9000])
def test_a_message_whose_chunk_is_no_chunks_name_is_dropped(chunk: str) -> None:
    assert (
        read_work(ChunkWork.model_construct(export="e", run=RUN, chunk=chunk).model_dump_json().encode(), ChunkWork)
        is None
    )


@pytest.mark.parametrize("chunk", ["000001", "000001-1-abcdef01", "000001-12-00000000"])
def test_a_message_that_we_write_is_read(chunk: str) -> None:
    work = ChunkWork(export="e", run=RUN, chunk=chunk)
    assert read_work(work.model_dump_json().encode(), ChunkWork) == work
