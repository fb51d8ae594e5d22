"""The contract, held by Autopilot's adapter against the Autopilot sandbox, over a socket."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from local.processes import ServerProcess
from local.warm import Shared
from shared.azure.vault import GivenKey
from shared.delivery.account import Account
from shared.delivery.capabilities import ListMethod
from shared.delivery.destination import Place
from shared.destinations.autopilot.destination import AUTOPILOT
from shared.destinations.autopilot.list_methods import BULK, CONTACT
from shared.http.transport import session
from tests.destinations.bench import Bench
from tests.destinations.contract import DestinationContract
from tests.destinations.memory.destination import MemoryNotes

KEY = "sandbox-key"


class AutopilotBench(Bench):
    """The sandbox, by its knobs and its view."""

    destination = AUTOPILOT

    def __init__(self, url: str, http: requests.Session) -> None:
        self._url = url
        self._http = http

    def account(self, key: str | None = None) -> Account:
        return AUTOPILOT.open(Place(url=f"{self._url}/v1"), GivenKey(key or KEY), self._http, MemoryNotes())

    def contact(self, address: str, first_name: str) -> Mapping[str, Any]:
        return {"Email": address, "FirstName": first_name}

    def first_names(self) -> Mapping[str, str | None]:
        return {item["Email"]: item["FirstName"] for item in self._look("contacts")}

    def members(self, list_id: str) -> set[str]:
        answer = self._http.get(f"{self._url}/sandbox/lists/{list_id}/emails", timeout=60)
        return set(answer.json()) if answer.ok else set()

    def delete_contact(self, address: str) -> None:
        assert self._http.delete(f"{self._url}/sandbox/contacts/{address}", timeout=60).ok

    def delete_list(self, list_id: str) -> None:
        assert self._http.delete(f"{self._url}/sandbox/lists/{list_id}", timeout=60).ok

    def refused(self, number: int) -> str:
        return f"poison{number}@example.com"

    @contextmanager
    def leaving_out(self) -> Iterator[None]:
        self.turn(faults={"drop_row": 1.0})
        yield
        self.turn(faults={})

    @contextmanager
    def losing_answers(self) -> Iterator[None]:
        self.turn(faults={"timeout_done": 0.25, "reset_done": 0.25})
        yield
        self.turn(faults={})

    @contextmanager
    def throttling(self) -> Iterator[None]:
        self.turn(faults={"throttle": 0.3})
        yield
        self.turn(faults={})

    def turn(self, **knobs: Any) -> None:
        """Turn the sandbox's knobs."""
        assert self._http.put(f"{self._url}/sandbox/knobs", json=knobs, timeout=60).ok

    def empty(self) -> None:
        """Begin with an account that holds nothing."""
        self._http.post(f"{self._url}/sandbox/empty", timeout=60)

    def _look(self, path: str) -> Any:
        return self._http.get(f"{self._url}/sandbox/{path}", timeout=60).json()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, shared_parts: Shared) -> Iterator[ServerProcess]:
    log = tmp_path_factory.mktemp("sandbox") / "log"
    started = ServerProcess("sandbox", ["-m", "local.sandbox"], os.environ, log, start=shared_parts.start)
    started.start()
    yield started
    started.stop()


class TestAutopilot(DestinationContract):
    """By each of its list methods."""

    @pytest.fixture(params=AUTOPILOT.methods, ids=lambda method: method.name)
    def method(self, request: pytest.FixtureRequest) -> ListMethod:
        found: ListMethod = request.param
        return found

    @pytest.fixture
    def bench(self, server: ServerProcess, method: ListMethod) -> Iterator[Bench]:
        with session() as http:
            made = AutopilotBench(server.ready["url"], http)
            made.turn(
                key=KEY,
                rate=None,
                faults={},
                seed=1,
                bulk_lists="honoured" if method is BULK else "ignored",
                contact_lists="honoured" if method is CONTACT else "ignored",
            )
            made.empty()
            yield made
