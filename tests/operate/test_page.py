"""Every command of the page is lived through, or is one of those that need Azure, which are named here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from tests.operate.page import TEXT, commands

HERE: Final = Path(__file__).parent

NOT_RUN: Final = {
    "git pull && azd up": "needs Azure; what it leads to, new code on what is stored, is in tests/upgrade",
    "az keyvault secret set --vault-name VAULT --name SECRET --file key.txt --output none": "the test writes to the local vault",
    "az keyvault secret recover --vault-name VAULT --name segment-export-digest-key": "the local vault is asked for it by its client (tests/hostile/test_keys)",
    "az keyvault secret list-versions --vault-name VAULT --name segment-export-digest-key": "the test knows the value",
    "az login": "the local account is named by its connection string",
    "export AzureWebJobsStorage__accountName=ACCOUNT": "the local account is named by its connection string",
    "az keyvault secret show --vault-name OLD --name segment-export-digest-key --query value -o tsv | tr -d '\\n' > key": (
        "the test copies the key from one local vault to the other"
    ),
    "az keyvault secret set --vault-name NEW --name segment-export-digest-key --file key --output none": "the same",
    "rm key": "the same",
}
"""Commands that no test runs, and why."""


def test_what_is_not_run_is_named() -> None:
    assert {command.line for command in commands() if not command.is_run_here} == set(NOT_RUN)


def test_every_procedure_with_commands_is_lived_through() -> None:
    lived = {
        heading for path in HERE.glob("test_*.py") for heading in re.findall(r'follow\(\s*"([^"]+)"', path.read_text())
    }
    assert lived == {command.heading for command in commands() if command.is_run_here}


def test_blocks_are_all_of_the_shell() -> None:
    fences = re.findall(r"^ *```(.*)$", TEXT, re.MULTILINE)
    assert set(fences[::2]) == {"sh"}
    assert set(fences[1::2]) == {""}
