"""The operator's webhook, on the whole stack."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from local.eventually import eventually
from local.world import SIMPLE, people
from tests.stack.conftest import MakeWorld


class Listener:
    """A webhook that refuses the first notice."""

    def __init__(self) -> None:
        self.notices: list[dict[str, Any]] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                listener.notices.append(body)
                self.send_response(500 if len(listener.notices) == 1 else 204)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


def test_the_webhook_hears_of_every_end_even_if_it_was_away(make_world: MakeWorld, listener: Listener) -> None:
    world = make_world(settings={"NOTIFY_URL": listener.url})
    world.publish({"Team": people("a@example.com")})
    world.connect()
    world.save("team", segments=["Team"], mapping=SIMPLE)
    run = world.run("team")
    eventually(lambda: listener.notices, lambda notices: len(notices) >= 2)
    assert listener.notices[1]["id"] == run["id"]
    assert listener.notices[1]["status"] == "Successful"
    assert "@" not in json.dumps(listener.notices)
