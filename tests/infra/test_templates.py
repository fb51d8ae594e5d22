"""The templates as Microsoft's compiler and evaluator read them: what they make, and what they refuse."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from export_trigger.http.console import files as files_of_the_console
from local.package import DIST, ROOT
from tests.infra.compiler import INFRA, SWITCHES, Compiler, Deployment, Refused, Resource

NAMES: Final = sorted(path.stem for path in SWITCHES.glob("*.bicepparam"))
EACH: Final = pytest.mark.parametrize("name", NAMES)


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
    (app,) = _templates(bicep, "authsettingsV2")
    (settings,) = [found for found in _resources(app) if "appsettings" in str(found.get("name"))]
    assert any("authentication" in before for before in settings["dependsOn"])


def test_the_app_starts_only_when_it_has_its_rights(bicep: Compiler) -> None:
    """The package is behind them."""
    modules = bicep.compile(INFRA / "main.bicep").template["resources"]
    assert "rights" in modules["app"]["dependsOn"]


def test_a_zone_of_ones_own_is_used_and_none_is_made(bicep: Compiler) -> None:
    hub = bicep.switched("network-hub")
    assert hub.of("Microsoft.Network/privateDnsZones") == []
    zones = [_zone(found) for found in hub.of("Microsoft.Network/privateEndpoints/privateDnsZoneGroups")]
    assert all("/resourceGroups/rg-hub" in zone and "privatelink." in zone for zone in zones)
    nobodys = bicep.deploy("network-source", privateDnsZones="none")
    assert nobodys.of("Microsoft.Network/privateDnsZones") == []
    assert nobodys.of("Microsoft.Network/privateEndpoints/privateDnsZoneGroups") == []
    assert len(nobodys.of("Microsoft.Network/privateEndpoints")) == len(zones)


def test_every_private_endpoint_has_the_zone_of_its_service(bicep: Compiler) -> None:
    made = bicep.switched("network-source")
    zones = {found.name for found in made.of("Microsoft.Network/privateDnsZones")}
    endpoints = made.of("Microsoft.Network/privateEndpoints/privateDnsZoneGroups")
    assert len(endpoints) == len(made.of("Microsoft.Network/privateEndpoints"))
    assert all(any(_zone_name(zone) in _zone(found) for zone in zones) for found in endpoints)


def test_the_network_has_the_range_that_was_asked_for(bicep: Compiler) -> None:
    properties = bicep.switched("network-all").only("Microsoft.Network/virtualNetworks").properties
    assert properties["addressSpace"] == {"addressPrefixes": ["192.168.7.0/25"]}
    subnets = {subnet["name"]: subnet["properties"]["addressPrefix"] for subnet in properties["subnets"]}
    assert subnets == {"app": "192.168.7.0/26", "endpoints": "192.168.7.64/27"}


def test_every_subnet_says_what_may_pass(bicep: Compiler) -> None:
    made = bicep.switched("network")
    (network,) = made.of("Microsoft.Network/virtualNetworks")
    groups = {found.id for found in made.of("Microsoft.Network/networkSecurityGroups")}
    subnets = network.properties["subnets"]
    assert {subnet["properties"]["networkSecurityGroup"]["id"] for subnet in subnets} == groups
    for group in made.of("Microsoft.Network/networkSecurityGroups"):
        rules = [rule["properties"] for rule in group.properties["securityRules"]]
        inbound = [rule for rule in rules if rule["direction"] == "Inbound"]
        last = max(inbound, key=lambda rule: int(rule["priority"]))
        assert (last["access"], last["sourceAddressPrefix"], last["destinationPortRange"]) == ("Deny", "*", "*")
        assert all(rule["destinationPortRange"] == "443" for rule in rules if rule["access"] == "Allow")


REACHED: Final = {
    "plain": {"api", "storage", "vault", "telemetry"},
    "network": {"api", "telemetry"},
    "network-all": set(),
}
"""What is reached from the internet, by combination of switches: the table of docs/deploy.md."""


@pytest.mark.parametrize("name", REACHED)
def test_what_is_reached_from_the_internet_is_what_the_documentation_says(bicep: Compiler, name: str) -> None:
    made = bicep.switched(name)
    doors = {
        "api": made.only("Microsoft.Web/sites").properties["publicNetworkAccess"],
        "storage": made.only("Microsoft.Storage/storageAccounts").properties["publicNetworkAccess"],
        "vault": made.only("Microsoft.KeyVault/vaults").properties["publicNetworkAccess"],
        "telemetry": made.only("Microsoft.Insights/components").properties["publicNetworkAccessForIngestion"],
    }
    assert {place for place, door in doors.items() if door == "Enabled"} == REACHED[name]
    (row,) = re.findall(rf"^\| `{name}` \|.*$", (ROOT / "docs/deploy.md").read_text(), re.MULTILINE)
    cells = dict(zip(doors, (cell.strip() for cell in row.split("|")[2:6]), strict=True))
    assert {place for place, cell in cells.items() if cell.startswith("yes")} == REACHED[name]


def test_a_list_of_addresses_shuts_out_everybody_else(bicep: Compiler, plain: Deployment) -> None:
    site = (
        bicep.deploy("keys", deploymentAddresses="203.0.113.9/32").only("Microsoft.Web/sites").properties["siteConfig"]
    )
    assert [rule["ipAddress"] for rule in site["ipSecurityRestrictions"]] == ["203.0.113.7/32", "198.51.100.0/24"]
    assert [rule["ipAddress"] for rule in site["scmIpSecurityRestrictions"]] == ["203.0.113.9/32"]
    assert site["ipSecurityRestrictionsDefaultAction"] == site["scmIpSecurityRestrictionsDefaultAction"] == "Deny"
    assert plain.only("Microsoft.Web/sites").properties["siteConfig"]["ipSecurityRestrictionsDefaultAction"] == "Allow"


def test_an_api_that_only_the_network_reaches_lets_in_listed_addresses_too(bicep: Compiler) -> None:
    made = bicep.deploy("network-all", allowedAddresses="203.0.113.7/32").only("Microsoft.Web/sites").properties
    assert made["publicNetworkAccess"] == "Enabled"
    assert made["siteConfig"]["ipSecurityRestrictionsDefaultAction"] == "Deny"


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


def test_a_release_deploys_its_package_after_the_settings(bicep: Compiler) -> None:
    package = bicep.switched("released").only("Microsoft.Web/sites/extensions")
    assert package.properties == {"packageUri": "https://example.com/segment-export.zip", "remoteBuild": False}


def test_nothing_is_made_in_somebody_elses_resource_group_when_azd_deploys(bicep: Compiler) -> None:
    """An older azd deletes on `azd down` every group in which a deployment made something."""
    given = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]
    assert given["grantSourceAccess"] == {"value": False}
    made = bicep.deploy("network-hub", grantSourceAccess=False, apiPrivateEndpoint=True, monitorPrivateLink=True)
    places = {place.lower() for found in made.resources for place in re.findall(r"resourceGroups/([\w-]+)", found.id)}
    assert places == {"rg-exports"}
    assert yaml.safe_load((ROOT / "azure.yaml").read_text())["requiredVersions"] == {"azd": ">= 1.24.1"}


def test_the_source_is_read_where_it_says_that_its_blobs_are(bicep: Compiler) -> None:
    address = "https://insights.z01.blob.storage.azure.net/"
    made = bicep.deploy("plain", customerInsightsBlobUri=address).only("Microsoft.Web/sites/config", "/appsettings")
    assert made.properties["CustomerInsightsStorage__blobServiceUri"] == address


def test_the_service_that_azd_deploys_is_the_app_that_the_template_tags(plain: Deployment) -> None:
    azure = yaml.safe_load((ROOT / "azure.yaml").read_text())
    (service,) = azure["services"]
    assert plain.only("Microsoft.Web/sites").body["tags"]["azd-service-name"] == service
    assert azure["services"][service]["remoteBuild"] is False


def test_azd_uploads_what_make_package_makes() -> None:
    (service,) = yaml.safe_load((ROOT / "azure.yaml").read_text())["services"].values()
    assert ROOT / service["project"] / service["dist"] == DIST / "app"
    assert service["hooks"]["prepackage"]["run"] == "make package"


def test_the_workflow_gives_what_the_parameter_file_asks_for_and_holds_no_secret() -> None:
    asked = re.findall(r"\$\{(\w+)=?([^}]*)\}", (INFRA / "main.parameters.json").read_text())
    workflow = (ROOT / ".github/workflows/deploy.yml").read_text()
    (job,) = yaml.safe_load(workflow)["jobs"].values()
    for name, default in asked:
        if name not in {"CUSTOMER_INSIGHTS_BLOB_URI", "RECOVER_VAULT"}:  # which infra/check.sh finds out
            given = f"vars.{name} || '{default}'" if default else f"vars.{name}"
            assert job["env"][name] == f"${{{{ {given} }}}}"
    assert "secrets." not in workflow


@pytest.mark.parametrize("path", sorted((ROOT / ".github/workflows").glob("*.yml")), ids=lambda path: path.stem)
def test_a_workflow_uses_actions_by_their_commit(path: Path) -> None:
    used = re.findall(r"uses: (.+)", path.read_text())
    assert used
    assert [action for action in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)] == []


FOUND_OUT: Final = {"AZURE_ENV_NAME", "AZURE_LOCATION", "CUSTOMER_INSIGHTS_BLOB_URI", "RECOVER_VAULT"}
"""What azd asks for, or a hook finds out."""


def test_the_way_to_deploy_names_every_variable_and_the_scope_it_grants() -> None:
    way = (ROOT / "docs/deploy.md").read_text()
    asked = re.findall(r"\$\{(\w+)", (INFRA / "main.parameters.json").read_text())
    assert [name for name in asked if name not in way and name not in FOUND_OUT] == []
    (scope,) = json.loads((INFRA / "entra-application.json").read_text())["api"]["oauth2PermissionScopes"]
    assert scope["id"] in (INFRA / "register-application.sh").read_text()
    assert all((ROOT / "docs" / link).exists() for link in re.findall(r"\]\(([^)#:]+)\)", way))


def listed(made: Deployment) -> list[str]:
    """Return what a deployment makes, a line each: type and name."""
    return sorted(f"{found.type} {_short(found)}" for found in made.resources)


def _short(found: Resource) -> str:
    """Return a resource's name; an expression as what tells it apart, the rest left out."""
    if "Microsoft.Authorization/roleAssignments" in found.type:
        return f"{found.properties['description']} on {_place(found)}"
    if found.type == "Microsoft.Insights/diagnosticSettings":
        return f"{found.name} of {_place(found)}"
    if found.name.startswith("["):
        return "/".join(part for part in re.findall(r"'([^']*)'", found.name) if part != "{0}/{1}")
    return found.name


