"""What the code reads and uses is what the templates set and create: neither can change without the other."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from export_trigger.http import access, health
from local.host.configuration import read_host_json
from shared.azure.settings import Settings, read_account, read_settings
from shared.azure.storage import Container, Queue
from shared.azure.tables import Table
from shared.composition import app as composition
from shared.composition.sources import open_source
from shared.destinations.autopilot.destination import URL
from shared.destinations.registry import DESTINATIONS
from tests.infra.bicep import INFRA, Expression, read

ROOT: Final = INFRA.parent
APP: Final = read("modules/app.bicep")
STORAGE: Final = read("modules/storage.bicep")

LEFT_TO_DEFAULT: Final = {
    "ALLOWED_SECRET_NAMES",
    "AUDIT_DAYS",
    "GRACE_SECONDS",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OUTAGE_MINUTES",
    "SETTLE_SECONDS",
    "SOURCE_KIND",
}
"""Settings that the templates leave alone, on purpose."""

OTHER_FORM: Final = {"AzureWebJobsStorage", "CustomerInsightsStorage"} | {
    f"{account}__{part}"
    for account in ("AzureWebJobsStorage", "CustomerInsightsStorage")
    for part in ("accountName", "queueServiceUri", "tableServiceUri")
}
"""Other ways to say where an account is; and queues and tables, which the source has none of."""

PLATFORM: Final = {"IDENTITY_ENDPOINT", "IDENTITY_HEADER", "WEBSITE_AUTH_ENABLED", "AZURE_CLIENT_ID"}
"""What the platform sets (its endpoint for tokens, and whether it authenticates), or what is only asked when a setting names no identity."""

HOST: Final = {
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "AzureWebJobsStorage__credential",
    "OTEL_SERVICE_NAME",
    "PYTHON_ENABLE_OPENTELEMETRY",
    "PYTHON_THREADPOOL_THREAD_COUNT",
}
"""Settings that the Functions host or an SDK reads and our code does not."""


class Asked(dict[str, str]):
    """An environment that remembers what it was asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self.names: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.names.add(key)
        return super().get(key, default)

    def __getitem__(self, key: str) -> str:
        self.names.add(key)
        return super().__getitem__(key)


