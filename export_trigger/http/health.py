"""Health: whether everything the app stands on can be reached, and if not, which setting or role to mend."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from export_trigger.http.deadline import results
from export_trigger.http.request import Answer, Call
from export_trigger.http.version import VERSION
from export_trigger.http.views import Health
from shared.azure.identity import NoToken
from shared.azure.storage import Container, Queue, StorageFault
from shared.azure.vault import VaultUnavailable
from shared.composition.app import App
from shared.exports.registry import DocumentDamaged
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.reasons.faults import told
from shared.state.digest_key import DIGEST_SECRET

SECONDS: Final = 8.0
"""Seconds after which a part that has not answered is said to be silent: with all else, the answer comes within ten."""

_LATE: Final[Mapping[str, Any]] = {
    "reachable": False,
    "code": "no_answer",
    "detail": f"It did not answer within {SECONDS:.0f} seconds. Check that its address is right and that a network path to it is open.",
}

log = logging.getLogger(__name__)

_NO = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


def get_health(app: App, call: Call) -> Answer:  # noqa: ARG001 - every endpoint takes a call
    """Return whether storage, vault, digest key and source are reachable, and if not, what to do; within 10 seconds."""
    checks = {f"storage.{service.name}": partial(service.check, app) for service in _STORAGE}
    checks |= {
        "vault": partial(_checked, partial(_read_keys, app), lambda error: f"{error}. Check KEY_VAULT_URL."),
        "digest_key": partial(
            _checked, partial(_digest_key, app), lambda error: f"{error}. Look at vault and storage."
        ),
        "source": partial(_checked, partial(_source, app), str),
        "documents": partial(_checked, partial(_documents, app), lambda _: "Look at storage."),
    }
    found = {name: result or _LATE for name, result in results(app, checks, SECONDS).items()}
    services = [found.pop(f"storage.{service.name}") for service in _STORAGE]
    storage = next((service for service in services if not service["reachable"]), services[0])
    parts = {"storage": storage, **found}
    damaged = parts.pop("documents").get("damaged", [])
    well = all(part["reachable"] for part in parts.values())
    status = HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE
    off = [{"setting": name, "detail": why} for name, why in app.settings.switched_off.items()]
    told = {"version": VERSION, "healthy": well, **parts, "damaged": damaged, "switched_off": off}
    return Answer(status, Health.model_validate(told))


def _read_keys(app: App) -> Mapping[str, Any]:
    """Read the keys of connections, and ask for that of our digests; raises ExportError KEY_MISSING."""
    app.vault.read(DIGEST_SECRET)
    for name in _connections(app):
        with suppress(DocumentDamaged):  # told apart
            found = app.registry.connection(name)
            if found is not None and not app.vault.read(found[0].secret_name):
                raise ExportError(
                    Reason.KEY_MISSING,
                    f"Key Vault has no secret {found[0].secret_name!r}, the key of connection {name!r}. Store the key again.",
                )
    return {}


def _connections(app: App) -> list[str]:
    """Name the connections; none while storage does not answer, which is said of storage."""
    try:
        return list(app.registry.connections())
    except StorageFault:
        return []


def _digest_key(app: App) -> Mapping[str, Any]:
    """Hold the digest key against what was noted of it; raises ExportError where it is missing, damaged or another."""
    key = app.stored_digest_key()
    return {"fingerprint": key.fingerprint() if key else None}


def _source(app: App) -> Mapping[str, Any]:
    app.source.catalogue()
    return {}


def _documents(app: App) -> Mapping[str, Any]:
    """Name the stored documents that cannot be read: each harms itself only."""
    kinds = (
        ("connection", app.registry.connections, app.registry.connection),
        ("export", app.registry.exports, app.registry.export),
    )
    damaged = []
    for kind, names, read in kinds:
        for name in names():
            try:
                read(name)
            except DocumentDamaged as damage:
                damaged.append({kind: name, "detail": damage.detail})
    return {"damaged": damaged}


@dataclass(frozen=True, slots=True)
class _Service:
    """One service of the app's own storage: how it is tried, and the role that opens it."""

    name: str
    role: str
    attempt: Callable[[App], object]

    def check(self, app: App) -> Mapping[str, Any]:
        """Try the service."""

        def attempt() -> Mapping[str, Any]:
            self.attempt(app)
            return {}

        return _checked(attempt, self.why)

    def why(self, error: Exception) -> str:
        """Return what to mend."""
        if isinstance(error, NoToken):
            return f"{error.message}."
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


def _checked(attempt: Callable[[], Mapping[str, Any]], why: Callable[[Exception], str]) -> Mapping[str, Any]:
    try:
        return {"reachable": True, **attempt()}
    except ExportError as end:
        return {"reachable": False, "code": end.reason, "detail": end.detail or end.reason.advice}
    except (VaultUnavailable, StorageFault) as error:
        return {"reachable": False, "code": type(error).__name__, "detail": why(error)}
    except Exception as error:  # noqa: BLE001 - said to who asks, and found in the log
        log.error("a check of health failed: %s", told(error))
        return {
            "reachable": False,
            "code": type(error).__name__,
            "detail": "The check met a fault of this app; see its log.",
        }
