"""The sandbox of Autopilot, as its callers see it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from local.processes import ServerProcess
from local.warm import Shared


class Sandbox:
    """The sandbox, as its callers see it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = requests.Session()

    def call(self, method: str, path: str, body: object = None, key: str | None = "sandbox-key") -> requests.Response:
        headers = {"autopilotapikey": key} if key else {}
        return self.http.request(method, f"{self.url}/v1{path}", json=body, headers=headers, timeout=60)

    def turn(self, **knobs: Any) -> None:
        assert self.http.put(f"{self.url}/sandbox/knobs", json=knobs, timeout=60).ok

    def look(self, path: str) -> Any:
        return self.http.get(f"{self.url}/sandbox/{path}", timeout=60).json()

    def new_list(self, title: str) -> str:
        return str(self.call("POST", "/list", {"name": title}).json()["list_id"])

    def bulk(self, *contacts: dict[str, Any]) -> requests.Response:
        return self.call("POST", "/contacts", {"contacts": list(contacts)})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, shared_parts: Shared) -> Iterator[ServerProcess]:
    log = tmp_path_factory.mktemp("sandbox") / "log"
    started = ServerProcess("sandbox", ["-m", "local.sandbox"], os.environ, log, start=shared_parts.start)
    started.start()
    yield started
    started.stop()


@pytest.fixture
def sandbox(server: ServerProcess) -> Iterator[Sandbox]:
    made = Sandbox(server.ready["url"])
    with made.http:
        made.turn(
            key="sandbox-key",
            rate=None,
            faults={},
            latency_ms=0,
            bulk_lists="ignored",
            error_shape="error",
            contact_limit=None,
            down=False,
            seed=1,
            lies={},
            lies_to="",
            lies_done=0.5,
            retry_after=None,
            bookmarks="exact",
            read_back="exact",
        )
        made.http.post(f"{made.url}/sandbox/empty", timeout=60)
        yield made
