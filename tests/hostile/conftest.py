"""The whole app on a storage, a vault, a source and an Autopilot of its own, without a host around it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient

import shared.composition.app
from export_trigger.http.response import answer
from export_trigger.http.routes import ROUTES
from export_trigger.steps.plan_run import plan_run
from export_worker.deliver_chunk import deliver_chunk
from local.environment import publish
from local.stack import Stack
from local.targets import AUTOPILOT, Target
from local.warm import Shared
from local.world import SIMPLE, people
from shared.composition.app import App
from shared.delivery.account import Identity
from shared.destinations.autopilot.client import Autopilot

BY_NAME = {route.name: route for route in ROUTES}
QUICK = {"SETTLE_SECONDS": "0", "ALLOWED_SECRET_NAMES": "teams-own"}


@dataclass
class Installation:
    """An app, the accounts that keys open, and short ways to ask."""

    app: App
    stack: Stack
    keys: dict[str, Identity] = field(default_factory=dict)

    def ask(self, route: str, *names: str, body: object = None, **headers: str) -> tuple[int, Any]:
        """Ask, and return status and content."""
        found = BY_NAME[route]
        kinds = [part[1:-1] for part in found.path.split("/") if part.startswith("{")]
        asked = {"content-type": "application/json", **{name.replace("_", "-"): text for name, text in headers.items()}}
        query = {"detach": "true"} if asked.pop("detach", "") else {}
        query |= {given: asked.pop(given) for given in ("after", "segment") if given in asked}
        got = answer(
            lambda: self.app,
            found,
            params=dict(zip(kinds, names, strict=True)),
            query=query,
            headers=asked,
            body=json.dumps(body).encode() if body is not None else b"",
        )
        text = got.content()
        return int(got.status), json.loads(text) if text else None

    def connect(self, name: str, key: str, account: str | None = None, **settings: Any) -> tuple[int, Any]:
        """Save a connection with a key that opens an account (by default one of the key's own)."""
        self.keys[key] = Identity(name=f"Account {account or key}", id=account or key)
        body = {"display_name": name, "api_key": key, "agree_to_privacy": True, "rate_limit": 1000, **settings}
        return self.ask("put_connection", name, body=body)

    def save(self, name: str, connection: str | None, lists: str = "Team", **settings: Any) -> tuple[int, Any]:
        """Save an export of the one segment to a list."""
        segments = [{"segment": "Team", "list": lists}]
        body = {"display_name": name, "connection": connection, "mapping": SIMPLE, "segments": segments, **settings}
        return self.ask("put_export", name, body=body)

    def run(self, export: str, route: str = "start_run") -> dict[str, Any]:
        """Start a run and carry it out, as the queues' handlers do; return how it ended."""
        status, started = self.ask(route, export)
        assert status == 202, started
        plan_run(self.app, export, started["run"])
        for number in range(self.app.ledger.run(export, started["run"]).chunks):
            deliver_chunk(self.app, export, started["run"], f"{number + 1:06d}")
        ended: dict[str, Any] = self.ask("get_run", export, started["run"])[1]
        return ended

    def secret(self, connection: str) -> str:
        """Name the secret that a connection names."""
        return str(self.ask("get_connection", connection)[1]["secret_name"])

    def key_of(self, connection: str) -> str | None:
        """Return the key that a connection names, as the vault holds it."""
        return self.app.vault.read(self.secret(connection))

    def secrets(self) -> set[str]:
        """Name all secrets of the vault."""
        return {str(item.name) for item in self.app.vault._client.list_properties_of_secrets()}

    def audit(self) -> list[str]:
        """Return what the audit trail says, newest first."""
        return [f"{entry.what} {entry.of}" for _, entry in self.app.audit.entries()]

    def clear(self) -> None:
        """Remove all that was saved."""
        for name in list(self.app.registry.exports()):
            assert self.ask("delete_export", name)[0] == 204
        for name in list(self.app.registry.connections()):
            assert self.ask("delete_connection", name)[0] == 204


@contextmanager
def installing(
    folder: Path, parts: Shared, *addresses: str, targets: Sequence[Target] = (AUTOPILOT,)
) -> Iterator[Installation]:
    """Yield an app in which nothing is saved, and whose source has one segment, of these people."""
    stack = Stack(folder, instances=0, settings=QUICK, in_memory=True, targets=targets, shared=parts)
    with stack, pytest.MonkeyPatch.context() as patch:
        for name, value in stack.environment.items():
            patch.setenv(name, value)
        with BlobServiceClient.from_connection_string(stack.source_storage) as source:
            publish(source, stack.source_path, {"Team": people(*addresses)}, datetime.now(UTC))
        made = Installation(shared.composition.app.app.__wrapped__(), stack)
        yield made
        made.app.http.close()
        made.app.vault._client.close()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, shared_parts: Shared) -> Iterator[Installation]:
    """Return an app whose keys open the accounts that a test says: the sandbox has but one."""
    folder = tmp_path_factory.mktemp("stack")
    with installing(folder, shared_parts, "a@example.com") as made, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Autopilot, "identity", lambda api: made.keys[api._key.current()])
        yield made


@pytest.fixture
def installation(installed: Installation) -> Iterator[Installation]:
    """Return that app with nothing saved."""
    yield installed
    installed.clear()


def told(content: Mapping[str, Any]) -> str:
    """Return the code of a problem."""
    return str(content["code"])
