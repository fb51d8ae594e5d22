"""Deliveries to an account as tests make and check them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import polars as pl

from shared.delivery.capabilities import ListMethod
from shared.delivery.chunks import Operation
from shared.delivery.delivery import Delivery
from shared.delivery.progress import Progress
from shared.delivery.sending import Sender
from tests.delivery.accounts import ManualClock, MemorySlots
from tests.destinations.bench import Bench, email


def fresh(pool: ThreadPoolExecutor) -> Sender:
    """Return a sender at a pace that nothing waits for."""
    clock = ManualClock()
    return Sender(MemorySlots(clock, rate=10_000), clock, pool, clock.now() + 10_000)


def delivered(
    bench: Bench, method: ListMethod, sender: Sender, lists: Sequence[str], operations: Sequence[Operation]
) -> list[Progress]:
    """Deliver operations, all of which must settle; return what came of each, in their order."""
    delivery = Delivery(bench.destination, bench.account(), sender, lists, method)
    found = delivery.deliver(operations)
    assert not found.unsettled
    check(bench, delivery, found.settled, lists)
    return list(found.settled)


def check(bench: Bench, delivery: Delivery, items: Sequence[Progress], lists: Sequence[str]) -> None:
    """Hold what is believed against what the account holds."""
    members = {list_id: bench.members(list_id) for list_id in lists}
    names = bench.first_names()
    for item in items:
        receipt, address = delivery.receipt(item), delivery.address(item)
        if item.operation.fields and not item.reason:
            assert all(address in members[list_id] for list_id in receipt.added)
            assert not any(address in members[list_id] for list_id in receipt.removed)
            assert receipt.content is None or names.get(address) is not None


def operation(
    bench: Bench,
    number: int,
    *,
    name: str = "Ann",
    add: Sequence[int] = (),
    remove: Sequence[int] = (),
    upsert: bool = True,
    known: str | None = None,
    address: str | None = None,
) -> Operation:
    """Return what shall become of one person."""
    return Operation(
        person=number,
        customer=f"c{number}",
        segment=0,
        contact_id=known,
        content=number,
        upsert=upsert,
        add=tuple(add),
        remove=tuple(remove),
        fields=bench.contact(address or email(number), name),
    )


def leaver(number: int, contact_id: str | None, remove: Sequence[int]) -> Operation:
    """Return the operation of somebody who left every list."""
    return Operation(number, None, None, contact_id, None, False, (), tuple(remove), None)


def table(operations: Sequence[Operation]) -> pl.DataFrame:
    """Return operations as a plan has them before they are chunks."""
    rows = [
        (
            item.person,
            item.segment,
            item.person,
            item.contact_id,
            item.upsert,
            sum(1 << n for n in item.add),
            sum(1 << n for n in item.remove),
        )
        for item in operations
    ]
    schema = {
        "person": pl.Int128,
        "segment": pl.UInt8,
        "row": pl.UInt32,
        "contact_id": pl.String,
        "upsert": pl.Boolean,
        "add": pl.UInt64,
        "remove": pl.UInt64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")
