"""No answer of storage or of the vault leads a call to another host: what is sent, keys and contacts, goes nowhere else."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from typing import Any, Final

import pytest
import requests
from azure.core.credentials import AccessToken, AccessTokenInfo
from azure.core.exceptions import HttpResponseError
from urllib3 import HTTPResponse

from shared.azure import clients
from shared.azure.settings import Settings, StorageAccount
from shared.azure.vault import Vault, VaultUnavailable
from shared.reasons.errors import ExportError
from shared.sources.blob_export import connect

ACCOUNT: Final = StorageAccount(
    blob_uri="https://own.blob.core.windows.net",
    queue_uri="https://own.queue.core.windows.net",
    table_uri="https://own.table.core.windows.net",
)
SETTINGS: Final = Settings(storage=ACCOUNT, key_vault_url="https://own.vault.azure.net")
CHALLENGE: Final = 'Bearer authorization="https://login.microsoftonline.com/t", resource="https://vault.azure.net"'


class Signed:
    """An identity that has a token for everything."""

    def get_token(self, *_: str, **__: object) -> AccessToken:
        return AccessToken("token", int(time.time()) + 3600)

    def get_token_info(self, *_: str, **__: object) -> AccessTokenInfo:
        return AccessTokenInfo("token", int(time.time()) + 3600)


def blob() -> Any:
    return clients.blob_client(ACCOUNT).get_blob_client("chunks", "1")


CALLS: Final[dict[str, Callable[[], object]]] = {
    "read a blob": lambda: blob().download_blob(),
    "write a chunk": lambda: blob().upload_blob(b"a@example.com", overwrite=True),
    "send a message": lambda: clients.queue_client(ACCOUNT).get_queue_client("runs").send_message("x"),
    "write a record": lambda: (
        clients.table_client(ACCOUNT, {}).get_table_client("a").create_entity({"PartitionKey": "a", "RowKey": "b"})
    ),
    "read a record": lambda: clients.table_client(ACCOUNT, {}).get_table_client("a").get_entity("a", "b"),
    "store a key": lambda: Vault(clients.vault_client(SETTINGS)).write("autopilot-main", "a-key"),
    "read a key": lambda: Vault(clients.vault_client(SETTINGS)).read("autopilot-main"),
    "read the source": lambda: connect.connect(ACCOUNT, "ci/Export").catalogue(),
}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("call", CALLS)
def test_a_redirect_is_an_answer_that_nobody_follows(call: str, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def request(_: object, __: str, url: str, headers: dict[str, str], **___: object) -> requests.Response:
        asked.append(url)
        is_challenged = "vault" in url and "Authorization" not in headers
        told = {"WWW-Authenticate": CHALLENGE} if is_challenged else {"Location": "https://other.example.com/taken"}
        answer = requests.Response()
        answer.status_code = 401 if is_challenged else status
        answer.headers.update(told)
        answer.raw = HTTPResponse(io.BytesIO(b""), told, answer.status_code, preload_content=False)
        return answer

    monkeypatch.setattr(requests.Session, "request", request)
    for module in (clients, connect):
        monkeypatch.setattr(module, "credential", lambda _: Signed())
    with pytest.raises((HttpResponseError, VaultUnavailable, ExportError)):
        CALLS[call]()
    assert asked
    assert [url for url in asked if "other.example.com" in url] == []
