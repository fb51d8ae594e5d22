"""What chaos is made of: the proxy before the source, partitions that are odd, and evidence that says everything."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
import requests
from azure.storage.blob import BlobServiceClient

from cli.client import Address, ApiError, Client
from local.azurite import Azurite
from local.chaos.asking import persistently
from local.chaos.evidence import keep_evidence
from local.chaos.odd import spoil
from local.chaos.schedule import draw_round
from local.environment import SEGMENTS, Company
from local.source_proxy import SourceProxy
from local.stack import Stack
from local.warm import Shared


@pytest.fixture
def proxy(azurite: Azurite) -> Iterator[SourceProxy]:
    with SourceProxy() as made:
        made.upstream = azurite.blob_port
        yield made


@pytest.fixture
def service(proxy: SourceProxy) -> Iterator[BlobServiceClient]:
    """Reach the storage through the proxy, as the app reaches its source, without repeating anything."""
    with BlobServiceClient.from_connection_string(proxy.connection_string, retry_total=0) as made:
        yield made


def test_a_proxy_passes_on_refuses_or_drops_as_it_is_told(proxy: SourceProxy) -> None:
    url = f"http://127.0.0.1:{proxy.port}/devstoreaccount1/nowhere?restype=container"
    with requests.Session() as session:  # one connection, which trouble meets in the middle
        assert session.get(url, timeout=60).status_code != 503
        proxy.strike("busy")
        answer = session.get(url, timeout=60)
        assert (answer.status_code, answer.headers["x-ms-error-code"]) == (503, "ServerBusy")
        proxy.strike("none")
        assert session.get(url, timeout=60).status_code != 503


def test_an_answer_that_is_dropped_is_cut_short(proxy: SourceProxy, service: BlobServiceClient) -> None:
    client = service.create_container("dropped")
    client.upload_blob("big", b"x" * 100_000)
    proxy.strike("drops")
    with pytest.raises(Exception, match=r"(?i)incomplete|broken|reset|aborted|closed"):
        client.download_blob("big").readall()
    proxy.strike("none")
    assert len(client.download_blob("big").readall()) == 100_000


def test_an_odd_partition_holds_the_same_people_written_another_way(service: BlobServiceClient) -> None:
    company = Company.found(100)
    company.publish(service, "odd/Export")
    name = next(iter(SEGMENTS))
    client = service.get_container_client("odd")
    blob = next(iter(client.list_blob_names(name_starts_with=f"Export/{name}/")))
    written = client.download_blob(blob).readall()
    spoil(service, "odd/Export", name, "compressed")
    assert gzip.decompress(client.download_blob(blob).readall()) == written


def test_evidence_says_what_was_stored_called_and_logged(tmp_path: Path, shared_parts: Shared) -> None:
    started = Stack(tmp_path / "stack", in_memory=True, shared=shared_parts)
    with started as stack, Client(Address(stack.api_url, stack.function_key)) as api:
        body = {"display_name": "Kept", "api_key": "sandbox-key", "agree_to_privacy": True}
        api.put("connections/kept", body)
        keep_evidence(tmp_path / "kept", stack, {"seed": 7})
    assert json.loads((tmp_path / "kept/round.json").read_text()) == {"seed": 7}
    assert not (tmp_path / "kept/not-kept.json").exists()
    kept = {str(file.relative_to(tmp_path / "kept")) for file in (tmp_path / "kept").rglob("*") if file.is_file()}
    assert {"tables/audit.jsonl", "sandbox/lists.json", "sandbox/journal.json", "logs/host-1.log"} <= kept
    assert any(name.startswith("blobs/configuration/") for name in kept)
    assert "GET /account" in (tmp_path / "kept/sandbox/journal.json").read_text()


def test_rounds_meet_the_sources_troubles_too() -> None:
    kinds = {trouble.kind for seed in range(60) for part in draw_round(seed, 2).troubles for trouble in part}
    assert {"source busy", "source drops", "refresh meanwhile", "no token"} <= kinds
    assert {draw_round(seed, 2).odd for seed in range(60)} >= {None, "compressed", "no addresses"}


class Scripted:
    """An API that answers as it is told, in turn."""

    def __init__(self, *answers: Exception | object) -> None:
        self._answers = list(answers)

    def delete(self, _: str) -> object:
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_what_a_call_deleted_whose_answer_was_lost_is_deleted() -> None:
    gone, away = ApiError(404, {"detail": "There is no export."}), ApiError(503, {"detail": "Try again."})
    assert persistently(cast("Client", Scripted(away, gone)), "delete", "exports/chaos") is None
    assert persistently(cast("Client", Scripted(away, {"deleted": True})), "delete", "exports/chaos") == {
        "deleted": True
    }
    with pytest.raises(ApiError, match="There is no export"):
        persistently(cast("Client", Scripted(gone)), "delete", "exports/chaos")
