"""The local stack: Azurite, vault, sandboxes of Autopilot and Ortto, and Functions hosts in one process tree, wired by app settings.

If asked, a collector of telemetry too.

Any part is replaced by giving its setting in the environment: then the same stack delivers to a real Autopilot account,
or reads a real storage account.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import requests

from local.azurite import Azurite
from local.commands import direct_to_loopback
from local.package import SITE_PACKAGES
from local.processes import PortTaken, ServerProcess, start_cold
from local.targets import AUTOPILOT, Target
from local.warm import Shared

DEFAULT_PATH: Final = "customer-insights/BlobExport"

PORT_SECONDS: Final = 30.0
"""Seconds that a part waits for its own port, if somebody else took it while it was down."""

ZERO_KEY: Final = "00000000-0000-0000-0000-000000000000"
"""An instrumentation key of nobody's: Azure Monitor's exporters send to the collector too."""

COLLECTED: Final = {
    "PYTHON_ENABLE_OPENTELEMETRY": "true",
    "OTEL_METRIC_EXPORT_INTERVAL": "1000",
    "OTEL_BSP_SCHEDULE_DELAY": "200",
    "OTEL_BLRP_SCHEDULE_DELAY": "200",
}
"""What the hosts are told so that telemetry comes soon (milliseconds) and carries the caller's trace."""


