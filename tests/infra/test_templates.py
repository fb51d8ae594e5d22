"""The templates are sound Bicep, hold no secret, and open no more than they must."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import pytest
import yaml
from tree_sitter import Node

from export_trigger.http.console import files as files_of_the_console
from local.package import DIST, ROOT
from tests.infra.bicep import INFRA, Declaration, Expression, File, faults, files, read, text, walk

FUNCTIONS: Final = {
    *("concat", "contains", "empty", "environment", "guid", "items", "last", "loadJsonContent", "loadTextContent"),
    *("resourceGroup", "resourceId", "split", "string"),
    *("subscription", "subscriptionResourceId", "tenant", "union", "uniqueString"),
    *("allowed", "batchSize", "description", "maxLength", "maxValue", "metadata", "minLength", "minValue", "secure"),
}
"""Bicep's own functions and decorators, as far as the templates use them."""

ROLES: Final = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": "Storage Blob Data Reader",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": "Key Vault Secrets Officer",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
}
"""Azure's built-in roles that may be given, by their ids."""

FILES: Final = pytest.mark.parametrize("file", files(), ids=lambda file: file.path.name)


@FILES
def test_every_template_is_bicep(file: File) -> None:
    assert faults(file) == []


def test_a_template_that_is_not_bicep_is_found(tmp_path: Any) -> None:
    broken = tmp_path / "broken.bicep"
    broken.write_text((INFRA / "main.bicep").read_text().replace("output API_URL string =", "output API_URL string"))
    assert faults(File(broken))


@FILES
def test_every_name_is_declared_and_used(file: File) -> None:
    declared = {found.name for found in file.declarations} | set(_loop_names(file))
    used = Counter(_names_used(file))
    assert set(used) - declared - FUNCTIONS == set()
    assert [name for kind in ("param", "var") for name in file.of(kind) if name not in used] == []


@FILES
def test_loops_and_conditions_are_known_before_anything_is_deployed(file: File) -> None:
    """Bicep refuses others (BCP177, BCP178): how many there are must not depend on what is still to be made."""
    made = {found.name for found in file.declarations if found.kind in {"resource", "module"}}
    for node in walk(file.root):
        if node.type in {"for_statement", "if_statement"}:
            parts = [child for child in node.named_children if child.type != "comment"]
            decides = parts[1] if node.type == "for_statement" else parts[0]
            assert _reached(file, decides) & made == set(), text(decides)


@FILES
def test_modules_are_called_with_what_they_ask_for(file: File) -> None:
    for call in file.of("module").values():
        module = File((file.path.parent / call.type).resolve())
        params = module.of("param")
        given = set(call.body["params"])
        assert given <= set(params), call.name
        assert {name for name, param in params.items() if param.value is None} <= given, call.name
        wanted = set(re.findall(rf"\b{call.name}!?\.outputs\.(\w+)", file.text))
        assert wanted <= set(module.of("output")), call.name


@FILES
def test_a_template_is_a_screen_or_two(file: File) -> None:
    assert len(file.text.splitlines()) <= 180


def test_every_parameter_of_the_deployment_is_explained() -> None:
    assert [
        name for name, param in read("main.bicep").of("param").items() if "description" not in param.decorators
    ] == []


def test_the_parameter_file_names_parameters_that_there_are() -> None:
    given = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]
    params = read("main.bicep").of("param")
    assert set(given) <= set(params)
    assert {name for name, param in params.items() if param.value is None} <= set(given)


def test_no_template_asks_for_a_key_or_holds_a_secret() -> None:
    for file in files():
        assert not re.search(r"\blist\w*\(", file.text), file.path.name
        assert not re.search(r"AccountKey|SharedAccess|Password|\bsig=", file.text), file.path.name
    for literal in _literals():
        assert not re.search(r"(?=\w*\d)[A-Za-z0-9+]{32,}", literal), literal


def test_what_an_operator_may_keep_secret_is_marked_secure() -> None:
    for name in ("main.bicep", "modules/app.bicep"):
        assert "secure" in read(name).of("param")["notifyUrl"].decorators
    assert not any("notifyUrl" in str(output.value) for file in files() for output in file.of("output").values())


