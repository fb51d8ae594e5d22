"""The scripts that azd and people run around a deployment, with an `az` and an `azd` that answer as they are told."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
import yaml

from local.package import ROOT
from tests.infra.well import ENVIRONMENT, STORAGE, WELL

CONTAINER: Final = f"{STORAGE}/blobServices/default/containers/segments"


PROGRAM: Final = """#!{python}
import json, os, sys
command = " ".join(sys.argv[1:])
with open(os.environ["CALLS"], "a") as calls:
    calls.write(os.path.basename(sys.argv[0]) + " " + command + "\\n")
answers = json.loads(os.environ["ANSWERS"])
for words, answer in sorted(answers.items(), key=lambda item: -len(item[0])):
    if words in command:
        sys.exit("said no") if answer == "!" else print(answer)
        break
"""


class Desk:
    """A machine with `az`, `azd`, `make` and Python, as an operator has it."""

    def __init__(self, folder: Path) -> None:
        self.calls = folder / "calls"
        self.programs = folder / "bin"
        self.programs.mkdir()
        self.calls.touch()
        for name in ("az", "azd", "make", "python3.13"):
            program = self.programs / name
            program.write_text(PROGRAM.format(python=sys.executable))
            program.chmod(program.stat().st_mode | stat.S_IEXEC)
        for name in ("sh", "tr", "grep", "wc", "dirname"):
            found = shutil.which(name)
            assert found
            (self.programs / name).symlink_to(found)

    def run(self, script: str, answers: dict[str, str], **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a script of infra."""
        return subprocess.run(
            [self.programs / "sh", ROOT / "infra" / script],
            env={
                **ENVIRONMENT,
                "PATH": str(self.programs),
                "CALLS": str(self.calls),
                "ANSWERS": json.dumps(answers),
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def called(self, words: str) -> list[str]:
        """Return the commands that began with these words."""
        return [line for line in self.calls.read_text().splitlines() if line.startswith(words)]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_azd_runs_the_scripts_around_its_own_work() -> None:
    hooks = yaml.safe_load((ROOT / "azure.yaml").read_text())["hooks"]
    assert {name: hook["run"] for name, hook in hooks.items()} == {
        "preprovision": "sh infra/check.sh",
        "postprovision": "sh infra/grant.sh",
        "postdown": "sh infra/revoke.sh",
    }


def test_where_all_is_well_nothing_is_changed(desk: Desk) -> None:
    done = desk.run("check.sh", WELL)
    assert (done.returncode, done.stderr) == (0, "")
    assert desk.called("az provider register") == []
    assert desk.called("azd") == [
        "azd env set CUSTOMER_INSIGHTS_BLOB_URI https://insights.z01.blob.storage.azure.net/",
        "azd env set RECOVER_VAULT false",
    ]


def test_providers_are_registered_and_waited_for(desk: Desk) -> None:
    assert (
        desk.run("check.sh", {**WELL, "provider show --namespace Microsoft.KeyVault": "NotRegistered"}).returncode == 0
    )
    (call,) = desk.called("az provider register")
    assert call.startswith("az provider register --namespace Microsoft.KeyVault --wait")


def test_a_vault_that_was_deleted_with_the_environment_is_recovered(desk: Desk) -> None:
    assert desk.run("check.sh", {**WELL, "keyvault list-deleted": "1"}).returncode == 0
    assert desk.called("azd")[-1] == "azd env set RECOVER_VAULT true"
    (asked,) = desk.called("az keyvault list-deleted")
    assert "properties.location=='westeurope'" in asked
    assert "=='exports'" in asked


@pytest.mark.parametrize(
    ("answers", "environment", "sentence"),
    [
        ({"account show": "!"}, {}, "nobody is signed in to the Azure CLI. Run: az login"),
        ({"functionapp list-flexconsumption-locations": "eastus"}, {}, "West Europe does not offer Flex Consumption"),
        (
            {"functionapp list-flexconsumption-locations --zone-redundant": "eastus"},
            {"ZONE_REDUNDANT": "true"},
            "in several zones",
        ),
        ({"functionapp list-flexconsumption-runtimes": "3.12"}, {}, "does not offer Python 3.13"),
        ({"rest --method GET": "0"}, {}, "you may not assign roles in this subscription"),
        ({"provider show": "NotRegistered", "provider register": "!"}, {}, "Ask an Owner of the subscription"),
        ({"--query [properties.networkAcls": "!"}, {}, "set GRANT_SOURCE_ACCESS to false if somebody else owns"),
        ({"containers/segments": "!"}, {}, "has no container segments"),
        (
            {"--query [properties.networkAcls": "Deny\nhttps://insights.blob.core.windows.net/"},
            {},
            "Set VIRTUAL_NETWORK and SOURCE_PRIVATE_ENDPOINT",
        ),
        ({}, {"NOTIFY_URL": "https://example.com/?key=1"}, "NOTIFY_URL is no longer read"),
        ({}, {"CUSTOMER_INSIGHTS_PATH": ""}, "CUSTOMER_INSIGHTS_PATH is not set"),
    ],
    ids=lambda value: next(iter(value), "") if isinstance(value, dict) else None,
)
def test_what_would_fail_later_is_refused_with_a_sentence_before_anything_is_made(
    desk: Desk, answers: dict[str, str], environment: dict[str, str], sentence: str
) -> None:
    done = desk.run("check.sh", {**WELL, **answers}, **environment)
    assert done.returncode == 1
    assert "Not deployed: " in done.stderr
    assert sentence in done.stderr
    assert "key=1" not in done.stderr
    assert desk.called("azd") == []


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [("az", "the Azure CLI is missing"), ("make", "make is missing"), ("python3.13", "Python 3.13 is missing")],
)
def test_what_the_machine_lacks_is_named(desk: Desk, missing: str, sentence: str) -> None:
    (desk.programs / missing).unlink()
    done = desk.run("check.sh", WELL)
    assert done.returncode == 1
    assert sentence in done.stderr


def test_a_firewall_does_not_matter_where_the_app_comes_through_its_network(desk: Desk) -> None:
    answers = {**WELL, "--query [properties.networkAcls": "Deny\nhttps://insights.blob.core.windows.net/"}
    assert desk.run("check.sh", answers, SOURCE_PRIVATE_ENDPOINT="true").returncode == 0


def test_whoever_does_not_own_the_source_does_not_look_at_it(desk: Desk) -> None:
    assert desk.run("check.sh", {**WELL, "resource show": "!"}, GRANT_SOURCE_ACCESS="false").returncode == 0


def test_the_right_to_read_the_source_is_given_at_one_container_and_remembered(desk: Desk) -> None:
    done = desk.run("grant.sh", {"role assignment list": ""})
    assert done.returncode == 0
    (given,) = desk.called("az role assignment create")
    assert "--assignee-object-id the-app --assignee-principal-type ServicePrincipal" in given
    assert "--role 2a2b9908-6ea1-4ae2-8e65-a410df84e7d1 --assignee" in given
    assert f"--scope {CONTAINER} " in given


def test_a_right_that_is_there_is_not_given_again(desk: Desk) -> None:
    assert desk.run("grant.sh", {"role assignment list": "/right/1"}).returncode == 0
    assert desk.called("az role assignment create") == []
    assert desk.called("azd") == ["azd env set SOURCE_RIGHT_ID /right/1"]


def test_where_somebody_else_gives_the_right_nothing_is_asked(desk: Desk) -> None:
    assert desk.run("grant.sh", {}, GRANT_SOURCE_ACCESS="false").returncode == 0
    assert desk.calls.read_text() == ""


def test_whoever_may_not_give_the_right_is_told_what_to_do(desk: Desk) -> None:
    done = desk.run("grant.sh", {"role assignment list": "", "role assignment create": "!"})
    assert done.returncode == 1
    assert "Ask its owner" in done.stderr


def test_the_right_is_taken_away_by_its_id_when_the_app_is_gone(desk: Desk) -> None:
    assert desk.run("revoke.sh", {}, SOURCE_RIGHT_ID="/right/1").returncode == 0
    assert len(desk.called("az role assignment delete --ids /right/1")) == 1
    assert desk.run("revoke.sh", {"role assignment delete": "!"}, SOURCE_RIGHT_ID="/right/1").returncode == 1


def test_without_a_right_there_is_nothing_to_take_away(desk: Desk) -> None:
    assert desk.run("revoke.sh", {}).returncode == 0
    assert desk.calls.read_text() == ""


@pytest.mark.parametrize(("there", "made"), [("", 1), ("an-app", 0)])
def test_the_application_is_registered_once_however_often_the_script_runs(desk: Desk, there: str, made: int) -> None:
    answers = {"ad app list": there, "rest --method POST": "an-app", "rest --method PATCH": ""}
    done = desk.run("register-application.sh", answers)
    assert done.returncode == 0
    assert done.stdout.split() == ["an-app"]
    assert len(desk.called("az rest --method POST")) == made
    assert len(desk.called("az rest --method PATCH")) == 1


def test_of_two_applications_of_that_name_none_is_guessed(desk: Desk) -> None:
    done = desk.run("register-application.sh", {"ad app list": "one\ntwo"})
    assert done.returncode == 1
    assert "Say which is meant" in done.stderr
    assert len(desk.called("az")) == 1


def test_no_script_takes_a_secret() -> None:
    for script in (ROOT / "infra").glob("*.sh"):
        assert "--value" not in script.read_text()
        assert os.access(script, os.R_OK)