class Stack:
    """Everything that runs. As a context manager it starts all parts and stops them by id."""

    def __init__(
        self,
        directory: Path,
        *,
        instances: int = 1,
        settings: Mapping[str, str] | None = None,
        knobs: Mapping[str, Any] | None = None,
        in_memory: bool = False,
        storage_log: bool = False,
        environment: Mapping[str, str] | None = None,
        telemetry: bool = False,
        package: Path | None = None,
        targets: Sequence[Target] = (AUTOPILOT,),
        shared: Shared | None = None,
    ) -> None:
        self._shared = shared
        self._targets = targets
        self._directory = directory
        self._instances = instances
        self._settings = dict(settings or {})
        self._knobs = dict(knobs or {})
        self._in_memory = in_memory
        self._storage_log = storage_log
        self._telemetry = telemetry
        self._package = package
        self._environment = dict(os.environ if environment is None else environment)
        for variables in (self._environment, os.environ):
            direct_to_loopback(variables)
        self._parts = ExitStack()
        self.azurite: Azurite | None = None
        self.vault: ServerProcess | None = None
        self.sandboxes: dict[str, ServerProcess] = {}
        self.collector: ServerProcess | None = None
        self.hosts: list[ServerProcess] = []
        self.function_key = secrets.token_urlsafe(24)

    def __enter__(self) -> Stack:
        with ExitStack() as parts:
            parts.callback(self._parts.close)
            self._start()
            parts.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._parts.close()

    @property
    def api_url(self) -> str:
        """The API of the first instance, up to and including `/api`."""
        return f"{self.console_url}api"

    @property
    def console_url(self) -> str:
        """The console of the first instance."""
        return str(self.hosts[0].ready["url"]).removesuffix("/api") + "/"  # as the prefix of an older package is

    @property
    def storage(self) -> str:
        """Connection string of the app's own storage."""
        return self._environment["AzureWebJobsStorage"]

    @property
    def source_storage(self) -> str:
        """Connection string of the account that Customer Insights writes to."""
        return self._environment["CustomerInsightsStorage"]

    @property
    def source_path(self) -> str:
        """Container and folder that hold `model.json`."""
        return self._environment["CUSTOMER_INSIGHTS_PATH"]

    @property
    def vault_url(self) -> str:
        """Where the vault is."""
        return self._environment["KEY_VAULT_URL"]

    @property
    def sandbox(self) -> ServerProcess | None:
        """The sandbox of the first of the destinations, if there is one."""
        return self.sandboxes.get(self._targets[0].kind)

    @property
    def sandbox_url(self) -> str | None:
        """Where that sandbox is, if there is one."""
        return str(self.sandbox.ready["url"]) if self.sandbox else None

    @property
    def collector_url(self) -> str | None:
        """Where the collector of telemetry is, if there is one."""
        return str(self.collector.ready["url"]) if self.collector else None

    @property
    def logs(self) -> Path:
        """The folder of the parts' logs."""
        return self._directory / "logs"

    @property
    def environment(self) -> Mapping[str, str]:
        """The app settings that the hosts run with."""
        return self._environment

    def restart_host(self, place: int, environment: Mapping[str, str] | None = None) -> None:
        """End the instance at `place` at once, as a crash would, and start it again where it was.

        If somebody else has its port and keeps it, the instance takes another one.
        """
        host = self.hosts[place]
        port = port_of(str(host.ready["url"]))
        host.kill()
        try:
            host.start_again("--port", port, environment=environment, patience=PORT_SECONDS)
        except PortTaken:
            host.start(environment=environment)

    def restart_vault(self) -> None:
        """End the vault at once and start it again where it was, with what it held."""
        assert self.vault is not None
        vault, identity = port_of(self.vault.ready["url"]), port_of(self.vault.ready["identity_endpoint"])
        self.vault.kill()
        self.vault.start_again("--port", vault, "--identity-port", identity, patience=PORT_SECONDS)

    def switch_vault(self, mode: str) -> None:
        """Switch the vault: up, forbidden (a role is missing), down, or no token (the identity endpoint refuses)."""
        assert self.vault is not None
        ready = self.vault.ready
        headers = {"X-IDENTITY-HEADER": ready["identity_header"]}
        requests.put(ready["identity_endpoint"], json={"mode": mode}, headers=headers, timeout=60).raise_for_status()

    def secret(self, name: str) -> str:
        """Read a secret, as the vault's owner."""
        return str(self._ask_vault("GET", name)["value"])

    def store_secret(self, name: str, value: str) -> None:
        """Store a secret's new version, as the vault's owner, behind the app's back."""
        self._ask_vault("PUT", name, {"value": value})

    def _ask_vault(self, method: str, name: str, body: object = None) -> dict[str, Any]:
        assert self.vault is not None
        ready = self.vault.ready
        headers = {"X-IDENTITY-HEADER": ready["identity_header"]}
        token = requests.get(ready["identity_endpoint"], headers=headers, timeout=60).json()["access_token"]
        answer = requests.request(
            method,
            f"{self.vault_url}/secrets/{name}",
            json=body,
            headers={"Authorization": f"Bearer {token}"},
            verify=ready["ca_bundle"],
            timeout=60,
        )
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def describe(self) -> dict[str, Any]:
        """Return what runs where: the content of `.local/stack.json`."""
        return {
            "api_url": self.api_url,
            "function_key": self.function_key,
            "instances": [host.ready["url"] for host in self.hosts],
            "storage_connection_string": self.storage,
            "customer_insights_connection_string": self.source_storage,
            "customer_insights_path": self.source_path,
            "vault_url": self.vault_url,
            "sandbox_url": self.sandbox_url,
            "collector_url": self.collector_url,
        }

    def _start(self) -> None:
        given = self._environment
        if "AzureWebJobsStorage" not in given or "CustomerInsightsStorage" not in given:
            storage = self._open_storage()
            given.setdefault("AzureWebJobsStorage", storage)
            if "CustomerInsightsStorage" not in given:
                given["CustomerInsightsStorage"] = storage
                given.setdefault("SETTLE_SECONDS", "0")  # what writes here writes model.json last, and at once
        if "KEY_VAULT_URL" not in given:
            keep = [] if self._in_memory else ["--directory", str(self._directory / "vault")]
            self.vault = self._serve("vault", ["-m", "local.vault", *keep])
            given.update(
                KEY_VAULT_URL=self.vault.ready["url"],
                IDENTITY_ENDPOINT=self.vault.ready["identity_endpoint"],
                IDENTITY_HEADER=self.vault.ready["identity_header"],
                REQUESTS_CA_BUNDLE=self.vault.ready["ca_bundle"],
            )
        for target in [target for target in self._targets if target.setting not in given]:
            name = "sandbox" if target is self._targets[0] else f"sandbox-{target.kind}"
            served = self._serve(name, ["-m", target.sandbox, "--knobs", json.dumps(self._knobs)])
            self.sandboxes[target.kind] = served
            given[target.setting] = f"{served.ready['url']}/v1"
        if self._telemetry:
            self.collector = self._serve("collector", ["-m", "local.collector"])
            url = self.collector.ready["url"]
            given.update(
                OTEL_EXPORTER_OTLP_ENDPOINT=url,
                APPLICATIONINSIGHTS_CONNECTION_STRING=f"InstrumentationKey={ZERO_KEY};IngestionEndpoint={url}/",
                **COLLECTED,
            )
        given.setdefault("CUSTOMER_INSIGHTS_PATH", DEFAULT_PATH)
        given.setdefault("EXPORT_SCHEDULE", "0 */5 * * * *")
        given.setdefault("SUPERVISION_SCHEDULE", "15,45 * * * * *")
        given["LOCAL_FUNCTION_KEY"] = self.function_key
        given.update(self._settings)
        for number in range(1, self._instances + 1):
            name = f"host-{number}"
            arguments = ["-m", "local.host", "--name", name]
            if self._package is None:
                self.hosts.append(self._serve(name, arguments))
            else:
                self._environment["PYTHONPATH"] = str(self._package / SITE_PACKAGES)
                folder = _room_for_a_host(self._directory)
                self.hosts.append(self._serve(name, [*arguments, "--app", str(self._package)], folder))

    def _open_storage(self) -> str:
        """Return how an account is reached: of an emulator of its own, or of the shared one, which is nobody's to stop."""
        if self._shared and self._shared.azurite:
            return self._shared.azurite.open_account()
        self.azurite = self._parts.enter_context(
            Azurite(self._directory / "azurite", in_memory=self._in_memory, log_requests=self._storage_log)
        )
        return self.azurite.connection_string

    def _serve(self, name: str, arguments: list[str], folder: Path | None = None) -> ServerProcess:
        log = (self._directory / "logs" / f"{name}.log").absolute()
        start = self._shared.start if self._shared else start_cold
        server = ServerProcess(name, arguments, self._environment, log, folder, start)
        self._parts.callback(server.stop)
        server.start()
        return server


def _room_for_a_host(directory: Path) -> Path:
    """Make a folder that holds the local host and nothing else of ours: what it runs comes from a package alone."""
    room = directory / "host"
    room.mkdir(exist_ok=True)
    with contextlib.suppress(FileExistsError):
        (room / "local").symlink_to(Path(__file__).parent.absolute())
    return room


def port_of(url: str) -> str:
    """Return a URL's port."""
    return str(urlsplit(url).port)