def _place(found: Resource) -> str:
    """Return what an extension lies on: the path after its last provider's name."""
    (place,) = re.findall(r"'?(/subscriptions/[^']*)", found.id)[:1]
    return str(place).partition("/providers/Microsoft.Insights/diagnosticSettings")[0].rpartition("/providers/")[2]


def _zone(found: Resource) -> str:
    (zone,) = found.properties["privateDnsZoneConfigs"]
    return str(zone["properties"]["privateDnsZoneId"])


def _zone_name(zone: str) -> str:
    """Return the part of a zone's name that is known before Azure tells its suffix."""
    found = re.search(r"privatelink\.\w+", zone)
    assert found
    return found[0]


def _templates(bicep: Compiler, holding: str) -> list[dict[str, Any]]:
    """Return the templates that lie directly around a module in which a text occurs."""

    def around(template: dict[str, Any]) -> Iterator[dict[str, Any]]:
        for found in _resources(template):
            properties = found.get("properties")
            if isinstance(properties, dict) and (inner := properties.get("template")):
                if any(holding in str(deep.get("name")) for deep in _resources(inner)):
                    yield template
                yield from around(inner)

    return list(around(dict(bicep.compile(INFRA / "main.bicep").template)))


def _resources(template: dict[str, Any]) -> list[dict[str, Any]]:
    found = template["resources"]
    return list(found.values()) if isinstance(found, dict) else list(found)
