"""Deliveries to the account in memory, as tests make them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from shared.delivery.capabilities import ListMethod
from shared.delivery.chunks import Operation
from shared.delivery.delivery import Delivery
from shared.delivery.progress import Delivered
from shared.delivery.sending import Sender
from shared.destinations.autopilot.account import AutopilotAccount
from shared.destinations.autopilot.destination import AUTOPILOT
from shared.destinations.autopilot.list_methods import MEMBERSHIP
from tests.delivery.accounts import ManualClock, MemoryAccount, MemorySlots

LISTS = ("list-a", "list-b")


def operation(
    number: int,
    *,
    add: Sequence[int] = (0,),
    remove: Sequence[int] = (),
    upsert: bool = True,
    known: bool = False,
    tries: int = 0,
) -> Operation:
    email = f"p{number}@example.com"
    return Operation(
        person=number,
        customer=f"c{number}",
        segment=0,
        contact_id=f"person_{email}" if known else None,
        content=number,
        upsert=upsert,
        add=tuple(add),
        remove=tuple(remove),
        fields={"Email": email},
        tries=tries,
    )


def account(**settings: object) -> MemoryAccount:
    made = MemoryAccount(**settings)  # type: ignore[arg-type]
    made.on = {list_id: set() for list_id in LISTS}
    return made


def make_sender(pool: ThreadPoolExecutor, clock: ManualClock | None = None) -> Sender:
    clock = clock or ManualClock()
    return Sender(MemorySlots(clock), clock, pool, clock.now() + 600)


def deliver(
    api: MemoryAccount,
    pool: ThreadPoolExecutor,
    operations: Sequence[Operation],
    *,
    method: ListMethod = MEMBERSHIP,
) -> Delivered:
    return Delivery(AUTOPILOT, AutopilotAccount(api), make_sender(pool), LISTS, method).deliver(operations)
