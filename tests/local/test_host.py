"""The local Functions host: Microsoft's runtime, with the real host's semantics around it."""

from __future__ import annotations

import base64
import json
import os
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient, TextBase64EncodePolicy

from local.azurite import Azurite
from local.processes import NotReady, ServerProcess

APP = """
import json, os, pathlib, threading, time
import azure.functions as func
app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
notes = pathlib.Path(os.environ["NOTES"])
running = 0
lock = threading.Lock()

def note(**what):
    with lock, notes.open("a") as file:
        file.write(json.dumps(what) + "\\n")

@app.route(route="echo/{name}", methods=["POST"])
def echo(req: func.HttpRequest) -> func.HttpResponse:
    body = {"name": req.route_params["name"], "query": dict(req.params), "body": req.get_body().decode(), "head": req.headers.get("x-head")}
    return func.HttpResponse(json.dumps(body), status_code=201, headers={"X-Back": "yes"}, mimetype="application/json")

@app.route(route="open", auth_level=func.AuthLevel.ANONYMOUS)
def open_door(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("in")

@app.route(route="fails")
def fails(req: func.HttpRequest) -> func.HttpResponse:
    raise ValueError("a secret in a traceback")

@app.queue_trigger("message", queue_name="%QUEUE%", connection="AzureWebJobsStorage")
def work(message: func.QueueMessage) -> None:
    global running
    text = message.get_body().decode()
    with lock:
        running += 1
        now = running
    note(kind="work", text=text, count=message.dequeue_count, running=now)
    time.sleep(float(text.partition(":")[2] or 0))
    with lock:
        running -= 1
    if text.startswith("bad"):
        raise ValueError(text)

@app.timer_trigger("timer", schedule="%SCHEDULE%")
def tick(timer: func.TimerRequest) -> None:
    note(kind="tick", past_due=timer.past_due, instance=os.environ["INSTANCE"])
"""

HOST = {
    "version": "2.0",
    "extensions": {
        "queues": {
            "batchSize": 2,
            "newBatchThreshold": 1,
            "maxDequeueCount": 3,
            "visibilityTimeout": "00:00:00",
            "maxPollingInterval": "00:00:00.2",
        }
    },
}


