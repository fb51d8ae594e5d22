"""The templates as Microsoft's compiler and evaluator read them: what they make, and what they refuse."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import pairwise
from typing import Any, Final

import pytest

from export_trigger.http.console import files as files_of_the_console
from local.package import ROOT
from tests.infra.compiler import INFRA, SWITCHES, Compiler, Deployment, Refused
from tests.infra.deployed import EACH, listed, resources, templates


def test_the_compiler_and_its_linter_have_nothing_to_say(bicep: Compiler) -> None:
    assert bicep.compile(INFRA / "main.bicep").diagnostics == ()


def test_a_template_that_is_wrong_is_found(bicep: Compiler, tmp_path: Any) -> None:
    broken = tmp_path / "broken.bicep"
    broken.write_text("param unused string\noutput name string = resourceGroup().nam\n")
    found = bicep.compile(broken).diagnostics
    assert any("BCP083" in fault for fault in found)
    assert any("no-unused-params" in fault for fault in found)


def test_every_template_is_formatted_as_the_compiler_does(bicep: Compiler) -> None:
    """`bicep format FILE` puts it right."""
    wrong = [path.name for path in INFRA.rglob("*.bicep") if bicep.formatted(path) != path.read_text()]
    assert wrong == []


def test_every_suppressed_rule_has_its_reason_in_the_line_above() -> None:
    for path in INFRA.rglob("*.bicep"):
        lines = path.read_text().splitlines()
        for above, line in pairwise(lines):
            if "#disable" in line:
                assert re.fullmatch(r" *#disable-next-line [\w-]+", line), f"{path.name}: {line}"
                assert re.match(r" *// \S+", above), f"{path.name}: {line}"


def test_no_template_is_longer_than_it_can_be_read() -> None:
    assert [path.name for path in INFRA.rglob("*.bicep") if len(path.read_text().splitlines()) > 400] == []


@EACH
def test_a_combination_of_switches_makes_what_is_written_beside_it(bicep: Compiler, name: str) -> None:
    """After a change that is meant: `python -m tests.infra.switches` writes the lists anew."""
    assert listed(bicep.switched(name)) == (SWITCHES / f"{name}.txt").read_text().splitlines()


@EACH
def test_nothing_is_made_twice(bicep: Compiler, name: str) -> None:
    made = Counter((found.type, found.id) for found in bicep.switched(name).resources)
    assert [found for found, times in made.items() if times > 1] == []


@EACH
def test_what_if_sees_the_name_of_everything_but_the_rights(bicep: Compiler, name: str) -> None:
    """A name that hangs on what is only known when something is made hides its whole module from what-if."""
    hidden = {found.type for found in bicep.switched(name).resources if "reference(" in found.name}
    assert hidden == {"Microsoft.Authorization/roleAssignments"}


@EACH
def test_every_resource_that_bears_tags_names_its_environment(bicep: Compiler, name: str) -> None:
    tagged = [found for found in bicep.switched(name).resources if "tags" in found.body]
    assert len(tagged) > 8
    assert {found.body["tags"]["azd-env-name"] for found in tagged} == {"exports"}


CONTAINER: Final = "/subscriptions/1/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/s"


GROUP: Final = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/g"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"environmentName": "exports_prod"}, "environmentName may have letters, digits and hyphens only"),
        ({"customerInsightsStorageId": "cistore"}, "customerInsightsStorageId must be the resource id"),
        ({"customerInsightsStorageId": CONTAINER}, "customerInsightsStorageId must be the resource id"),
        (
            {"customerInsightsStorageId": f"{GROUP}/providers/Microsoft.KeyVault/vaults/somebodys"},
            "customerInsightsStorageId must be the resource id of a storage account",
        ),
        (
            {"customerInsightsStorageId": f"{GROUP}/providers/Microsoft.Storage/storageAccounts/{'a' * 25}"},
            "customerInsightsStorageId must be the resource id",
        ),
        (
            {
                "customerInsightsStorageId": f"{GROUP}/providers/Microsoft.Storage/storageAccounts/a/blobServices/default"
            },
            "customerInsightsStorageId must be the resource id",
        ),
        ({"customerInsightsPath": "/export/segments"}, "without an address before it or a slash at either end"),
        ({"customerInsightsPath": "export/segments/"}, "customerInsightsPath must be container/folder"),
        ({"customerInsightsPath": "export"}, "customerInsightsPath must be container/folder"),
        ({"customerInsightsPath": "Segments/export"}, "lower-case letters"),
        ({"customerInsightsPath": "https://x.example/a/b"}, "customerInsightsPath must be container/folder"),
        ({"customerInsightsPath": "segments/export/model.json"}, "must name the folder that holds model.json"),
        ({"authClientId": "segment-export"}, "authClientId must be the application (client) id"),
        ({"authClientId": ""}, "authClientId must be the application (client) id"),
        ({"authClientId": "", "functionKeys": True}, "functionKeys needs allowedAddresses or apiPrivateEndpoint"),
        ({"allowedAddresses": "203.0.113.7"}, "allowedAddresses must be IPv4 ranges"),
        ({"allowedAddresses": "0.0.0.0/0"}, "allowedAddresses must name ranges of /8 or smaller"),
        (
            {"allowedAddresses": "203.0.113.7/32,0.0.0.0/1,128.0.0.0/1"},
            "allowedAddresses must name ranges of /8 or smaller",
        ),
        ({"allowedAddresses": "203.0.113.7/32;198.51.100.0/24"}, "allowedAddresses must be IPv4 ranges"),
        ({"deploymentAddresses": "github.com"}, "deploymentAddresses must be IPv4 ranges"),
        ({"autopilotUrl": "http://api2.autopilothq.com/v1"}, "autopilotUrl must begin with https://"),
        ({"orttoUrl": "https//api.example"}, "orttoUrl must begin with https://"),
        ({"exportSchedule": "*/5 * * * *"}, "exportSchedule must have six fields"),
        ({"supervisionSchedule": "0  * * * * *"}, "supervisionSchedule must have six fields"),
        ({"sourcePrivateEndpoint": True}, "sourcePrivateEndpoint needs virtualNetwork"),
        ({"apiPrivateEndpoint": True}, "apiPrivateEndpoint needs virtualNetwork"),
        ({"monitorPrivateLink": True}, "monitorPrivateLink needs virtualNetwork"),
        ({"virtualNetwork": True, "virtualNetworkAddresses": "10.84.0.0/26"}, "must be an IPv4 range of /25 or larger"),
        ({"monthlyBudget": 20}, "monthlyBudget needs budgetStart"),
        ({"monthlyBudget": 20, "budgetStart": "2026-12-01"}, "and alertEmail, which hears of it"),
        (
            {"customerInsightsBlobUri": "insights.blob.core.windows.net"},
            "customerInsightsBlobUri must begin with https://",
        ),
        ({"packageUri": "segment-export.zip"}, "packageUri must begin with https://"),
        ({"virtualNetwork": True, "privateDnsZones": "hub"}, "privateDnsZones must be create, none, or the id"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_what_cannot_work_is_refused_with_a_sentence_before_anything_is_made(
    bicep: Compiler, wrong: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Refused, match=re.escape(sentence)):
        bicep.deploy("plain", **wrong)


def test_all_that_is_wrong_is_said_at_once(bicep: Compiler) -> None:
    with pytest.raises(Refused, match=r"customerInsightsPath .* exportSchedule "):
        bicep.deploy("plain", customerInsightsPath="/x", exportSchedule="hourly")


def test_names_keep_to_their_limits_whatever_the_environment_is_called(bicep: Compiler) -> None:
    """24 characters of a storage account and of a vault, 32 of a host's id, which the Functions host cuts off."""
    made = bicep.deploy("network", environmentName="e" * 48)
    assert len(made.only("Microsoft.Storage/storageAccounts").name) <= 24
    assert len(made.only("Microsoft.KeyVault/vaults").name) <= 24
    assert len(made.only("Microsoft.Web/sites").name) <= 32
    with pytest.raises(Refused, match="Compilation failed"):
        bicep.deploy("plain", environmentName="e" * 49)


