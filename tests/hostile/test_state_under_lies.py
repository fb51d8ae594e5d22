"""The other half of the law of answers: whatever is answered, the state that is left denies nothing that the destination holds.

Who is on a list that we fill is known to be there, or in doubt; whose values may be others than those that were known is
sent again. A state that is silent of either would never mend it: the next run has nothing to do.
"""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import requests

from shared.azure.vault import GivenKey
from shared.delivery.capabilities import ListMethod
from shared.delivery.chunks import Operation
from shared.delivery.delivery import Delivery
from shared.delivery.progress import remainder
from shared.destinations.autopilot.account import AutopilotAccount
from shared.destinations.autopilot.client import Autopilot
from shared.destinations.autopilot.destination import AUTOPILOT
from shared.http import transport
from shared.state.state import Receipt, State, merge, tabulate
from tests.hostile.destination import Destination, any_bytes
from tests.hostile.holding import Holding
from tests.hostile.test_law_of_answers import LISTS, email, holding, http, make_sender, operations, pool

__all__ = ["http", "pool"]

ROUNDS = 50
GOES = 3
OLD = 1000
"""Above this a content stands for the values of before."""


@pytest.fixture(autouse=True)
def _short_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "CALL_SECONDS", 5.0)


def known(held: Holding) -> State:
    """Return the state that says what the account holds before anything is delivered."""
    receipts = [
        Receipt(number, contact, OLD + number, added=tuple(one for one in LISTS if contact in held.members[one]))
        for number in range(8)
        if (contact := held.id_of(email(number)))
    ]
    return merge(State.empty(), tabulate(receipts, LISTS), LISTS)


def of_old_values(operation: Operation) -> Operation:
    """Return an operation of somebody whose values did not change."""
    fields = {**(operation.fields or {}), "FirstName": "Old"}
    return operation if operation.upsert else replace(operation, content=OLD + operation.person, fields=fields)


def check(held: Holding, state: State) -> None:
    """Hold a state against what the destination holds, in both directions."""
    people = {row["person"]: row for row in state.on_lists(LISTS).iter_rows(named=True)}
    for number in range(16):
        contact, row = held.id_of(email(number)), people.get(number)
        lists, attempted = (row["lists"], row["attempted"]) if row else (0, 0)
        on = sum(1 << index for index, list_id in enumerate(LISTS) if contact in held.members[list_id])
        assert not on & ~(lists | attempted), "somebody is on a list, and the state does not know"
        assert not lists & ~on, "somebody is not on a list, and the state says so"
        if row and row["content"] is not None:
            assert held.contacts[contact]["FirstName"] == ("Old" if row["content"] >= OLD else "New")


def opened(destination: Destination, http: requests.Session) -> AutopilotAccount:
    return AutopilotAccount(Autopilot(destination.url, GivenKey("key"), http))


@pytest.mark.parametrize("method", AUTOPILOT.methods, ids=lambda method: method.name)
def test_whatever_is_answered_the_state_denies_nothing_that_the_destination_holds(
    pool: ThreadPoolExecutor,
    http: requests.Session,
    method: ListMethod,
) -> None:
    for seed in range(ROUNDS):
        dice = random.Random(seed)
        held = holding(dice, method)
        before = known(held)
        with Destination(held, any_bytes, seed=seed) as destination:
            api = opened(destination, http)
            wanted = [of_old_values(operation) for operation in operations(dice, held)]
            receipts: list[Receipt] = []
            for _ in range(GOES):
                delivery = Delivery(AUTOPILOT, api, make_sender(pool), LISTS, method)
                delivered = delivery.deliver(wanted)
                receipts += [delivery.receipt(item) for item in (*delivered.settled, *delivered.unsettled)]
                check(held, merge(before, tabulate(receipts, LISTS), LISTS))
                wanted, _ = remainder(delivered.unsettled, counted=False)