class Hosts:
    """Hosts of one small app on one storage."""

    def __init__(self, folder: Path, azurite: Azurite, parts: ExitStack, name: str) -> None:
        self.folder = folder
        self.queue = "q" + name
        self._parts = parts
        self._storage = azurite.connection_string
        self.queues = parts.enter_context(QueueServiceClient.from_connection_string(self._storage))
        (folder / "function_app.py").write_text(textwrap.dedent(APP))
        (folder / "host.json").write_text(json.dumps(HOST))
        (folder / "local.settings.json").write_text(json.dumps({"Values": {"SCHEDULE": "0 0 0 1 1 *"}}))

    def start(self, instance: str = "1", **settings: str) -> ServerProcess:
        environment = {
            **os.environ,
            "AzureWebJobsStorage": self._storage,
            "QUEUE": self.queue,
            "NOTES": str(self.folder / "notes"),
            "INSTANCE": instance,
            "LOCAL_FUNCTION_KEY": "sesame",
            "LOCAL_HOST_LEASE_SECONDS": "2",
            **settings,
        }
        server = ServerProcess(
            "host", ["-m", "local.host", "--app", str(self.folder)], environment, self.folder / f"log-{instance}"
        )
        self._parts.callback(server.stop)
        server.start()
        return server

    def send(self, text: str, *, encoded: bool = True) -> None:
        policy = TextBase64EncodePolicy() if encoded else None
        client = self.queues.get_queue_client(self.queue, message_encode_policy=policy)
        try:
            client.send_message(text)
        except ResourceNotFoundError:
            client.create_queue()
            client.send_message(text)

    def poison(self) -> list[str]:
        try:
            found = self.queues.get_queue_client(f"{self.queue}-poison").peek_messages(max_messages=32)
        except ResourceNotFoundError:
            return []
        return [str(message.content) for message in found]

    def notes(self, kind: str) -> list[dict[str, Any]]:
        file = self.folder / "notes"
        lines = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
        return [line for line in lines if line["kind"] == kind]

    def until(self, condition: Callable[[], object], seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, (self.folder / "log-1").read_text()[-2000:]
            time.sleep(0.05)


@pytest.fixture
def hosts(tmp_path: Path, azurite: Azurite) -> Iterator[Hosts]:
    with ExitStack() as parts:
        yield Hosts(tmp_path, azurite, parts, tmp_path.name.replace("_", "-").lower()[-40:].strip("-"))


def test_http_goes_through_the_runtime_with_its_parts_whole(hosts: Hosts) -> None:
    url = hosts.start().ready["url"]
    answer = requests.post(
        f"{url}/echo/a%20b?x=1",
        data="päyload".encode(),
        headers={"x-functions-key": "sesame", "x-head": "h"},
        timeout=10,
    )
    assert (answer.status_code, answer.headers["X-Back"]) == (201, "yes")
    assert answer.json() == {"name": "a b", "query": {"x": "1"}, "body": "päyload", "head": "h"}


def test_levels_of_authorisation(hosts: Hosts) -> None:
    url = hosts.start().ready["url"]
    assert requests.get(f"{url}/open", timeout=10).text == "in"
    refused = requests.post(f"{url}/echo/x", timeout=10)
    assert (refused.status_code, refused.content) == (401, b"")
    assert requests.post(f"{url}/echo/x", headers={"x-functions-key": "wrong"}, timeout=10).status_code == 401
    assert requests.post(f"{url}/echo/x?code=sesame", timeout=10).status_code == 201
    assert requests.get(f"{url}/echo/x?code=sesame", timeout=10).status_code == 405
    assert requests.get(f"{url}/nothing", timeout=10).status_code == 404


def test_a_function_that_raises_answers_500_and_says_nothing(hosts: Hosts) -> None:
    url = hosts.start().ready["url"]
    answer = requests.get(f"{url}/fails?code=sesame", timeout=10)
    assert (answer.status_code, answer.content) == (500, b"")


def test_a_message_that_fails_comes_back_and_goes_to_poison_at_last(hosts: Hosts) -> None:
    hosts.send("bad")
    hosts.send("good")
    hosts.start()
    hosts.until(hosts.poison)
    assert [note["count"] for note in hosts.notes("work") if note["text"] == "bad"] == [1, 2, 3]
    assert [note["count"] for note in hosts.notes("work") if note["text"] == "good"] == [1]
    assert [base64.b64decode(text) for text in hosts.poison()] == [b"bad"]


def test_a_message_that_is_not_base64_goes_to_poison_without_running(hosts: Hosts) -> None:
    hosts.send("{not base64}", encoded=False)
    hosts.start()
    hosts.until(hosts.poison)
    assert hosts.notes("work") == []


def test_no_more_messages_run_at_once_than_host_json_allows(hosts: Hosts) -> None:
    for number in range(9):
        hosts.send(f"m{number}:0.3")
    hosts.start()
    hosts.until(lambda: len(hosts.notes("work")) == 9)
    assert max(note["running"] for note in hosts.notes("work")) <= 3


def test_a_long_function_keeps_its_message_hidden(hosts: Hosts) -> None:
    hosts.send("slow:5")
    hosts.start()
    hosts.start("2")
    hosts.until(lambda: hosts.notes("work"))
    time.sleep(6)
    assert [note["count"] for note in hosts.notes("work")] == [1]


def test_a_killed_hosts_message_comes_back_to_another(hosts: Hosts) -> None:
    hosts.send("held:60")
    first = hosts.start()
    hosts.until(lambda: hosts.notes("work"))
    first.kill()
    hosts.start("2")
    hosts.until(lambda: len(hosts.notes("work")) == 2)
    assert [note["count"] for note in hosts.notes("work")] == [1, 2]


def test_an_occurrence_of_a_timer_runs_on_one_instance(hosts: Hosts) -> None:
    hosts.start("1", SCHEDULE="*/1 * * * * *")
    hosts.start("2", SCHEDULE="*/1 * * * * *")
    began = time.monotonic()
    hosts.until(lambda: len(hosts.notes("tick")) >= 4)
    assert len(hosts.notes("tick")) <= time.monotonic() - began + 3


def test_an_occurrence_that_was_missed_runs_past_due_once(hosts: Hosts) -> None:
    server = hosts.start("1", SCHEDULE="0 0 0 1 1 *")
    server.stop()
    status = BlobServiceClient.from_connection_string(hosts._storage).get_blob_client(
        "azure-webjobs-hosts", "timers/local/tick/status"
    )
    with status:
        status.upload_blob(json.dumps({"last": "2020-06-01T00:00:00+00:00"}), overwrite=True)
    hosts.start("2", SCHEDULE="0 0 0 1 1 *")
    hosts.until(lambda: hosts.notes("tick"))
    time.sleep(0.5)
    assert [note["past_due"] for note in hosts.notes("tick")] == [True]


def test_a_setting_that_is_missing_is_named(hosts: Hosts) -> None:
    (hosts.folder / "function_app.py").write_text(APP.replace("%QUEUE%", "%NOT_SET%"))
    with pytest.raises(NotReady, match="set NOT_SET"):
        hosts.start()


def test_an_app_that_does_not_load_says_why(hosts: Hosts) -> None:
    (hosts.folder / "function_app.py").write_text("import not_a_module_at_all\n")
    with pytest.raises(NotReady, match="not_a_module_at_all"):
        hosts.start()