def test_every_parameter_of_the_deployment_is_explained(bicep: Compiler) -> None:
    parameters = bicep.compile(INFRA / "main.bicep").template["parameters"]
    assert [name for name, found in parameters.items() if not found.get("metadata", {}).get("description")] == []


def test_the_parameter_file_names_parameters_that_there_are(bicep: Compiler) -> None:
    given = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]
    parameters = bicep.compile(INFRA / "main.bicep").template["parameters"]
    assert set(given) <= set(parameters)
    assert {name for name, found in parameters.items() if "defaultValue" not in found} <= set(given)


def test_no_template_asks_for_a_key_or_holds_a_secret(bicep: Compiler) -> None:
    compiled = json.dumps(bicep.compile(INFRA / "main.bicep").template)
    assert not re.search(r"\blist(?:Keys|\w*Sas|Secrets|Credentials|\w*Value)\(", compiled)
    assert not re.search(r"AccountKey|SharedAccessSignature|\bsig=|[Pp]assword[^A-Za-z]", compiled)


def test_storage_opens_to_identities_only(plain: Deployment) -> None:
    properties = plain.only("Microsoft.Storage/storageAccounts").properties
    assert properties["allowSharedKeyAccess"] is False
    assert properties["allowBlobPublicAccess"] is False
    assert properties["minimumTlsVersion"] == "TLS1_2"


def test_what_was_deleted_is_gone(plain: Deployment) -> None:
    properties = plain.only("Microsoft.Storage/storageAccounts/blobServices").properties
    assert properties["deleteRetentionPolicy"] == {"enabled": False}


def test_the_vault_can_be_neither_purged_nor_opened_by_policies(plain: Deployment) -> None:
    properties = plain.only("Microsoft.KeyVault/vaults").properties
    assert properties["enableRbacAuthorization"] is True
    assert properties["enablePurgeProtection"] is True
    assert properties["enableSoftDelete"] is True
    assert "accessPolicies" not in properties


