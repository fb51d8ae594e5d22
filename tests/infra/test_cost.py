"""What docs/cost.md says is billed by the piece, counted in the templates."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

import pytest

from local.package import ROOT
from tests.infra.compiler import Compiler

TEXT: Final = (ROOT / "docs/cost.md").read_text()
TABLE: Final = TEXT.partition("## Billed by the piece")[2].partition("\n## ")[0]
HEAD: Final = re.findall(r"`([\w-]+)` \|", TABLE.partition("\n|---")[0])
ROWS: Final = re.findall(r"^\| `([\w./]+)`[^|]* \| \$([\d.]+) \| (.+) \|$", TABLE, re.MULTILINE)
FREE: Final = {
    *("Microsoft.Authorization/locks", "Microsoft.Authorization/roleAssignments", "Microsoft.Consumption/budgets"),
    *("Microsoft.Insights/actionGroups", "Microsoft.Insights/activityLogAlerts", "Microsoft.Insights/workbooks"),
    *("Microsoft.Insights/components", "Microsoft.Insights/diagnosticSettings", "Microsoft.Insights/privateLinkScopes"),
    *("Microsoft.KeyVault/vaults", "Microsoft.ManagedIdentity/userAssignedIdentities"),
    *("Microsoft.Network/networkSecurityGroups", "Microsoft.Network/virtualNetworks"),
    *("Microsoft.OperationalInsights/workspaces", "Microsoft.Resources/resourceGroups"),
    *("Microsoft.Storage/storageAccounts", "Microsoft.Web/serverfarms", "Microsoft.Web/sites"),
}
"""What costs nothing by the piece: nothing at all, or by what goes through it, which the formula has."""


def test_the_table_is_found() -> None:
    assert HEAD == ["plain", "network", "network-all"]
    assert len(ROWS) == 4


@pytest.mark.parametrize("column", range(3), ids=HEAD)
def test_pieces_and_their_sum_are_those_of_the_templates(bicep: Compiler, column: int) -> None:
    made = bicep.switched(HEAD[column])
    counts = {kind: int(cells.split(" | ")[column]) for kind, _, cells in ROWS}
    assert counts == {kind: len(made.of(kind)) for kind in counts}
    total = sum(counts[kind] * Decimal(price) for kind, price, _ in ROWS)
    (sums,) = re.findall(r"^\| \*\*together\*\* \| \| (.+) \|$", TABLE, re.MULTILINE)
    assert sums.split(" | ")[column] == f"**${total:.2f}**"


@pytest.mark.parametrize("name", ["network-all", "resilient", "released"])
def test_everything_that_is_made_is_counted_or_known_to_be_free(bicep: Compiler, name: str) -> None:
    """Parts of a resource are billed with it."""
    kinds = {"/".join(found.type.split("/")[:2]) for found in bicep.switched(name).resources}
    assert kinds - FREE == kinds & {kind for kind, _, _ in ROWS}


def test_the_alerts_of_the_first_table_are_those_of_the_second() -> None:
    (alerts,) = re.findall(r"^\| alert rules .*? \| (.+) \|$", TEXT, re.MULTILINE)
    assert set(alerts.split(" | ")) == {"$5.10"}
    assert "| **together** | | **$5.10** |" in TABLE
