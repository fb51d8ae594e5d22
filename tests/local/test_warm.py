"""Quick starts: a forked server is what one that was started by itself is, and accounts of one emulator are worlds apart."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import pytest
import requests
from azure.storage.blob import BlobServiceClient

from local.azurite import Azurite
from local.eventually import eventually
from local.processes import PortTaken, ServerProcess
from local.warm import Shared, WarmStarts

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="servers are forked on Linux alone")


@pytest.fixture(scope="module")
def warm() -> Iterator[WarmStarts]:
    with WarmStarts() as made:
        yield made


class Sandboxes:
    """Sandboxes of one test, forked unless their settings forbid it."""

    def __init__(self, warm: WarmStarts, folder: Path) -> None:
        self._warm = warm
        self._folder = folder
        self.started: list[ServerProcess] = []

    def start(self, *arguments: str, more: Mapping[str, str] | None = None) -> ServerProcess:
        name, environment = f"sandbox-{len(self.started)}", {**os.environ, **(more or {})}
        command = ["-m", "local.sandbox", *arguments]
        server = ServerProcess(name, command, environment, self._folder / name, start=self._warm.start)
        self.started.append(server)
        server.start()
        return server


@pytest.fixture
def sandboxes(warm: WarmStarts, tmp_path: Path) -> Iterator[Sandboxes]:
    made = Sandboxes(warm, tmp_path)
    yield made
    for server in made.started:
        server.stop()


def knobs(server: ServerProcess) -> Mapping[str, object]:
    found: Mapping[str, object] = requests.get(f"{server.ready['url']}/sandbox/knobs", timeout=60).json()
    return found


def test_each_is_a_process_of_its_own_with_its_own_arguments_and_environment(sandboxes: Sandboxes) -> None:
    first = sandboxes.start("--knobs", '{"latency_ms": 1}')
    second = sandboxes.start("--knobs", '{"latency_ms": 2}', more={"ONLY_HERE": "1"})
    assert [knobs(first)["latency_ms"], knobs(second)["latency_ms"]] == [1, 2]
    assert first.pid != second.pid
    assert psutil.Process(first.pid).ppid() == psutil.Process(second.pid).ppid() != os.getpid()
    first.kill()
    assert not first.is_running
    assert second.is_running
    assert knobs(second)["latency_ms"] == 2


def test_one_ends_when_it_is_told_to_and_when_nobody_holds_its_input(sandboxes: Sandboxes) -> None:
    told, left = sandboxes.start(), sandboxes.start()
    told.stop()
    with pytest.raises(requests.ConnectionError):
        knobs(told)
    assert left._process is not None
    assert left._process.stdin is not None
    left._process.stdin.close()
    eventually(lambda: not left.is_running)


def test_one_that_cannot_start_says_why(warm: WarmStarts, sandboxes: Sandboxes, tmp_path: Path) -> None:
    taken = sandboxes.start().ready["url"].rpartition(":")[2]
    command = ["-m", "local.vault", "--port", taken]
    with pytest.raises(PortTaken, match="vault did not start"):
        ServerProcess("vault", command, os.environ, tmp_path / "vault", start=warm.start).start()


def test_one_whose_settings_must_be_there_before_an_import_starts_by_itself(sandboxes: Sandboxes) -> None:
    forked, cold = sandboxes.start(), sandboxes.start(more={"LOCAL_HOST_CLOCK_SKEW_SECONDS": "3"})
    assert psutil.Process(cold.pid).ppid() == os.getpid() != psutil.Process(forked.pid).ppid()
    assert "local.sandbox" in psutil.Process(cold.pid).cmdline()


def test_an_account_sees_nothing_of_another_one(azurite: Azurite, shared_parts: Shared) -> None:
    assert azurite is shared_parts.azurite
    for said in (azurite.open_account(), azurite.open_account()):
        with BlobServiceClient.from_connection_string(said) as service:
            service.create_container("same-name")
            assert [found.name for found in service.list_containers()] == ["same-name"]