def test_telemetry_comes_from_identities_only(plain: Deployment) -> None:
    assert plain.only("Microsoft.Insights/components").properties["DisableLocalAuth"] is True
    for workspace in plain.of("Microsoft.OperationalInsights/workspaces"):
        assert workspace.properties["features"]["disableLocalAuth"] is True


def test_the_app_takes_https_and_no_passwords(plain: Deployment) -> None:
    assert plain.only("Microsoft.Web/sites").properties["httpsOnly"] is True
    doors = plain.of("Microsoft.Web/sites/basicPublishingCredentialsPolicies")
    assert sorted(door.name.rpartition("/")[2] for door in doors) == ["ftp", "scm"]
    assert all(door.properties == {"allow": False} for door in doors)
    assert all(door.body["location"] == "westeurope" for door in doors)


def test_the_app_is_deployed_from_a_container_that_its_identity_opens(plain: Deployment) -> None:
    deployment = plain.only("Microsoft.Web/sites").properties["functionAppConfig"]["deployment"]
    assert deployment["storage"]["authentication"]["type"] == "UserAssignedIdentity"
    assert "storageAccountConnectionStringName" not in deployment["storage"]["authentication"]


def test_with_authentication_nobody_comes_in_without_a_token(plain: Deployment) -> None:
    properties = plain.only("Microsoft.Web/sites/config", "/authsettingsV2").properties
    validation = dict(properties["globalValidation"])
    excluded = validation.pop("excludedPaths")
    assert validation == {"requireAuthentication": True, "unauthenticatedClientAction": "Return401"}
    assert set(excluded) == {f"/console/{name}" for name in files_of_the_console()}
    assert properties["identityProviders"]["azureActiveDirectory"]["validation"]["allowedAudiences"]


def test_people_can_sign_in_with_a_browser_and_come_back_to_where_they_were(plain: Deployment) -> None:
    """Without a client secret App Service takes an id token (OpenID's implicit flow)."""
    web = json.loads((INFRA / "entra-application.json").read_text())["web"]
    assert web == {"implicitGrantSettings": {"enableIdTokenIssuance": True}}
    login = plain.only("Microsoft.Web/sites/config", "/authsettingsV2").properties["login"]
    assert login["preserveUrlFragmentsForLogins"] is True
    assert "/.auth/login/aad/callback" in (ROOT / "docs/deploy.md").read_text()


def test_the_app_is_told_to_believe_a_principal_only_when_nobody_else_can_name_one(
    bicep: Compiler, plain: Deployment
) -> None:
    """The settings come after the authentication, and nowhere else."""
    assert "appSettings" not in plain.only("Microsoft.Web/sites").properties.get("siteConfig", {})
    (app,) = templates(bicep, "authsettingsV2")
    (settings,) = [found for found in resources(app) if "appsettings" in str(found.get("name"))]
    assert any("authentication" in before for before in settings["dependsOn"])


def test_the_app_starts_only_when_it_has_its_rights(bicep: Compiler) -> None:
    """The package is behind them."""
    modules = bicep.compile(INFRA / "main.bicep").template["resources"]
    assert "rights" in modules["app"]["dependsOn"]


def test_zones_of_a_region_are_used_when_asked_for(bicep: Compiler, plain: Deployment) -> None:
    for made, sku, is_redundant in (
        (plain, "Standard_LRS", False),
        (bicep.switched("resilient"), "Standard_ZRS", True),
    ):
        assert made.only("Microsoft.Storage/storageAccounts").body["sku"] == {"name": sku}
        assert made.only("Microsoft.Web/serverfarms").properties["zoneRedundant"] is is_redundant


def test_locks_lie_on_what_cannot_be_made_again(bicep: Compiler) -> None:
    locks = bicep.switched("resilient").of("Microsoft.Authorization/locks")
    assert {lock.properties["level"] for lock in locks} == {"CanNotDelete"}
    assert sorted(place for lock in locks for place in re.findall(r"storageAccounts|vaults", lock.id)) == [
        "storageAccounts",
        "vaults",
    ]


def test_a_vault_that_was_deleted_is_recovered_when_asked_for(bicep: Compiler, plain: Deployment) -> None:
    assert plain.only("Microsoft.KeyVault/vaults").properties["createMode"] == "default"
    assert bicep.switched("released").only("Microsoft.KeyVault/vaults").properties["createMode"] == "recover"


def test_a_secret_is_never_in_a_deployments_record(bicep: Compiler) -> None:
    """The app reads the webhook's address from the vault; no parameter takes it."""
    template = bicep.compile(INFRA / "main.bicep").template
    assert [name for name, found in template["parameters"].items() if "secure" in found["type"].lower()] == []
    settings = bicep.switched("released").only("Microsoft.Web/sites/config", "/appsettings").properties
    assert settings["NOTIFY_URL"].startswith("[format('@Microsoft.KeyVault(SecretUri={0}secrets/notify-url)'")
    app = bicep.switched("released").only("Microsoft.Web/sites").properties
    assert "userAssignedIdentities" in app["keyVaultReferenceIdentity"]
