"""What was asked for without an answer: it may be done, so a receipt leaves it in doubt until an answer confirms it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shared.delivery.capabilities import ListMethod
from shared.delivery.delivery import Delivery
from shared.delivery.errors import DestinationError, KeyRefused, NoAnswer, Refused
from shared.delivery.progress import remainder
from shared.destinations.autopilot.account import AutopilotAccount
from shared.destinations.autopilot.destination import AUTOPILOT
from shared.destinations.autopilot.list_methods import BULK, MEMBERSHIP
from shared.state.state import Receipt, State, merge, tabulate
from tests.delivery.accounts import MemoryAccount
from tests.delivery.deliveries import LISTS, account, deliver, make_sender, operation

METHODS = pytest.mark.parametrize("method", AUTOPILOT.methods, ids=lambda method: method.name)


@METHODS
def test_values_whose_answer_is_lost_are_unconfirmed_until_they_are_confirmed(
    pool: ThreadPoolExecutor, method: ListMethod
) -> None:
    api = account()
    changed = [operation(n, known=True) for n in range(3)]
    api.fault = lambda _: NoAnswer("done, but answered 408")
    delivery = Delivery(AUTOPILOT, AutopilotAccount(api), make_sender(pool), LISTS, method)
    delivered = delivery.deliver(changed)
    assert [delivery.receipt(item).unconfirmed for item in delivered.unsettled] == [True] * 3
    joined = delivery.deliver([operation(7, known=True, upsert=False)])
    assert [delivery.receipt(item).unconfirmed for item in joined.unsettled] == [False]
    api.fault = lambda _: None
    again = Delivery(AUTOPILOT, AutopilotAccount(api), make_sender(pool), LISTS, method)
    done = again.deliver(remainder(delivered.unsettled)[0])
    assert [again.receipt(item).unconfirmed for item in done.settled] == [False] * 3


@METHODS
def test_a_removal_whose_answer_is_lost_is_in_doubt_until_it_is_confirmed(
    pool: ThreadPoolExecutor, method: ListMethod
) -> None:
    api = account()
    deliver(api, pool, [operation(0), operation(1)])
    api.fault = lambda call: NoAnswer("done, but answered 408") if call == "remove" else None
    delivery = Delivery(AUTOPILOT, AutopilotAccount(api), make_sender(pool), LISTS, method)
    leaving = [operation(n, known=True, upsert=False, add=(), remove=(0,)) for n in range(2)]
    delivered = delivery.deliver(leaving)
    receipts = [delivery.receipt(item) for item in delivered.unsettled]
    assert [(receipt.removed, receipt.perhaps_removed) for receipt in receipts] == [((), ("list-a",))] * 2
    before = merge(
        State.empty(), tabulate([Receipt(n, f"person_{n}", n, added=LISTS[:1]) for n in range(2)], LISTS), LISTS
    )
    doubted = merge(before, tabulate(receipts, LISTS), LISTS).on_lists(LISTS)
    assert (doubted["lists"].to_list(), doubted["attempted"].to_list()) == ([0, 0], [1, 1])
    assert [len(item.removed) for item in delivered.unsettled] == [0, 0]
    api.fault = lambda _: None
    done = delivery.deliver(remainder(delivered.unsettled)[0])
    receipts = [delivery.receipt(item) for item in done.settled]
    assert [(receipt.removed, receipt.perhaps_removed) for receipt in receipts] == [(("list-a",), ())] * 2


class RepeatsAnsweredOtherwise(MemoryAccount):
    """An account that does each call without an answer; what its repeat is answered `repeat` says."""

    repeat: DestinationError | None = None

    def upsert(self, contacts: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        first = "upsert" not in self.calls
        ids = super().upsert(contacts)
        if first:
            raise NoAnswer("done, but answered 408")
        if self.repeat:
            raise self.repeat
        return {email: contact_id for email, contact_id in ids.items() if email != "p0@example.com"}


@pytest.mark.parametrize("repeat", [None, Refused("400"), KeyRefused("401")])
def test_what_had_no_answer_stays_in_doubt_whatever_its_repeat_is_answered(
    pool: ThreadPoolExecutor, repeat: DestinationError | None
) -> None:
    """The repeat left somebody out, or refused her, and she was on the list."""
    api = RepeatsAnsweredOtherwise(bulk_lists=True)
    api.on, api.repeat = {list_id: set() for list_id in LISTS}, repeat
    delivery = Delivery(AUTOPILOT, AutopilotAccount(api), make_sender(pool), LISTS, BULK)
    delivered = delivery.deliver([operation(0, known=True)])
    (receipt,) = [delivery.receipt(item) for item in (*delivered.settled, *delivered.unsettled)]
    assert api.on["list-a"] == {"p0@example.com"}
    assert (receipt.content, receipt.unconfirmed, receipt.added, receipt.attempted) == (None, True, (), ("list-a",))


@pytest.mark.parametrize("call", ["add", "remove"])
def test_a_move_that_had_no_answer_stays_in_doubt_though_its_repeat_is_refused(
    pool: ThreadPoolExecutor, call: str
) -> None:
    api = account()
    deliver(api, pool, [operation(0, add=() if call == "add" else (0,))])
    answers = iter([NoAnswer("done, but answered 408"), Refused("400")])
    api.fault = lambda name: next(answers) if name == call else None
    moved = operation(
        0, known=True, upsert=False, add=(0,) if call == "add" else (), remove=() if call == "add" else (0,)
    )
    delivery = Delivery(AUTOPILOT, AutopilotAccount(api), make_sender(pool), LISTS, MEMBERSHIP)
    (receipt,) = [delivery.receipt(item) for item in delivery.deliver([moved]).settled]
    assert (receipt.attempted if call == "add" else receipt.perhaps_removed) == ("list-a",)
