"""How the app is deployed: by azd, by a release and by the workflow, and which variables they take."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

import pytest
import yaml

from local.package import DIST, ROOT
from tests.infra.compiler import INFRA, Compiler, Deployment


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
