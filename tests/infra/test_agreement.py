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
from local import backup
from local.host.configuration import read_host_json
from shared.azure.settings import Settings, read_account, read_settings
from shared.azure.storage import Container, Queue
from shared.azure.tables import Table
from shared.composition import app as composition
from shared.composition.sources import open_source
from shared.destinations.autopilot.destination import URL
from shared.destinations.registry import DESTINATIONS
from tests.infra.compiler import INFRA, Compiler, Deployment, Refused

ROOT: Final = INFRA.parent

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


@pytest.fixture(scope="session")
def settings(plain: Deployment) -> dict[str, str]:
    """Return the app settings that a deployment with Entra makes; what only Azure knows is an expression."""
    return dict(plain.only("Microsoft.Web/sites/config", "/appsettings").properties)


@pytest.fixture(scope="session")
def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return them as they would be in Azure: what is only known there by an example."""
    return {name: sample(name) if value.startswith("[") else value for name, value in settings.items()}


def sample(name: str) -> str:
    """Return an example of what only Azure knows."""
    return "https://example.org" if name.lower().endswith(("uri", "url")) else "an-id"


@pytest.fixture(scope="session")
def read_by_the_code(environment: Mapping[str, str]) -> set[str]:
    """Return every setting that the deployed code asks for: by running it, and by reading what looks at `os.environ`."""
    asked = Asked(environment)
    read_settings(asked, DESTINATIONS)
    open_source(asked)
    optional = {name.upper() for name in Settings.model_fields} - {"STORAGE", "URLS", "SWITCHED_OFF"}
    return asked.names | optional | set(_environment_names())


def test_the_app_starts_with_the_settings_of_the_templates(environment: Mapping[str, str]) -> None:
    settings = read_settings(environment)
    assert settings.storage.connection_string is None
    assert settings.storage.blob_uri
    assert settings.storage.queue_uri
    assert settings.storage.table_uri
    assert settings.storage.client_id == read_account(environment, "CustomerInsightsStorage").client_id == "an-id"


def test_every_setting_the_code_reads_is_set_or_left_to_its_default_on_purpose(
    read_by_the_code: set[str], settings: Mapping[str, str]
) -> None:
    assert read_by_the_code - set(settings) - OTHER_FORM - PLATFORM == LEFT_TO_DEFAULT


def test_a_setting_that_is_left_to_its_default_can_be_given_another_value_that_stays(
    bicep: Compiler, settings: Mapping[str, str]
) -> None:
    """A deployment, and so each upgrade, replaces all settings: what somebody added by hand is gone."""
    given = dict.fromkeys(sorted({*LEFT_TO_DEFAULT, "OTEL_TRACES_SAMPLER_ARG"}), "1")
    made = bicep.deploy("plain", moreSettings=given).only("Microsoft.Web/sites/config", "/appsettings")
    assert made.properties == {**settings, **given}
    for ours in ("AUTH_MODE", "WEBSITE_AUTH_ENABLED"):
        with pytest.raises(Refused, match="moreSettings may have"):
            bicep.deploy("plain", moreSettings={ours: "keys"})


def test_the_templates_set_nothing_that_nobody_reads(
    read_by_the_code: set[str], settings: Mapping[str, str], triggers: list[dict[str, Any]]
) -> None:
    assert set(settings) - read_by_the_code - named_by(triggers) == HOST


def test_settings_that_triggers_name_are_set(settings: Mapping[str, str], triggers: list[dict[str, Any]]) -> None:
    assert named_by(triggers) == {"EXPORT_SCHEDULE", "SUPERVISION_SCHEDULE"}
    assert named_by(triggers) <= set(settings)


def test_every_setting_is_documented(read_by_the_code: set[str]) -> None:
    documented = (ROOT / "docs/settings.md").read_text()
    wanted = read_by_the_code - OTHER_FORM - PLATFORM | LEFT_TO_DEFAULT
    assert [name for name in wanted if name.removeprefix("AzureWebJobsStorage") not in documented] == []


def test_the_accounts_of_the_triggers_are_configured(
    settings: Mapping[str, str], triggers: list[dict[str, Any]]
) -> None:
    accounts = {trigger["connection"] for trigger in triggers if trigger["type"] == "queueTrigger"}
    for account in accounts:
        parts = {name.partition("__")[2] for name in settings if name.startswith(f"{account}__")}
        assert parts >= {"blobServiceUri", "queueServiceUri", "credential", "clientId"}


@pytest.mark.parametrize(("switches", "mode"), [("plain", "entra"), ("keys", "keys")])
def test_both_ways_to_guard_the_api_are_known_to_the_code(
    bicep: Compiler, environment: Mapping[str, str], switches: str, mode: str
) -> None:
    made = bicep.switched(switches)
    asked = made.only("Microsoft.Web/sites/config", "/appsettings").properties["AUTH_MODE"]
    assert read_settings({**environment, "AUTH_MODE": asked}).auth_mode == mode
    assert bool([found for found in made.resources if found.name.endswith("/authsettingsV2")]) == (mode == "entra")


def test_every_queue_is_created_with_its_poison_queue(plain: Deployment, triggers: list[dict[str, Any]]) -> None:
    used = {trigger["queueName"] for trigger in triggers if trigger["type"] == "queueTrigger"} | set(Queue)
    wanted = used | {f"{queue}-poison" for queue in used if not queue.endswith("-poison")}
    assert set(plain.last_names("Microsoft.Storage/storageAccounts/queueServices/queues")) == wanted


def test_every_container_is_created_and_one_for_the_package(plain: Deployment) -> None:
    made = set(plain.last_names("Microsoft.Storage/storageAccounts/blobServices/containers"))
    (package,) = made - set(Container)
    assert made == {*Container, package}
    storage = plain.only("Microsoft.Web/sites").properties["functionAppConfig"]["deployment"]["storage"]
    assert f"'{package}'" in storage["value"]


def test_every_table_is_created_and_saved(
    plain: Deployment, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[str] = []

    class Recorded(Table):
        def __init__(self, service: Any, name: str) -> None:
            used.append(name)
            super().__init__(service, name)

    monkeypatch.setattr(composition, "Table", Recorded)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    composition.app.__wrapped__()
    tables = set(plain.last_names("Microsoft.Storage/storageAccounts/tableServices/tables"))
    assert tables == set(used) == set(backup.TABLES)


def test_what_holds_personal_data_does_not_stay(bicep: Compiler) -> None:
    made = bicep.deploy("plain", rejectedDays=12)
    policy = made.only("Microsoft.Storage/storageAccounts/managementPolicies").properties["policy"]
    days = {}
    for rule in policy["rules"]:
        assert rule["definition"]["filters"]["blobTypes"] == ["blockBlob"]
        (prefix,) = rule["definition"]["filters"]["prefixMatch"]
        (action,) = rule["definition"]["actions"]["baseBlob"].items()
        assert action[0] == "delete"
        days[prefix] = action[1]["daysAfterCreationGreaterThan"]
    assert days == {f"{Container.CHUNKS}/": 30, f"{Container.OUTCOMES}/": 30, f"{Container.REJECTED}/": 12}


def test_defaults_are_the_codes_own(settings: Mapping[str, str]) -> None:
    assert settings["AUTOPILOT_URL"] == URL
    assert settings["HISTORY_DAYS"] == str(Settings.model_fields["history_days"].default)
    assert settings["REJECTED_DAYS"] == str(Settings.model_fields["rejected_days"].default)
    assert settings["EXPORT_SCHEDULE"] in (ROOT / "docs/settings.md").read_text()
    assert settings["SUPERVISION_SCHEDULE"] in (ROOT / "docs/settings.md").read_text()


@pytest.mark.parametrize(("parameter", "setting"), [("historyDays", "history_days"), ("rejectedDays", "rejected_days")])
def test_the_template_refuses_days_with_which_the_app_would_not_start(parameter: str, setting: str) -> None:
    (most,) = re.findall(rf"@maxValue\((\d+)\)\nparam {parameter} int", (INFRA / "main.bicep").read_text())
    accepted = Settings.model_json_schema()["properties"][setting]
    assert int(most) == accepted["maximum"]


def test_the_python_is_the_one_we_test_with(plain: Deployment) -> None:
    runtime = plain.only("Microsoft.Web/sites").properties["functionAppConfig"]["runtime"]
    assert runtime == {"name": "python", "version": (ROOT / ".python-version").read_text().strip()}


def test_there_is_a_thread_for_every_message_that_the_host_may_hand_over(
    settings: Mapping[str, str], triggers: list[dict[str, Any]]
) -> None:
    queues = [trigger for trigger in triggers if trigger["type"] == "queueTrigger"]
    most = read_host_json(ROOT).queues.most_parallel * len(queues)
    assert int(settings["PYTHON_THREADPOOL_THREAD_COUNT"]) >= most


def test_telemetry_is_set_up_by_us_and_not_by_the_platform(settings: Mapping[str, str]) -> None:
    """The platform's own set-up would load with each cold start, and instrument what must not be."""
    assert settings["PYTHON_ENABLE_OPENTELEMETRY"] == "true"
    assert "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY" not in settings
    assert json.loads((ROOT / "host.json").read_text())["telemetryMode"] == "OpenTelemetry"


