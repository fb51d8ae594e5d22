"""A permission that cannot be read: nobody is created or moved by its row, and who is there stays there."""

from __future__ import annotations

import pytest

from shared.cleaning.clean import Recipe
from shared.destinations.autopilot.fields import FIELDS
from shared.destinations.ortto.mapping import FIELDS as ORTTO_FIELDS
from shared.state.state import Receipt, State, merge, tabulate
from tests.cleaning.tables import column, planned

AUTOPILOT = Recipe({"Email": "Email", "unsubscribed": "V"}, FIELDS)
ORTTO = Recipe({"str::email": "Email", "bol::p": "V"}, ORTTO_FIELDS)
LIST = "list-0"


@pytest.mark.parametrize("recipe", [AUTOPILOT, ORTTO])
@pytest.mark.parametrize("text", ["opted out", "X", "Unsubscribed"])
def test_nobody_is_created_and_nobody_leaves_by_a_permission_that_cannot_be_read(recipe: Recipe, text: str) -> None:
    found, operations = planned([column(text, "no")], recipe)
    assert len(operations) == 1
    assert found.rejected.select("customer", "reason", "hint").rows() == [("c0000000", "value_not_convertible", "flag")]
    assert found.omissions.values.total() == 0

    _, first = planned([column("no", "no")], recipe)
    receipts = [Receipt(o.person, f"person_{o.person}", o.content, added=(LIST,)) for o in first]
    state = merge(State.empty(), tabulate(receipts, [LIST]), [LIST])
    found, later = planned([column(text, "no")], recipe, state)
    assert not later
    assert found.difference.leavers == 0


@pytest.mark.parametrize("recipe", [AUTOPILOT, ORTTO])
@pytest.mark.parametrize("cell", [None, "", "N/A", "NULL", "-"])
def test_an_empty_permission_rejects_nobody(recipe: Recipe, cell: str | None) -> None:
    found, operations = planned([column(cell, "no")], recipe)
    assert (len(operations), found.rejected.height) == (2, 0)
