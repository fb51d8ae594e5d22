"""Health names what to mend: the role, the setting, the firewall."""

from __future__ import annotations

import base64
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from azure.core.exceptions import HttpResponseError, ServiceRequestError
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from export_trigger.http.health import SECONDS
from export_trigger.http.response import answer
from export_trigger.http.routes import ROUTES
from local.azurite import ACCOUNT_KEY, Azurite
from shared.accounts.accounts import Accounts
from shared.azure.clock import StorageClock
from shared.azure.settings import Settings, SettingsWrong, StorageAccount
from shared.azure.storage import Container, Storage
from shared.azure.tables import Table
from shared.azure.vault import VaultUnavailable
from shared.composition.app import App
from shared.erasure.tombstones import Tombstones
from shared.exports.configuration import Connection, Consent
from shared.exports.registry import Registry
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.runs.ledger import Ledger
from shared.sources.blob_export.customer_insights import CustomerInsights
from shared.state.digest_key import DIGEST_SECRET
from shared.state.digests import DigestKey

HEALTH = next(route for route in ROUTES if route.name == "get_health")
MISSING: Any = cast("Any", None)
DIGEST_KEY = "5c" * 32


class Part:
    """A vault and a source that answer, or say why they do not."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def read(self, _: str) -> str:
        self.catalogue()
        return DIGEST_KEY

    def catalogue(self) -> object:
        if self.error:
            raise self.error
        return "fine"


def app_on(connection: str, clients: ExitStack) -> App:
    """Return an app whose storage is real, and whose vault and source answer."""
    blobs = clients.enter_context(BlobServiceClient.from_connection_string(connection, retry_total=0))
    queues = clients.enter_context(QueueServiceClient.from_connection_string(connection, retry_total=0))
    tables = clients.enter_context(TableServiceClient.from_connection_string(connection, retry_total=0))
    account = StorageAccount(blob_uri="https://named-in-settings.blob.core.windows.net")
    return App(
        settings=Settings(storage=account, key_vault_url="https://v"),
        storage=Storage(blobs, queues),
        ledger=Ledger(Table(tables, "ledger")),
        registry=Registry(Storage(blobs, queues)),
        accounts=Accounts(Table(tables, "accounts"), StorageClock()),
        tombstones=Tombstones(Table(tables, "t" + secrets.token_hex(6))),
        erasures=MISSING,
        audit=MISSING,
        vault=cast("Any", Part()),
        source=cast("Any", Part()),
        clock=MISSING,
        pool=MISSING,
        http=MISSING,
    )


@pytest.fixture
def clients() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def health(app: App) -> tuple[int, dict[str, Any]]:
    found = answer(lambda: app, HEALTH, params={}, query={}, headers={}, body=b"")
    content: dict[str, Any] = json.loads(found.content())
    return int(found.status), content


def test_all_is_well(azurite: Azurite, clients: ExitStack) -> None:
    status, said = health(app_on(azurite.connection_string, clients))
    assert (status, said["healthy"]) == (200, True)


def test_a_storage_account_that_lets_nobody_in_names_role_setting_and_firewall(
    azurite: Azurite, clients: ExitStack
) -> None:
    wrong = azurite.connection_string.replace(ACCOUNT_KEY, base64.b64encode(b"another key").decode())
    status, said = health(app_on(wrong, clients))
    assert (status, said["storage"]["reachable"]) == (503, False)
    for name in ("Storage Blob Data Owner", "AzureWebJobsStorage", "firewall"):
        assert name in said["storage"]["detail"]


@pytest.mark.parametrize(
    ("method", "role"), [("waiting", "Storage Queue Data Contributor"), ("head", "Storage Table Data Contributor")]
)
def test_a_missing_role_for_queues_or_tables_is_named(
    azurite: Azurite, clients: ExitStack, monkeypatch: pytest.MonkeyPatch, method: str, role: str
) -> None:
    app = app_on(azurite.connection_string, clients)

    def forbidden(*_: object) -> None:
        error = HttpResponseError("AuthorizationPermissionMismatch")
        error.status_code = 403
        raise error

    monkeypatch.setattr(Storage if method == "waiting" else Ledger, method, forbidden)
    assert role in health(app)[1]["storage"]["detail"]


def test_a_storage_account_that_does_not_answer_is_named(azurite: Azurite, clients: ExitStack) -> None:
    app = app_on(azurite.connection_string, clients)
    azurite_gone = app_on(azurite.connection_string.replace("127.0.0.1", "127.0.0.1.invalid"), clients)
    assert health(app)[0] == 200
    detail = health(azurite_gone)[1]["storage"]["detail"]
    assert ServiceRequestError.__name__ in detail
    assert "AzureWebJobsStorage" in detail


@pytest.mark.parametrize(
    ("part", "error", "named"),
    [
        ("vault", VaultUnavailable("Key Vault could not be reached"), "KEY_VAULT_URL"),
        ("vault", ExportError(Reason.KEY_MISSING, "Give it Key Vault Secrets User."), "Key Vault Secrets User"),
        ("source", ExportError(Reason.SOURCE_UNREACHABLE), "CUSTOMER_INSIGHTS_PATH"),
    ],
)
def test_vault_and_source_say_what_to_mend(
    azurite: Azurite, clients: ExitStack, part: str, error: Exception, named: str
) -> None:
    app = replace(app_on(azurite.connection_string, clients), **cast("Any", {part: Part(error)}))
    status, said = health(app)
    assert status == 503
    assert named in said[part]["detail"]


@pytest.mark.parametrize(
    ("status", "code", "named", "unnamed"),
    [
        (403, "AuthorizationPermissionMismatch", ["Storage Blob Data Reader"], ["firewall"]),
        (403, "AuthorizationFailure", ["firewall"], ["Storage Blob Data Reader"]),
        (403, "AnotherCode", ["Storage Blob Data Reader", "firewall"], []),
        (503, "ServerBusy", ["503"], ["Storage Blob Data Reader", "firewall"]),
    ],
)
def test_a_source_that_refuses_names_the_role_or_the_firewall(
    azurite: Azurite, clients: ExitStack, status: int, code: str, named: list[str], unnamed: list[str]
) -> None:
    """As storage says it: another code for a permission that is missing than for a caller who may not come in at all."""
    error: Any = HttpResponseError("no")
    error.status_code, error.error_code = status, code

    def refuse(*_: object, **__: object) -> None:
        raise error

    service = SimpleNamespace(get_blob_client=lambda *_, **__: SimpleNamespace(download_blob=refuse))
    source = CustomerInsights(cast("Any", service), "container/folder")
    detail = health(replace(app_on(azurite.connection_string, clients), source=source))[1]["source"]["detail"]
    assert [name for name in named if name not in detail] == []
    assert [name for name in unnamed if name in detail] == []


def test_a_vault_without_a_connections_key_names_both(azurite: Azurite, clients: ExitStack) -> None:
    at = datetime.now(UTC)
    connection = Connection(
        display_name="Main",
        secret_name="autopilot-main",
        consent=Consent(by="x", at=at, text_version="1"),
        created_at=at,
        updated_at=at,
        updated_by="x",
    )
    held = {DIGEST_SECRET: DIGEST_KEY}
    vault = SimpleNamespace(read=held.get)
    app = replace(app_on(azurite.connection_string, clients), vault=cast("Any", vault))
    app.registry.save_connection("main", connection)
    status, said = health(app)
    assert (status, said["vault"]["code"]) == (503, "key_missing")
    assert "'autopilot-main'" in said["vault"]["detail"]
    assert "'main'" in said["vault"]["detail"]
    held["autopilot-main"] = "its key"
    assert health(app)[0] == 200
    app.registry.delete_connection("main")


def test_a_missing_setting_is_an_answer_that_names_it() -> None:
    def open_app() -> App:
        raise SettingsWrong("App setting KEY_VAULT_URL is missing.")

    found = answer(open_app, HEALTH, params={}, query={}, headers={}, body=b"")
    assert (found.status, b"KEY_VAULT_URL" in found.content()) == (503, True)


def test_an_optional_setting_that_is_wrong_is_named_and_harms_nothing_else(
    azurite: Azurite, clients: ExitStack
) -> None:
    app = app_on(azurite.connection_string, clients)
    why = "App setting NOTIFY_URL must begin with https://."
    app = replace(app, settings=app.settings.model_copy(update={"switched_off": {"NOTIFY_URL": why}}))
    status, said = health(app)
    assert (status, said["healthy"]) == (200, True)
    assert said["switched_off"] == [{"setting": "NOTIFY_URL", "detail": why}]


class Hanging(Part):
    """A vault or a source that takes a call and never answers."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.over = threading.Event()

    def catalogue(self) -> object:
        self.calls += 1
        self.over.wait(60)
        return "late"


