"""What the app may do in Azure: every right that a deployment gives, with its reason, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

import pytest

from local.package import ROOT
from tests.infra.compiler import INFRA, SWITCHES, Compiler, Deployment, Resource

STORAGE: Final = "Microsoft.Storage/storageAccounts/stcb3kucmitqala"
VAULT: Final = "Microsoft.KeyVault/vaults/kv-cb3kucmitqala"
INSIGHTS: Final = "Microsoft.Insights/components/appi-cb3kucmitqala"
SOURCE: Final = "Microsoft.Storage/storageAccounts/insights/blobServices/default/containers/segments"

ROLES: Final = {
    "Storage Blob Data Owner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "Storage Blob Data Reader": "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
    "Storage Queue Data Contributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "Storage Table Data Contributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    "Key Vault Secrets Officer": "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "Monitoring Metrics Publisher": "3913510d-42f4-4e42-8a64-420c390055eb",
}
"""Azure's built-in roles that may be given, with their ids. All are roles for data: none changes a resource."""

ALWAYS: Final = {
    ("Storage Blob Data Owner", STORAGE): "the host's locks and timers, the package, chunks, outcomes, state, reports",
    (
        "Storage Queue Data Contributor",
        STORAGE,
    ): "work on queues; a message is released and poisoned, which Reader cannot",
    ("Storage Table Data Contributor", STORAGE): "ledger, pace, tombstones, audit trail",
    ("Monitoring Metrics Publisher", INSIGHTS): "telemetry, which takes identities only",
}
STORES_KEYS: Final = {("Key Vault Secrets Officer", VAULT): "stores keys that administrators enter, and the digest key"}
READS_KEYS: Final = {("Key Vault Secrets User", VAULT): "somebody else stores the keys"}
READS_SOURCE: Final = {
    ("Storage Blob Data Reader", SOURCE): "reads segments: one container, nothing else of that account"
}

GIVEN: Final = {
    **{path.stem: {**ALWAYS, **STORES_KEYS, **READS_SOURCE} for path in SWITCHES.glob("*.bicepparam")},
    "not-granted": {**ALWAYS, **READS_KEYS},
}
"""By combination of switches: each right as role and place, and its reason."""

NAMED: Final = re.compile(r"'?(/subscriptions/[^',]*/providers/)(Microsoft\.(?:Storage|KeyVault|Insights)/[^',]*)")


def rights(made: Deployment) -> Iterator[tuple[str, str]]:
    """Yield each right as the name of its role and the place where it is given."""
    for found in made.of("Microsoft.Authorization/roleAssignments"):
        role = str(found.properties["roleDefinitionId"]).rpartition("/")[2]
        yield next(name for name, known in ROLES.items() if known == role), place(found)


def place(found: Resource) -> str:
    """Return the type and name of what a right is given on."""
    matched = NAMED.search(found.id)
    assert matched
    return matched[2]


@pytest.mark.parametrize("name", GIVEN)
def test_the_app_gets_these_rights_and_no_others(bicep: Compiler, name: str) -> None:
    assert sorted(rights(bicep.switched(name))) == sorted(GIVEN[name])


def test_every_right_is_the_identitys_and_says_what_it_is(plain: Deployment) -> None:
    identity = plain.only("Microsoft.ManagedIdentity/userAssignedIdentities").id
    for found in plain.of("Microsoft.Authorization/roleAssignments"):
        assert found.properties["principalId"] == f"[reference('{identity}', '2024-11-30').principalId]"
        assert found.properties["principalType"] == "ServicePrincipal"
        assert ROLES[found.properties["description"]] == str(found.properties["roleDefinitionId"]).rpartition("/")[2]


def test_all_rights_are_given_in_one_module(bicep: Compiler) -> None:
    """The one room where a reader sees what the app may do; it calls the module of the source's container."""
    giving = {path.name for path in INFRA.rglob("*.bicep") if "roleAssignments@" in path.read_text()}
    assert giving == {"rights.bicep", "source.bicep"}
    compiled = bicep.compile(INFRA / "main.bicep").template["resources"]
    deep = {
        name for name, module in compiled.items() if '"Microsoft.Authorization/roleAssignments"' in json.dumps(module)
    }
    assert deep == {"rights"}


def test_no_right_is_given_that_the_documentation_does_not_name() -> None:
    documented = (ROOT / "docs/settings.md").read_text().partition("## Roles of the app's identity")[2]
    given = {right for every in GIVEN.values() for right in every}
    assert [role for role, _ in given if role not in documented] == []


def test_who_deploys_may_give_these_roles_to_the_app_and_no_others() -> None:
    """The condition on the GitHub deployer's right to assign roles: for giving, and for taking away."""
    condition = (INFRA / "deployer-condition.txt").read_text()
    for action, source in (("write", "@Request"), ("delete", "@Resource")):
        (ids,) = re.findall(
            rf"roleAssignments/{action}'}}\)\s+\)\s+OR\s+\(\s+{source}\[[\w./]+:RoleDefinitionId\] "
            r"ForAnyOfAnyValues:GuidEquals \{([^}]*)\}",
            condition,
        )
        assert sorted(ids.split(", ")) == sorted(ROLES.values())
    assert condition.count("PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {'ServicePrincipal'}") == 2
    assert condition.count("(") == condition.count(")")
    assert "--role Owner" not in (ROOT / "docs/deploy.md").read_text()
