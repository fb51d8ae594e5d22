"""An identity that gets no token: who it is, for what, and what the endpoint said; the vault and the source wait for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from azure.core.credentials import AccessToken
from azure.identity import ManagedIdentityCredential
from azure.storage.blob import BlobServiceClient

from shared.azure.identity import Identity, credential
from shared.azure.vault import Vault, VaultUnavailable
from shared.reasons.codes import Reason
from shared.reasons.errors import Transient
from shared.sources.blob_export.customer_insights import CustomerInsights

STATUSES = [400, 429, 503]


class _Endpoint(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(int(self.headers["X-IDENTITY-HEADER"]))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Endpoint)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/token"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(params=STATUSES)
def identity(request: pytest.FixtureRequest, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Identity:
    monkeypatch.setenv("IDENTITY_ENDPOINT", endpoint)
    monkeypatch.setenv("IDENTITY_HEADER", str(request.param))
    return Identity(
        ManagedIdentityCredential(client_id="1234", retry_total=0), "The app's identity with client id 1234"
    )


def test_the_vault_is_unavailable_and_the_identity_named(identity: Identity) -> None:
    class Client:
        """Key Vault's client, as far as asking for a token."""

        def get_secret(self, name: str) -> str:
            return f"{identity.get_token('https://vault.azure.net/.default')} {name}"

    with pytest.raises(
        VaultUnavailable, match=r"client id 1234 got no token for vault\.azure\.net: the identity endpoint"
    ):
        Vault(Client()).read("anything")  # type: ignore[arg-type]


def test_the_source_is_waited_for_and_the_identity_named(identity: Identity) -> None:
    service = BlobServiceClient("https://account.blob.core.windows.net", credential=identity, retry_total=0)
    with service, pytest.raises(Transient) as fault:
        CustomerInsights(service, "ci/Export").catalogue()
    assert fault.value.reason is Reason.SOURCE_UNREACHABLE
    assert "client id 1234 got no token for storage.azure.com" in fault.value.detail
    assert "None" not in fault.value.detail


def test_a_token_that_comes_is_passed_on() -> None:
    class Inner:
        def get_token(self, *scopes: str) -> AccessToken:
            return AccessToken(scopes[0], 0)

    identity = Identity(Inner(), "nobody")  # type: ignore[arg-type]
    assert identity.get_token("https://storage.azure.com/.default").token == "https://storage.azure.com/.default"


def test_an_identity_belongs_to_its_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was made before the platform's endpoint was there, or for another one, is not used with this one."""
    made = []
    for address in (None, "http://127.0.0.1:1/token", "http://127.0.0.1:2/token"):
        if address is None:
            monkeypatch.delenv("IDENTITY_ENDPOINT", raising=False)
        else:
            monkeypatch.setenv("IDENTITY_ENDPOINT", address)
        made.append(credential())
        assert credential() is made[-1]
    assert len({id(identity) for identity in made}) == 3