@pytest.mark.parametrize("part", ["vault", "source"])
def test_what_never_answers_is_said_to_be_silent_and_is_asked_once(
    azurite: Azurite, clients: ExitStack, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    monkeypatch.setattr("export_trigger.http.health.SECONDS", 1.0)
    hanging = Hanging()
    app = replace(app_on(azurite.connection_string, clients), **cast("Any", {part: hanging}))
    for _ in range(3):
        status, said = health(app)
        assert (status, said[part]["code"]) == (503, "no_answer")
        assert said["storage"]["reachable"]
    assert hanging.calls == (2 if part == "vault" else 1)  # for the digest key, and for those of connections
    hanging.over.set()


def test_an_answer_comes_within_ten_seconds_by_what_is_waited_for() -> None:
    assert SECONDS < 10


def test_a_digest_key_says_its_fingerprint_or_why_it_is_refused(azurite: Azurite, clients: ExitStack) -> None:
    held = {DIGEST_SECRET: DIGEST_KEY}
    app = replace(app_on(azurite.connection_string, clients), vault=cast("Any", SimpleNamespace(read=held.get)))
    fingerprint = DigestKey.from_text(DIGEST_KEY).fingerprint()
    assert health(app)[1]["digest_key"] == {"reachable": True, "fingerprint": fingerprint}
    app.tombstones.note_fingerprint(fingerprint, datetime.now(UTC))
    for wrong, code in ((None, "missing"), ("", "wrong"), ("ab", "wrong"), ("6d" * 32, "wrong"), ("no hex", "wrong")):
        held[DIGEST_SECRET] = cast("Any", wrong)
        status, said = health(app)
        assert (status, said["digest_key"]["code"]) == (503, f"digest_key_{code}")
        assert DIGEST_SECRET in said["digest_key"]["detail"]


def test_a_damaged_document_is_named_and_the_rest_is_well(azurite: Azurite, clients: ExitStack) -> None:
    app = app_on(azurite.connection_string, clients)
    app.storage.put(Container.CONFIGURATION, "exports/broken.json", b'{"cut sh')
    status, said = health(app)
    app.registry.delete_export("broken")
    assert (status, [item["export"] for item in said["damaged"]]) == (200, ["broken"])