def test_roles_that_health_tells_people_to_give_are_those_that_the_templates_give(bicep: Compiler) -> None:
    def roles(kind: str, switches: str = "plain") -> set[str]:
        given = bicep.switched(switches).of("Microsoft.Authorization/roleAssignments")
        return {str(found.properties["description"]) for found in given if kind in found.id}

    assert {service.role for service in health._STORAGE} == roles("/storageAccounts/stc")
    named = set(re.findall(r"role (Key Vault Secrets \w+)", (ROOT / "shared/azure/vault.py").read_text()))
    assert named == roles("/vaults/") | roles("/vaults/", "not-granted")


def test_app_roles_of_the_entra_application_are_those_the_api_knows() -> None:
    application = json.loads((INFRA / "entra-application.json").read_text())
    assert {role["value"] for role in application["appRoles"]} == set(access.ROLES)
    ids = [item["id"] for item in (*application["appRoles"], *application["api"]["oauth2PermissionScopes"])]
    assert len(set(ids)) == len(ids)
    assert "passwordCredentials" not in application


def named_by(triggers: list[dict[str, Any]]) -> set[str]:
    """Return the settings that triggers name, as `%NAME%`."""
    return {name for trigger in triggers for name in re.findall(r"%(\w+)%", str(trigger))}


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
