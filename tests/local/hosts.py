"""Hosts of a small app that notes what it is called with."""

from __future__ import annotations

import json
import os
import textwrap
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueServiceClient, TextBase64EncodePolicy

from local.eventually import eventually
from local.processes import ServerProcess
from local.warm import Shared

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
    note(kind="tick", past_due=timer.past_due, instance=os.environ["INSTANCE"], at=time.time())
    time.sleep(float(os.environ.get("TICK_SECONDS") or 0))
    note(kind="tock", at=time.time())
"""


POISON = """
@app.queue_trigger("message", queue_name="%QUEUE%-poison", connection="AzureWebJobsStorage")
def bury(message: func.QueueMessage) -> None:
    note(kind="bury", text=message.get_body().decode(), count=message.dequeue_count)
    raise ValueError("always")
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

    queue: Final = "work"

    def __init__(self, folder: Path, shared: Shared, parts: ExitStack) -> None:
        assert shared.azurite is not None
        self.folder = folder
        self._parts = parts
        self._start = shared.start
        self._storage = shared.azurite.open_account()  # what a test's timer remembers is no other test's
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
            "LOCAL_HOST_TIMER_LOCK_SECONDS": "2",
            **settings,
        }
        command, log = ["-m", "local.host", "--app", str(self.folder)], self.folder / f"log-{instance}"
        server = ServerProcess("host", command, environment, log, start=self._start)
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

    def is_empty(self) -> bool:
        """Whether the queue holds no message, hidden ones included."""
        return not self.queues.get_queue_client(self.queue).get_queue_properties().approximate_message_count

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

    def until(self, condition: Callable[[], object], seconds: float = 120) -> None:
        try:
            eventually(condition, seconds=seconds, every=0.05)
        except AssertionError as error:
            raise AssertionError(f"{error}\n" + (self.folder / "log-1").read_text()[-2000:]) from None
