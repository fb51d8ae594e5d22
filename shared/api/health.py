"""Health: whether everything the app stands on can be reached, and if not, which setting or role to mend."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from shared.adapters.storage import Container, Queue, StorageFault
from shared.adapters.vault import VaultUnavailable
from shared.api.call import Answer, Call
from shared.app import App
from shared.digest_key import DIGEST_SECRET
from shared.reasons import Reason, RunEnded

_NO = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


def get_health(app: App, call: Call) -> Answer:  # noqa: ARG001 - every endpoint takes a call
    """Say of storage, vault and source whether each is reachable, and if not, what to mend."""
    storage = _first_that_fails(_STORAGE, app)
    connections = app.registry.connections() if storage["reachable"] else ()
    parts = {
        "storage": storage,
        "vault": _checked(lambda: _read_keys(app, connections), lambda error: f"{error}. Check KEY_VAULT_URL."),
        "source": _checked(app.source.catalogue, str),
    }
    well = all(part["reachable"] for part in parts.values())
    return Answer(HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE, {"healthy": well, **parts})


def _read_keys(app: App, connections: Iterable[str]) -> None:
    """Read the key of our digests (made when it is first needed) and those of connections; raises RunEnded KEY_MISSING."""
    app.vault.read(DIGEST_SECRET)
    for name in connections:
        found = app.registry.connection(name)
        if found is not None and not app.vault.read(found[0].secret_name):
            raise RunEnded(
                Reason.KEY_MISSING,
                f"Key Vault has no secret {found[0].secret_name!r}, the key of connection {name!r}. Store the key again.",
            )


@dataclass(frozen=True, slots=True)
class _Service:
    """One service of the app's own storage: how it is tried, and the role that opens it."""

    name: str
    role: str
    attempt: Callable[[App], object]

    def why(self, error: Exception) -> str:
        """Say what to mend."""
        status = getattr(error, "status_code", None)
        if status in _NO:
            return (
                f"The app may not use its storage's {self.name} ({status}). Give its identity the role {self.role} on the "
                "account that AzureWebJobsStorage names, and check the account's firewall."
            )
        return (
            f"The app's storage did not answer for {self.name} ({type(error).__name__}). Check AzureWebJobsStorage and "
            "the account's firewall."
        )


_STORAGE = (
    _Service("blobs", "Storage Blob Data Owner", lambda app: app.storage.get(Container.CONFIGURATION, "health")),
    _Service("queues", "Storage Queue Data Contributor", lambda app: app.storage.waiting(Queue.RUNS)),
    _Service("tables", "Storage Table Data Contributor", lambda app: app.ledger.head("health")),
)


def _first_that_fails(services: tuple[_Service, ...], app: App) -> Mapping[str, Any]:
    for service in services:
        found = _checked(lambda service=service: service.attempt(app), service.why)  # type: ignore[misc]
        if not found["reachable"]:
            return found
    return {"reachable": True}


def _checked(attempt: Callable[[], object], why: Callable[[Exception], str]) -> Mapping[str, Any]:
    try:
        attempt()
    except RunEnded as end:
        return {"reachable": False, "code": end.reason, "detail": end.detail or end.reason.advice}
    except (VaultUnavailable, StorageFault) as error:
        return {"reachable": False, "code": type(error).__name__, "detail": why(error)}
    return {"reachable": True}