def test_storage_opens_to_identities_only() -> None:
    properties = _only("modules/storage.bicep", "Microsoft.Storage/storageAccounts").body["properties"]
    assert properties["allowSharedKeyAccess"] is False
    assert properties["allowBlobPublicAccess"] is False
    assert properties["minimumTlsVersion"] == "TLS1_2"


def test_what_was_deleted_is_gone() -> None:
    properties = _only("modules/storage.bicep", "Microsoft.Storage/storageAccounts/blobServices").body["properties"]
    assert properties["deleteRetentionPolicy"] == {"enabled": False}


def test_the_vault_can_be_neither_purged_nor_opened_by_policies() -> None:
    properties = _only("modules/vault.bicep", "Microsoft.KeyVault/vaults").body["properties"]
    assert properties["enableRbacAuthorization"] is True
    assert properties["enablePurgeProtection"] is True
    assert properties["enableSoftDelete"] is True
    assert "accessPolicies" not in properties


def test_telemetry_comes_from_identities_only() -> None:
    insights = _only("modules/monitoring.bicep", "Microsoft.Insights/components")
    workspace = _only("modules/monitoring.bicep", "Microsoft.OperationalInsights/workspaces")
    assert insights.body["properties"]["DisableLocalAuth"] is True
    assert workspace.body["properties"]["features"]["disableLocalAuth"] is True


def test_the_app_takes_https_and_no_passwords() -> None:
    assert _only("modules/app.bicep", "Microsoft.Web/sites").body["properties"]["httpsOnly"] is True
    doors = read("modules/app.bicep").resources("Microsoft.Web/sites/basicPublishingCredentialsPolicies")
    assert {door.body["name"]: door.body["properties"] for door in doors} == {
        "ftp": {"allow": False},
        "scm": {"allow": False},
    }


def test_the_app_is_deployed_from_a_container_that_its_identity_opens() -> None:
    deployment = _only("modules/app.bicep", "Microsoft.Web/sites").body["properties"]["functionAppConfig"]["deployment"]
    assert deployment["storage"]["authentication"]["type"] == "UserAssignedIdentity"
    assert "storageAccountConnectionStringName" not in deployment["storage"]["authentication"]


def test_with_authentication_nobody_comes_in_without_a_token() -> None:
    settings = _only("modules/authentication.bicep", "Microsoft.Web/sites/config").body
    assert settings["name"] == "authsettingsV2"
    validation = dict(settings["properties"]["globalValidation"])
    excluded = validation.pop("excludedPaths")
    assert validation == {"requireAuthentication": True, "unauthenticatedClientAction": "Return401"}
    assert set(excluded) == {f"/console/{name}" for name in files_of_the_console()}
    assert settings["properties"]["identityProviders"]["azureActiveDirectory"]["validation"]["allowedAudiences"]


def test_people_can_sign_in_with_a_browser_and_come_back_to_where_they_were() -> None:
    """Without a client secret App Service takes an id token (OpenID's implicit flow)."""
    web = json.loads((INFRA / "entra-application.json").read_text())["web"]
    assert web == {"implicitGrantSettings": {"enableIdTokenIssuance": True}}
    login = _only("modules/authentication.bicep", "Microsoft.Web/sites/config").body["properties"]["login"]
    assert login["preserveUrlFragmentsForLogins"] is True
    assert "/.auth/login/aad/callback" in (ROOT / "docs/deploy.md").read_text()


def test_the_app_is_told_to_believe_a_principal_only_when_nobody_else_can_name_one() -> None:
    settings = _only("modules/app.bicep", "Microsoft.Web/sites/config").body
    assert (settings["name"], settings["properties"]) == ("appsettings", Expression("settings"))
    assert settings["dependsOn"] == [Expression("authentication")]
    assert "appSettings" not in _only("modules/app.bicep", "Microsoft.Web/sites").body["properties"]["siteConfig"]