@pytest.fixture(scope="module")
def triggers() -> list[dict[str, Any]]:
    """Return the triggers of every function, as the Functions runtime indexes them."""
    script = (
        "import json; from pathlib import Path; from local.host.runtime import load;"
        "print(json.dumps([dict(f.trigger) for f in load(Path.cwd(), 32)]))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


def set_by_the_templates() -> dict[str, Any]:
    return dict(APP.var("settings"))


def sample(name: str, value: Any) -> str:
    """Return a value as it would be in Azure: what is only known at deployment by an example."""
    if not isinstance(value, Expression):
        return str(value)
    if name in {"HISTORY_DAYS", "REJECTED_DAYS"}:
        return "30"
    if name == "CUSTOMER_INSIGHTS_PATH":
        return "container/folder"
    if name == "AUTH_MODE":
        return str(re.findall(r"'(\w+)'", value.text)[-1])
    return "https://example.org" if name.lower().endswith(("uri", "url")) else "an-id"


def environment() -> dict[str, str]:
    return {name: sample(name, value) for name, value in set_by_the_templates().items()}


def read_by_the_code() -> set[str]:
    """Return every setting that the deployed code asks for: by running it, and by reading what else looks at `os.environ`."""
    asked = Asked(environment())
    read_settings(asked, DESTINATIONS)
    open_source(asked)
    optional = {name.upper() for name in Settings.model_fields} - {"STORAGE", "URLS"}
    return asked.names | optional | set(_environment_names())


def test_the_app_starts_with_the_settings_of_the_templates() -> None:
    settings = read_settings(environment())
    assert settings.storage.connection_string is None
    assert settings.storage.blob_uri
    assert settings.storage.queue_uri
    assert settings.storage.table_uri
    assert settings.storage.client_id == read_account(environment(), "CustomerInsightsStorage").client_id == "an-id"


def test_every_setting_the_code_reads_is_set_or_left_to_its_default_on_purpose() -> None:
    assert read_by_the_code() - set(set_by_the_templates()) - OTHER_FORM - PLATFORM == LEFT_TO_DEFAULT


def test_the_templates_set_nothing_that_nobody_reads(triggers: list[dict[str, Any]]) -> None:
    named = {name for trigger in triggers for name in re.findall(r"%(\w+)%", str(trigger))}
    assert set(set_by_the_templates()) - read_by_the_code() - named == HOST


def test_settings_that_triggers_name_are_set(triggers: list[dict[str, Any]]) -> None:
    named = {name for trigger in triggers for name in re.findall(r"%(\w+)%", str(trigger))}
    assert named == {"EXPORT_SCHEDULE", "SUPERVISION_SCHEDULE"}
    assert named <= set(set_by_the_templates())


def test_every_setting_is_documented() -> None:
    documented = (ROOT / "docs/settings.md").read_text()
    wanted = read_by_the_code() - OTHER_FORM - PLATFORM | LEFT_TO_DEFAULT
    assert [name for name in wanted if name.removeprefix("AzureWebJobsStorage") not in documented] == []


def test_the_accounts_of_the_triggers_are_configured(triggers: list[dict[str, Any]]) -> None:
    accounts = {trigger["connection"] for trigger in triggers if trigger["type"] == "queueTrigger"}
    for account in accounts:
        parts = {name.partition("__")[2] for name in set_by_the_templates() if name.startswith(f"{account}__")}
        assert parts >= {"blobServiceUri", "queueServiceUri", "credential", "clientId"}


def test_both_ways_to_guard_the_api_are_known_to_the_code() -> None:
    modes = re.findall(r"'(\w+)'", set_by_the_templates()["AUTH_MODE"].text)
    assert modes == ["keys", "entra"]
    for mode in modes:
        assert read_settings({**environment(), "AUTH_MODE": mode}).auth_mode == mode


def test_every_queue_is_created_with_its_poison_queue(triggers: list[dict[str, Any]]) -> None:
    used = {trigger["queueName"] for trigger in triggers if trigger["type"] == "queueTrigger"} | set(Queue)
    wanted = used | {f"{queue}-poison" for queue in used if not queue.endswith("-poison")}
    assert set(STORAGE.var("queues")) == wanted
    assert _created("queueServices/queues") == Expression("queues")


def test_every_container_is_created() -> None:
    assert set(STORAGE.var("containers")) == set(Container)
    assert _created("blobServices/containers") == Expression("union(containers, [deploymentContainer])")
    assert STORAGE.var("deploymentContainer") not in set(Container)


def test_every_table_is_created(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[str] = []

    class Recorded(Table):
        def __init__(self, service: Any, name: str) -> None:
            used.append(name)
            super().__init__(service, name)

    monkeypatch.setattr(composition, "Table", Recorded)
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    composition.app.__wrapped__()
    assert set(STORAGE.var("tables")) == set(used)
    assert _created("tableServices/tables") == Expression("tables")


def test_what_holds_personal_data_does_not_stay() -> None:
    assert set(STORAGE.var("lifetimes")) == {Container.CHUNKS, Container.OUTCOMES, Container.REJECTED}
    assert STORAGE.var("lifetimes")[Container.REJECTED] == Expression("rejectedDays")
    (policy,) = STORAGE.resources("Microsoft.Storage/storageAccounts/managementPolicies")
    rules = policy.body["properties"]["policy"]["rules"]
    assert rules.over == Expression("items(lifetimes)")
    assert rules.body["definition"]["filters"]["prefixMatch"] == [Expression("'${lifetime.key}/'")]
    assert rules.body["definition"]["actions"]["baseBlob"]["delete"] == {
        "daysAfterCreationGreaterThan": Expression("lifetime.value")
    }


def test_defaults_are_the_codes_own() -> None:
    params = {name: param.value for name, param in read("main.bicep").of("param").items()}
    assert params["autopilotUrl"] == URL
    assert params["historyDays"] == Settings.model_fields["history_days"].default
    assert params["rejectedDays"] == Settings.model_fields["rejected_days"].default
    assert params["exportSchedule"] in (ROOT / "docs/settings.md").read_text()


def test_the_python_is_the_one_we_test_with() -> None:
    (app,) = APP.resources("Microsoft.Web/sites")
    runtime = app.body["properties"]["functionAppConfig"]["runtime"]
    assert runtime == {"name": "python", "version": (ROOT / ".python-version").read_text().strip()}


def test_there_is_a_thread_for_every_message_that_the_host_may_hand_over(triggers: list[dict[str, Any]]) -> None:
    queues = [trigger for trigger in triggers if trigger["type"] == "queueTrigger"]
    most = read_host_json(ROOT).queues.most_parallel * len(queues)
    assert int(set_by_the_templates()["PYTHON_THREADPOOL_THREAD_COUNT"]) >= most


def test_telemetry_is_set_up_by_us_and_not_by_the_platform() -> None:
    """The platform's own set-up would load with each cold start, and instrument what must not be."""
    settings = set_by_the_templates()
    assert settings["PYTHON_ENABLE_OPENTELEMETRY"] == "true"
    assert "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY" not in settings
    assert json.loads((ROOT / "host.json").read_text())["telemetryMode"] == "OpenTelemetry"


def test_roles_are_those_that_the_documentation_names() -> None:
    documented = (ROOT / "docs/settings.md").read_text()
    given = {*STORAGE.var("roles"), *read("modules/vault.bicep").var("roles")}
    given |= {"Storage Blob Data Reader", "Monitoring Metrics Publisher"}
    assert [role for role in given if role not in documented] == []


def test_roles_that_health_tells_people_to_give_are_those_that_the_templates_give() -> None:
    assert {service.role for service in health._STORAGE} == set(STORAGE.var("roles"))
    named = set(re.findall(r"role (Key Vault Secrets \w+)", (ROOT / "shared/azure/vault.py").read_text()))
    assert named == set(read("modules/vault.bicep").var("roles"))


def test_app_roles_of_the_entra_application_are_those_the_api_knows() -> None:
    application = json.loads((INFRA / "entra-application.json").read_text())
    assert {role["value"] for role in application["appRoles"]} == set(access.ROLES)
    ids = [item["id"] for item in (*application["appRoles"], *application["api"]["oauth2PermissionScopes"])]
    assert len(set(ids)) == len(ids)
    assert "passwordCredentials" not in application


def _created(kind: str) -> Any:
    (found,) = STORAGE.resources(f"Microsoft.Storage/storageAccounts/{kind}")
    return found.value.over


def _environment_names() -> Iterator[str]:
    """Yield the names of environment variables that deployed code reads by `os.environ`."""
    folders = ("shared", "export_trigger", "export_worker")
    for path in [ROOT / "function_app.py", *(file for folder in folders for file in Path(ROOT / folder).rglob("*.py"))]:
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case (
                    ast.Call(
                        func=ast.Attribute(value=place, attr="get" | "getenv"), args=[ast.Constant(value=name), *_]
                    )
                    | ast.Subscript(value=place, slice=ast.Constant(value=name))
                ) if ast.unparse(place) in {"os.environ", "os"}:
                    yield str(name)
