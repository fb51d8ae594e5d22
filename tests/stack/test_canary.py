"""The canary: marked profiles and marked keys go through everything, every error path included, and leave no trace.

Looked into: every blob, message and table of the app's storage, its logs and the tracebacks in them, its telemetry, its
HTTP answers (but for a preview's example contacts, which its caller asks for), and what the webhook was told. Chunks may hold contacts until they are delivered.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import polars as pl
import pytest
import requests
from azure.storage.blob import BlobServiceClient

from cli.client import ApiError
from local.chaos.marks import Search
from local.eventually import eventually
from local.world import World, people
from tests.stack.conftest import MakeWorld

MARK = "zqcanaryqz"

ERASURES = "erasures"
"""The container that may hold addresses: each of somebody to be erased, until that is done everywhere."""

KEY = f"{MARK}key1"
OTHER_KEY = f"{MARK}key2"
REFUSED_KEY = f"{MARK}key3"
CUSTOMER = "qqcustomerqq"
"""Marks a CustomerId: allowed in a rejected-rows file, which its owner needs, and nowhere else."""

MAPPING = {"Email": "Email", "FirstName": "FirstName", "string--Note": "Note", "integer--Points": "Points"}
FAULTS = {"throttle": 0.05, "error": 0.05, "timeout_done": 0.05, "reset": 0.05, "reset_done": 0.05, "html": 0.03}


class Hearing:
    """What the app said over HTTP: its answers, and its notices to a webhook."""

    def __init__(self) -> None:
        self.said: list[tuple[str, bytes]] = []
        hearing = self

        class Webhook(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                hearing.said.append(("webhook", self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self._server = HTTPServer(("127.0.0.1", 0), Webhook)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def listen(self, world: World) -> None:
        world.api._http.hooks["response"].append(self._hear)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _hear(self, answer: requests.Response, **_: object) -> None:
        path = str(answer.request.path_url)
        self.said.append((path, f"{answer.headers}".encode() + answer.content))


@pytest.fixture(scope="module")
def hearing() -> Iterator[Hearing]:
    made = Hearing()
    yield made
    made.close()


@pytest.fixture(scope="module")
def marked(make_lasting_world: MakeWorld, hearing: Hearing) -> World:
    """Return a world in which everything that must not be seen bears a mark."""
    world = make_lasting_world(
        settings={
            "NOTIFY_URL": hearing.url,
            "LOCAL_HOST_RETRY_SECONDS": "0",
            "LOCAL_HOST_TIMER_LOCK_SECONDS": "2",
            "EXPORT_SCHEDULE": "*/15 * * * * *",
        },
        knobs={"key": KEY},
        instances=2,
        telemetry=True,
    )
    hearing.listen(world)
    return world


def profiles(count: int, note: str = "") -> pl.DataFrame:
    """Return marked profiles; some of them are refused for every reason there is."""
    good = [f"{MARK}{n}@{MARK}.example.com" for n in range(count)]
    table = people(*good, f"{MARK} at nowhere", f"poison{MARK}@example.com", Note=f"{MARK} {note}", Points="7")
    return table.with_columns(
        CustomerId=pl.format(CUSTOMER + "{}", pl.int_range(pl.len())),
        FirstName=pl.format(MARK + " {}", "FirstName"),
        Points=pl.when(pl.int_range(pl.len()) == 3).then(pl.lit(f"{MARK} points")).otherwise("Points"),
    )


def connect(world: World, key: str = KEY, rate: float = 3000) -> None:
    body = {"display_name": "main", "api_key": key, "agree_to_privacy": True, "rate_limit": rate}
    with contextlib.suppress(ApiError):
        world.api.put("connections/main", body)


def save(world: World) -> None:
    world.save(
        "marked", mapping=MAPPING, segments=["Marked"], guards={"max_removed_percent": 100}, schedule={"on": "off"}
    )


def start(world: World, path: str = "runs") -> str:
    """Start a run, once whatever followed the last one by itself has ended."""
    while True:
        try:
            return str(world.api.post(f"exports/marked/{path}")["run"])
        except ApiError as error:
            if "run" not in error.content:
                raise
            world.wait("marked", error.content["run"])


def run_it(world: World) -> dict[str, Any]:
    """Run the export to its end."""
    return world.wait("marked", start(world))


def go_through_everything(world: World) -> Iterator[dict[str, Any]]:
    """Yield runs on every path we know, good and bad."""
    world.publish({"Marked": profiles(700)})
    connect(world, REFUSED_KEY)
    connect(world)
    save(world)
    world.turn(faults=FAULTS, seed=3)
    yield run_it(world)
    world.turn(faults={"drop_row": 0.5}, latency_ms=100)
    world.publish({"Marked": profiles(650, "changed")})
    world.reset_statistics()
    run = start(world)
    eventually(lambda: world.look("stats")["writes"], every=0.1)
    world.stack.restart_host(1)
    yield world.wait("marked", run)
    world.turn(faults={}, latency_ms=0)
    world.vault("forbidden")
    yield run_it(world)  # key_missing
    world.vault("up")
    world.turn(key=OTHER_KEY)
    yield run_it(world)  # key_refused
    world.rotate(OTHER_KEY)
    yield run_it(world)
    world.rests()  # what follows by itself would wait as long as the destination is away
    world.turn(down=True)
    run = start(world)
    world.waiting("marked", run, "autopilot")
    world.api.post(f"exports/marked/runs/{run}/cancel")
    yield world.wait("marked", run)
    world.turn(down=False)
    yield world.wait("marked", start(world, "verify?repair=true"))
    yield from spoil_the_source(world)
    yield spoil_a_chunk(world, f'{{"person": "{MARK}@example.com", "fields": "{MARK}')
    yield run_it(world)
    world.publish({"Marked": profiles(700, "and again")})
    yield spoil_a_chunk(world, f'{{"person": "{MARK}@example.com", "customer": null}}')


def spoil_the_source(world: World) -> Iterator[dict[str, Any]]:
    world.publish({"Marked": profiles(10).drop("Note")})
    yield run_it(world)
    container, _, folder = world.stack.source_path.partition("/")
    model = world.source.get_blob_client(container, f"{folder}/model.json")
    whole = json.loads(model.download_blob().readall())
    model.upload_blob(f'{{"entities": "{MARK}@example.com'.encode(), overwrite=True)
    yield run_it(world)
    rows = world.source.get_blob_client(container, f"{folder}/ragged.csv")
    rows.upload_blob(f'"CustomerId","Email"\n"{CUSTOMER}1","{MARK}@x.example.com","{MARK}"\n"{MARK}\n'.encode())
    whole["entities"][0]["partitions"][0]["location"] = rows.url
    model.upload_blob(json.dumps(whole), overwrite=True)
    yield run_it(world)
    world.publish({"Marked": profiles(700, "again")})


def spoil_a_chunk(world: World, text: str) -> dict[str, Any]:
    """Have a chunk hold what no plan wrote: a text that is no JSON, or JSON whose values are none of ours."""
    connect(world, OTHER_KEY, rate=400)
    run = start(world)
    with BlobServiceClient.from_connection_string(world.stack.storage) as service:
        chunks = service.get_container_client("chunks")
        found = eventually(lambda: [name for name in chunks.list_blob_names() if name.endswith("2.ndjson")], every=0.01)
        chunks.upload_blob(found[0], text.encode(), overwrite=True)
    return world.wait("marked", run)


def ask_foolishly(world: World) -> None:
    """Call the API with marks where none belong."""
    for method, path, body in (
        ("GET", f"exports/{MARK}", None),
        ("PUT", f"exports/{MARK}@example.com", {}),
        ("PUT", "exports/marked", {"display_name": [f"{MARK}@example.com"], "mapping": MARK, "schedule": MARK}),
        ("PUT", "connections/other", {"api_key": REFUSED_KEY, "display_name": 7}),
        ("POST", "erasure", {"email": f"{MARK} at nowhere"}),
        ("POST", "erasure", {"email": [f"{MARK}@example.com"]}),
    ):
        answer = world.refused(method, path, body)
        assert answer.status < 500
    world.api.post("exports/marked/preview")
    world.api.post("erasure", {"email": f"{MARK}5@{MARK}.example.com"})
    for path in ("connections", "connections/main", "exports", "exports/marked", "segments", "audit", "health"):
        world.api.get(path)


def telemetry(world: World) -> list[bytes]:
    """Return everything that was sent as telemetry."""
    bodies = requests.get(f"{world.stack.collector_url}/telemetry/raw", timeout=60).json()
    return [bytes.fromhex(body) for body in bodies]


def test_no_mark_is_found_anywhere(marked: World, hearing: Hearing) -> None:
    runs = list(go_through_everything(marked))
    reasons = {run["reason"] for run in runs}
    assert reasons >= {
        "rows_rejected",
        "key_refused",
        "key_missing",
        "canceled_by_user",
        "column_missing",
        "source_malformed",
        "chunk_damaged",
    }, [(run["trigger"], run["reason"], run["advice"]) for run in runs]
    assert runs[-1]["reason"] == "chunk_damaged"
    last = run_it(marked)
    assert last["reason"] == "rows_rejected"
    rejected = marked.api.text(f"exports/marked/runs/{last['id']}/rejected")
    assert CUSTOMER in rejected
    assert MARK not in rejected
    ask_foolishly(marked)

    container = marked.stack.source_path.partition("/")[0]
    logs = list((marked.stack._directory / "logs").glob("host-*.log"))
    assert any("a chunk cannot be read" in file.read_text() for file in logs)  # there is something to be found in
    sent = telemetry(marked)
    assert sum(map(len, sent)) > 10_000
    marks = Search([MARK])
    found = [*marks.storage(marked.stack.storage, but=[container, ERASURES]), *marks.files(logs)]
    found += [where for body in sent for where in marks.found_in("telemetry", body)]
    found += [where for path, text in hearing.said if "preview" not in path for where in marks.found_in(path, text)]
    asked_for = {path for path, _ in hearing.said if MARK in path}
    assert [where for where in found if where not in asked_for] == []
    customers = Search([CUSTOMER])
    assert [
        *customers.storage(marked.stack.storage, but=[container, "rejected"]),
        *customers.files(logs),
        *(where for body in sent for where in customers.found_in("telemetry", body)),
    ] == []
    assert any(path == "webhook" for path, _ in hearing.said)


def test_while_a_run_is_going_only_its_chunks_hold_contacts(marked: World) -> None:
    marked.publish({"Marked": profiles(900, "slowly")})
    connect(marked, OTHER_KEY, rate=300)
    run = start(marked)
    container = marked.stack.source_path.partition("/")[0]
    search, looks = Search([MARK]), []

    def ends() -> object:
        looks.append(list(search.storage(marked.stack.storage, but=[container, "chunks", ERASURES])))
        return marked.api.get(f"exports/marked/runs/{run}")["ended_at"]

    eventually(ends, every=0.01)
    assert [found for found in looks if found] == []
    assert len(looks) > 1


def test_the_search_finds_what_is_there(marked: World) -> None:
    """The canary sings: a mark in a blob, in Parquet, in a message, or in base64 is found."""
    marked.publish({"Marked": profiles(3)})
    search = Search([MARK])
    container = marked.stack.source_path.partition("/")[0]
    assert list(search.storage(marked.stack.storage, but=[])) != []
    known = (f"blob {container}/", f"blob {ERASURES}/")
    assert all(where.startswith(known) for where in search.storage(marked.stack.storage))
    assert list(search.found_in("text", f"some {MARK.upper()} text".encode())) == ["text"]