def test_each_role_is_a_known_one_given_to_the_app_at_one_resource() -> None:
    for file in files():
        for assignment in file.resources("Microsoft.Authorization/roleAssignments"):
            scope = assignment.body["scope"]
            assert isinstance(scope, Expression)
            assert scope.text.partition(":")[0] in file.of("resource"), f"{file.path.name}: at {scope.text}"
            assert assignment.body["properties"]["principalId"] == Expression("principalId")
    ids = {literal for literal in _literals() if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", literal)}
    assert ids == set(ROLES)


def test_customer_insights_account_is_opened_at_one_container_for_reading() -> None:
    file = read("modules/source.bicep")
    assert [found.body["scope"] for found in file.resources("Microsoft.Authorization/roleAssignments")] == [
        Expression("storage::blobs::segments")
    ]
    assert ROLES[file.var("blobDataReader")] == "Storage Blob Data Reader"
    assert all(found.existing or "roleAssignments" in found.type for found in file.of("resource").values())


def test_the_service_that_azd_deploys_is_the_app_that_the_template_tags() -> None:
    azure = yaml.safe_load((ROOT / "azure.yaml").read_text())
    (service,) = azure["services"]
    tags = _only("modules/app.bicep", "Microsoft.Web/sites").body["tags"].text
    assert f"'azd-service-name': '{service}'" in tags
    assert azure["services"][service]["remoteBuild"] is False


def test_azd_uploads_what_make_package_makes() -> None:
    (service,) = yaml.safe_load((ROOT / "azure.yaml").read_text())["services"].values()
    assert ROOT / service["project"] / service["dist"] == DIST / "app"
    assert service["hooks"]["prepackage"]["run"] == "make package"


def test_the_workflow_gives_what_the_parameter_file_asks_for_and_pins_what_it_uses() -> None:
    asked = re.findall(r"\$\{(\w+)=?(\w*)\}", (INFRA / "main.parameters.json").read_text())
    workflow = (ROOT / ".github/workflows/deploy.yml").read_text()
    (job,) = yaml.safe_load(workflow)["jobs"].values()
    for name, default in asked:
        source = "secrets" if name == "NOTIFY_URL" else "vars"
        given = f"{source}.{name} || '{default}'" if default else f"{source}.{name}"
        assert job["env"][name] == f"${{{{ {given} }}}}"
    used = re.findall(r"uses: (.+)", workflow)
    assert used
    assert [action for action in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)] == []
    assert {name for name, value in job["env"].items() if "secrets." in value} <= {"NOTIFY_URL"}


def test_the_way_to_deploy_names_every_variable_and_the_scope_it_grants() -> None:
    way = (ROOT / "docs/deploy.md").read_text()
    asked = re.findall(r"\$\{(\w+)", (INFRA / "main.parameters.json").read_text())
    assert [name for name in asked if name not in way and name not in {"AZURE_ENV_NAME", "AZURE_LOCATION"}] == []
    (scope,) = json.loads((INFRA / "entra-application.json").read_text())["api"]["oauth2PermissionScopes"]
    assert scope["id"] in way
    assert all((ROOT / "docs" / link).exists() for link in re.findall(r"\]\(([^)#:]+)\)", way))


def _only(name: str, kind: str) -> Declaration:
    (found,) = read(name).resources(kind)
    return found


def _literals() -> Iterator[str]:
    for file in files():
        for node in walk(file.root):
            if node.type == "string_content":
                yield text(node)


def _loop_names(file: File) -> Iterator[str]:
    for node in walk(file.root):
        if node.type == "for_statement":
            yield text(next(child for child in node.named_children if child.type != "comment"))


def _reached(file: File, node: Node) -> set[str]:
    """Return every name that an expression leads to, through variables."""
    names = {text(child) for child in walk(node) if child.type == "identifier"}
    for name in names & set(file.of("var")):
        names |= _reached(file, file.of("var")[name].node.named_children[-1])
    return names


def _names_used(file: File) -> Iterator[str]:
    """Yield every name that stands for something declared elsewhere: no keys of objects, no declared names themselves."""
    for node in walk(file.root):
        parent = node.parent
        if node.type != "identifier" or parent is None:
            continue
        is_first = parent.named_children[0] == node
        if is_first and (parent.type.endswith("_declaration") or parent.type in {"object_property", "for_statement"}):
            continue
        yield text(node)
