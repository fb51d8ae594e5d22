"""Every call to storage comes to its end: from a service that takes a request and never answers, and after a lost answer."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any, Final

import pytest
from azure.core.exceptions import AzureError, ServiceResponseError
from azure.core.pipeline.transport import RequestsTransport
from azure.storage.blob import BlobServiceClient

from export_trigger.http.response import answer
from export_trigger.http.routes import ROUTES
from local.azurite import Azurite
from shared.azure import clients
from shared.azure.settings import StorageAccount
from shared.azure.storage import Conflict, Container, Storage
from shared.composition import app as composition
from shared.composition.app import App

KEY: Final = "AAAA"
HEALTH: Final = next(route for route in ROUTES if route.name == "get_health")


class Silent:
    """A server that takes every request and answers none."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._held: list[socket.socket] = []
        self.requests = 0
        self._taking = threading.Thread(target=self._take, daemon=True)
        self._taking.start()

    @property
    def connection_string(self) -> str:
        url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/one"
        services = "".join(f"{name}Endpoint={url};" for name in ("Blob", "Queue", "Table"))
        return f"DefaultEndpointsProtocol=http;AccountName=one;AccountKey={KEY};{services}"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._taking.join()
        self._socket.close()
        for held in self._held:
            held.close()

    def _take(self) -> None:
        try:
            while True:
                taken, _ = self._socket.accept()
                self._held.append(taken)
                self.requests += 1
        except OSError:
            return


@pytest.fixture
def silent() -> Iterator[Silent]:
    with closing(Silent()) as server:
        yield server


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait as the app does, only shorter."""
    monkeypatch.setattr(clients, "ANSWER_SECONDS", 0.1)
    monkeypatch.setattr(clients, "PAUSE_SECONDS", 0.01)


CALLS: Final[dict[str, Callable[[StorageAccount], object]]] = {
    "blobs": lambda account: clients.blob_client(account).get_blob_client("a", "b").download_blob(),
    "blob names": lambda account: list(clients.blob_client(account).get_container_client("a").list_blob_names()),
    "upload": lambda account: clients.blob_client(account).get_blob_client("a", "b").upload_blob(b"x"),
    "queues": lambda account: clients.queue_client(account).get_queue_client("a").send_message("x"),
    "tables": lambda account: clients.table_client(account, {}).get_table_client("a").get_entity("a", "b"),
    "query": lambda account: list(clients.table_client(account, {}).get_table_client("a").query_entities("")),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_call_that_is_never_answered_ends_after_so_many_tries(silent: Silent, call: str) -> None:
    with pytest.raises(AzureError):
        CALLS[call](StorageAccount(connection_string=silent.connection_string))
    assert silent.requests == 1 + clients.REPEATS


def test_health_answers_while_nothing_else_does(silent: Silent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("export_trigger.http.health.SECONDS", 0.3)
    monkeypatch.setattr(clients, "ANSWER_SECONDS", 5.0)
    for name, value in {
        "AzureWebJobsStorage": silent.connection_string,
        "CustomerInsightsStorage": silent.connection_string,
        "CUSTOMER_INSIGHTS_PATH": "ci/Export",
        "KEY_VAULT_URL": silent.url,
        "IDENTITY_ENDPOINT": silent.url,
        "IDENTITY_HEADER": "x",
    }.items():
        monkeypatch.setenv(name, value)
    app: App = composition.app.__wrapped__()
    found = answer(lambda: app, HEALTH, params={}, query={}, headers={}, body=b"")
    said = json.loads(found.content())
    assert (found.status, said["healthy"]) == (503, False)
    parts = ("storage", "vault", "digest_key", "source")
    assert {said[part]["code"] for part in parts} == {"no_answer"}


class Forgetful(RequestsTransport):  # type: ignore[misc]  # untyped in azure-core
    """A network that loses the answer to the next request that writes a blob; the SDK asks again by itself."""

    loses = False

    def send(self, request: Any, **options: Any) -> Any:
        found = super().send(request, **options)
        if self.loses and request.method == "PUT":
            self.loses = False
            raise ServiceResponseError("the answer was lost")
        return found


@pytest.fixture
def network(azurite: Azurite) -> Iterator[tuple[Storage, Forgetful]]:
    with ExitStack() as stack:
        transport = Forgetful()
        service = BlobServiceClient.from_connection_string(
            azurite.connection_string, transport=transport, initial_backoff=0, increment_base=0, random_jitter_range=0
        )
        queues = clients.queue_client(StorageAccount(connection_string=azurite.connection_string))
        yield Storage(stack.enter_context(service), stack.enter_context(queues)), transport


def test_a_write_that_the_client_repeats_is_no_conflict_with_itself(network: tuple[Storage, Forgetful]) -> None:
    storage, transport = network
    place = (Container.CONFIGURATION, "exports/repeated.json")
    transport.loses = True
    first = storage.put(*place, b"one", only_new=True)
    transport.loses = True
    second = storage.put(*place, b"two", if_match=first)
    assert storage.get(*place) == (b"two", second)
    with pytest.raises(Conflict):
        storage.put(*place, b"three", if_match=first)
    with pytest.raises(Conflict):
        storage.put(*place, b"three", only_new=True)
    storage.delete(*place)
