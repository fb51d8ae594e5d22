"""The local tools as a person starts them: one at a time, ended by a sentence, and nothing left running."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from azure.storage.blob import BlobServiceClient

from local.azurite import Azurite
from local.commands import InUse, direct_to_loopback, only_one
from local.eventually import eventually
from local.processes import PortTaken, ServerProcess
from local.stack import Stack
from local.warm import Shared
from tests.local.programs import PATIENCE, STARTED, all_gone, checkout, everything_under, line_with, start

DEAD_PROXY = {
    "HTTP_PROXY": "http://127.0.0.1:1",
    "http_proxy": "http://127.0.0.1:1",
    "HTTPS_PROXY": "http://127.0.0.1:1",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a checkout for one test."""
    return checkout(tmp_path)


@pytest.fixture(autouse=True)
def leave_nothing() -> Iterator[None]:
    """End what a test started, and close its pipes."""
    yield
    while STARTED:
        with STARTED.pop() as process:
            process.kill()


@dataclass(frozen=True, slots=True)
class Up:
    """A stack as `make run` starts it: its checkout, and its process."""

    folder: Path
    process: subprocess.Popen[str]


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Yield a stack behind a dead proxy."""
    folder = checkout(tmp_path_factory.mktemp("up"))
    process = start(folder, "local.run", **DEAD_PROXY)
    STARTED.remove(process)  # it serves several tests
    with process:
        try:
            line_with(process, "The local stack is up")
            line_with(process, "what there is to export")
            yield Up(folder, process)
        finally:
            process.kill()


def test_a_second_stack_in_one_folder_is_refused(up: Up) -> None:
    second = start(up.folder, "local.run")
    _, said = second.communicate(timeout=PATIENCE)
    assert second.returncode == 1
    assert f"process {up.process.pid}" in said
    assert "Traceback" not in said
    assert (up.folder / ".local/stack.json").exists()


def test_the_first_goes_on_and_answers_behind_a_dead_proxy(up: Up) -> None:
    for words in (["local.environment", "--rows", "50"], ["cli", "segments"]):
        done = start(up.folder, *words, **DEAD_PROXY)
        out, said = done.communicate(timeout=PATIENCE)
        assert (done.returncode, said) == (0, "")
        assert "LoyaltyGold" in out


def test_ctrl_c_ends_a_stack_and_leaves_nothing(up: Up) -> None:
    children = everything_under(up.process)
    assert len(children) >= 4
    up.process.send_signal(signal.SIGINT)
    out, said = up.process.communicate(timeout=PATIENCE)
    assert (up.process.returncode, said) == (0, "")
    assert "Stopped." in out
    assert all_gone(children)
    assert not (up.folder / ".local/stack.json").exists()


def timers_held(folder: Path) -> int:
    """Return how many timers the host of a stack holds the lock of."""
    storage = json.loads((folder / ".local/stack.json").read_text())["storage_connection_string"]
    with (
        BlobServiceClient.from_connection_string(storage) as service,
        service.get_container_client("azure-webjobs-hosts") as container,
    ):
        return len(list(container.list_blobs("locks/"))) if container.exists() else 0


def test_a_stack_that_is_killed_leaves_nothing(folder: Path) -> None:
    """A host without storage neither waits long for the locks that it holds there, nor for its listeners one by one."""
    stack = start(folder, "local.run")
    line_with(stack, "what there is to export")
    eventually(lambda: timers_held(folder) == 2)
    children = everything_under(stack)
    stack.kill()
    assert all_gone(children)


def test_ctrl_c_in_a_demo_is_a_sentence_and_leaves_nothing(folder: Path) -> None:
    demo = start(folder, "local.demo")
    line_with(demo, "First run")
    children = everything_under(demo)
    demo.send_signal(signal.SIGINT)
    _, said = demo.communicate(timeout=PATIENCE)
    assert demo.returncode == 130
    assert said.strip() == "Stopped."
    assert children
    assert all_gone(children)


def test_a_demo_that_is_kept_leaves_its_console_up_until_ctrl_c(folder: Path) -> None:
    demo = start(folder, "local.demo", "--keep")
    url = line_with(demo, "Console").split()[-1]
    key = line_with(demo, "Key").split()[-1]
    assert "<title>Segment export</title>" in requests.get(url, timeout=PATIENCE).text
    answer = requests.get(f"{url}api/exports", headers={"x-functions-key": key}, timeout=PATIENCE)
    assert [item["name"] for item in answer.json()["items"]] == ["loyalty"]
    demo.send_signal(signal.SIGINT)
    out, said = demo.communicate(timeout=PATIENCE)
    assert (demo.returncode, said, out.strip()) == (0, "", "Stopped.")


def test_whoever_stops_reading_ends_the_demo_without_a_word(folder: Path) -> None:
    demo = start(folder, "local.demo")
    line_with(demo, "storage")
    children = everything_under(demo)
    assert demo.stdout is not None
    assert demo.stderr is not None
    demo.stdout.close()
    said = demo.stderr.read()
    assert demo.wait(timeout=PATIENCE) == 1
    assert said == ""
    assert all_gone(children)


@pytest.mark.parametrize("words", [("local.demo",), ("local.run",)])
def test_a_folder_that_cannot_be_written_is_named(folder: Path, words: tuple[str, ...]) -> None:
    (folder / ".local").write_text("no folder")
    done = start(folder, *words)
    _, said = done.communicate(timeout=PATIENCE)
    assert done.returncode == 1
    assert ".local" in said
    assert len(said.strip().splitlines()) == 1


def test_without_a_stack_the_made_up_source_says_how_to_start_one(folder: Path) -> None:
    done = start(folder, "local.environment")
    _, said = done.communicate(timeout=PATIENCE)
    assert (done.returncode, "make run" in said, len(said.strip().splitlines())) == (1, True, 1)


def test_a_lock_goes_with_its_owner(tmp_path: Path) -> None:
    lock = tmp_path / "deep" / "lock"
    refused = pytest.raises(InUse, match=f"This is going .* process {os.getpid()}")
    with only_one(lock, "This"), refused, only_one(lock, "This"):
        pass
    with only_one(lock, "This"):
        pass


def test_what_an_environment_excepts_already_stays_excepted() -> None:
    environment = {"no_proxy": "intern.example, 127.0.0.1"}
    direct_to_loopback(environment)
    assert environment["no_proxy"] == "intern.example,127.0.0.1,localhost,::1"
    assert environment["NO_PROXY"] == "127.0.0.1,localhost,::1"


@pytest.fixture
def stack(tmp_path: Path, shared_parts: Shared) -> Iterator[Stack]:
    with Stack(tmp_path, in_memory=True, shared=shared_parts.without_storage) as made:
        yield made


def close_once_logged(thief: socket.socket, log: Path, words: str) -> None:
    """Let go of a port once a log says that it was missed."""
    try:
        eventually(lambda: words in log.read_text())
    finally:
        thief.close()


def test_a_port_that_was_taken_meanwhile_is_waited_for(stack: Stack) -> None:
    """A part that was down comes back where it was, as soon as whoever took its port gives it back."""
    host, azurite = stack.hosts[0], stack.azurite
    assert azurite is not None
    port = int(host.ready["url"].rpartition(":")[2].partition("/")[0])
    storage = int(stack.storage.rpartition(f"/{'devstoreaccount1'};")[0].rpartition(":")[2])
    host.kill()
    azurite.kill()
    for taken, back, log, refused in (
        (storage, azurite.start, azurite.log, "EADDRINUSE"),
        (
            port,
            lambda: host.start_again("--port", str(port), patience=60),
            stack.logs / "host-1.log",
            "in use by another program",
        ),
    ):
        thief = socket.create_server(("127.0.0.1", taken))
        release = threading.Thread(target=close_once_logged, args=(thief, log, refused))
        release.start()
        back()
        release.join()
    answer = requests.get(f"{stack.api_url}/health", headers={"x-functions-key": stack.function_key}, timeout=60)
    assert answer.json()["storage"]["reachable"]  # which is empty, but there


def test_a_port_that_somebody_keeps_is_told_apart_from_other_faults(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as thief:
        port = str(thief.getsockname()[1])
        vault = ServerProcess("vault", ["-m", "local.vault", "--port", port], os.environ, tmp_path / "vault.log")
        with pytest.raises(PortTaken):
            vault.start()
        assert not vault.is_running


def test_many_emulators_start_at_once_without_meeting(tmp_path: Path) -> None:
    """Each has its ports from the system: none is looked for, given back and then taken by another."""
    made = [Azurite(tmp_path / str(number), in_memory=True) for number in range(3)]
    starts = [threading.Thread(target=one.start) for one in made]
    try:
        for thread in starts:
            thread.start()
        for thread in starts:
            thread.join()
        assert len({one.connection_string for one in made}) == 3
    finally:
        for one in made:
            one.stop()
