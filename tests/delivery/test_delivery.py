"""Delivering a chunk to an account that refuses, drops, throttles and fails."""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.delivery.capabilities import ListMethod
from shared.delivery.chunks import Cutter, Operation, decode, encode
from shared.delivery.contacts import Contact
from shared.delivery.delivery import Delivery
from shared.delivery.errors import DestinationError, KeyRefused, ListGone, NoAnswer, Throttled
from shared.delivery.progress import MOST_TRIES, remainder
from shared.delivery.sending import Sender
from shared.destinations.autopilot.account import AutopilotAccount
from shared.destinations.autopilot.destination import AUTOPILOT
from shared.destinations.autopilot.list_methods import BULK, CONTACT, MEMBERSHIP
from shared.reasons.rows import RowReason
from tests.delivery.accounts import ManualClock, MemoryAccount, MemorySlots
from tests.delivery.deliveries import LISTS, account, deliver, make_sender, operation

METHODS = pytest.mark.parametrize("method", AUTOPILOT.methods, ids=lambda method: method.name)


def test_contacts_go_by_the_hundred_and_memberships_one_by_one(pool: ThreadPoolExecutor) -> None:
    api = account()
    delivered = deliver(api, pool, [operation(n) for n in range(250)])
    assert len(delivered.settled) == 250
    assert (api.calls.count("upsert"), api.calls.count("add")) == (3, 250)
    assert len(api.on["list-a"]) == 250


def test_an_account_that_honours_lists_needs_no_call_a_membership(pool: ThreadPoolExecutor) -> None:
    api = account(bulk_lists=True)
    deliver(api, pool, [operation(n, add=(0, 1) if n < 100 else (1,)) for n in range(200)], method=BULK)
    assert api.calls == ["upsert"] * 3
    assert (len(api.on["list-a"]), len(api.on["list-b"])) == (100, 200)


def test_who_only_moves_is_not_sent_again(pool: ThreadPoolExecutor) -> None:
    api = account(contacts={"p1@example.com": {}})
    api.on["list-b"].add("p1@example.com")
    deliver(api, pool, [operation(1, add=(0,), remove=(1,), upsert=False, known=True)])
    assert sorted(api.calls) == ["add", "remove"]
    assert api.on == {"list-a": {"p1@example.com"}, "list-b": set()}


def test_a_refused_call_is_searched_for_the_guilty_contact(pool: ThreadPoolExecutor) -> None:
    api = account(poisoned=frozenset({"p37@example.com"}))
    delivered = deliver(api, pool, [operation(n) for n in range(100)])
    refused = [item for item in delivered.settled if item.reason]
    assert [(item.operation.person, item.reason) for item in refused] == [(37, RowReason.REFUSED)]
    assert len(api.on["list-a"]) == 99
    assert api.calls.count("upsert") <= 1 + 8 + 4  # the call, the search, and who dropped out of it


def test_a_call_that_sends_and_lists_a_contact_is_the_only_one_it_takes(pool: ThreadPoolExecutor) -> None:
    api = account(contact_lists=True, poisoned=frozenset({"p37@example.com"}))
    operations = [operation(n, add=(0, 1) if n < 10 else (0,)) for n in range(50)]
    operations += [operation(n, add=()) for n in range(50, 170)]
    delivered = deliver(api, pool, operations, method=CONTACT)
    assert [(item.operation.person, str(item.reason)) for item in delivered.settled if item.reason] == [
        (37, "refused_by_autopilot")
    ]
    assert (api.calls.count("upsert_one"), api.calls.count("add"), api.calls.count("upsert")) == (50, 10, 2)
    assert (len(api.on["list-a"]), len(api.on["list-b"])) == (49, 10)


@METHODS
def test_an_account_that_refuses_everybody_is_not_asked_about_each(
    pool: ThreadPoolExecutor, method: ListMethod
) -> None:
    everybody = frozenset(f"p{n}@example.com" for n in range(500))
    api = account(bulk_lists=True, contact_lists=True, poisoned=everybody)
    delivery = Delivery(AUTOPILOT, AutopilotAccount(api), make_sender(pool), LISTS, method)
    delivered = delivery.deliver([operation(n) for n in range(500)])
    assert delivery.refuses_all
    assert len(delivered.unsettled) >= 400
    assert len(api.calls) < 150


def test_a_contact_missing_from_the_answer_failed(pool: ThreadPoolExecutor) -> None:
    api = account(dropped=frozenset({"p3@example.com"}))
    delivered = deliver(api, pool, [operation(n) for n in range(5)])
    assert [item.reason for item in delivered.settled if item.operation.person == 3] == [RowReason.MISSING_FROM_ANSWER]
    assert len(api.on["list-a"]) == 4


def test_a_contact_deleted_by_hand_is_made_anew(pool: ThreadPoolExecutor) -> None:
    api = account()
    delivered = deliver(api, pool, [operation(1, upsert=False, known=True)])
    assert api.calls == ["add", "upsert", "add"]
    assert delivered.settled[0].recreated
    assert api.on["list-a"] == {"p1@example.com"}


def test_a_leaver_whose_contact_or_list_is_gone_has_left(pool: ThreadPoolExecutor) -> None:
    api = account()
    del api.on["list-b"]
    delivered = deliver(api, pool, [operation(1, add=(), remove=(0, 1), upsert=False, known=True)])
    assert delivered.settled[0].removed == {0, 1}


def test_a_list_deleted_meanwhile_is_reported_and_its_additions_wait(pool: ThreadPoolExecutor) -> None:
    api = account()
    del api.on["list-a"]
    delivery = Delivery(AUTOPILOT, AutopilotAccount(api), make_sender(pool), LISTS, MEMBERSHIP)
    delivered = delivery.deliver([operation(1)])
    assert delivery.lists_gone == {0}
    later, given_up = remainder(delivered.unsettled)
    assert (later[0].add, later[0].upsert, given_up) == ((0,), False, [])


def test_a_list_that_is_never_found_is_given_up_at_last(pool: ThreadPoolExecutor) -> None:
    api = account()
    del api.on["list-a"]
    operations = [operation(1)]
    for _ in range(MOST_TRIES):
        delivered = Delivery(AUTOPILOT, AutopilotAccount(api), make_sender(pool), LISTS, MEMBERSHIP).deliver(operations)
        operations, given_up = remainder(delivered.unsettled)
    assert [item.reason for item in given_up] == [RowReason.NO_ANSWER]


def test_a_bulk_call_to_a_list_that_is_gone_blames_no_contact(pool: ThreadPoolExecutor) -> None:
    api = account(fault=lambda call: ListGone("list") if call == "upsert" else None)
    delivery = Delivery(AUTOPILOT, AutopilotAccount(api), make_sender(pool), LISTS, BULK)
    delivered = delivery.deliver([operation(n) for n in range(150)])
    assert delivery.lists_gone == {0}
    assert [item.reason for item in delivered.unsettled] == [None] * 150
    assert len(api.calls) < 10


def test_a_refused_key_stops_the_rest(pool: ThreadPoolExecutor) -> None:
    api = account(fault=lambda call: KeyRefused("401"))
    sender = make_sender(pool)
    delivered = Delivery(AUTOPILOT, AutopilotAccount(api), sender, LISTS, MEMBERSHIP).deliver(
        [operation(n) for n in range(5000)]
    )
    assert sender.key_refused is not None
    assert len(delivered.unsettled) == 5000
    assert len(api.calls) < 50


def test_an_operation_that_fails_while_others_go_through_is_given_up_at_last() -> None:
    api = account(fault=lambda call: None)
    stubborn = operation(1)
    for turn in range(MOST_TRIES):
        with ThreadPoolExecutor(2) as pool:
            delivery = Delivery(AUTOPILOT, AutopilotAccount(api), make_sender(pool), LISTS, MEMBERSHIP)
            item = delivery.deliver([]).settled
            assert item == ()
            api.fault = lambda call: NoAnswer("500")
            unsettled = delivery.deliver([stubborn]).unsettled
        later, given_up = remainder(unsettled)
        if turn < MOST_TRIES - 1:
            stubborn = later[0]
            assert stubborn.tries == turn + 1
        else:
            assert [progress.reason for progress in given_up] == [RowReason.NO_ANSWER]


def test_what_a_deadline_left_unsent_counts_no_try(pool: ThreadPoolExecutor) -> None:
    clock = ManualClock()
    sender = Sender(MemorySlots(clock), clock, pool, clock.now())
    delivered = Delivery(AUTOPILOT, AutopilotAccount(account()), sender, LISTS, MEMBERSHIP).deliver([operation(1)])
    later, _ = remainder(delivered.unsettled)
    assert (later[0].tries, later[0].upsert, later[0].add) == (0, True, (0,))


@pytest.mark.parametrize(
    ("bulk", "contact", "proved", "calls"),
    [(True, True, BULK, 4), (False, True, CONTACT, 6), (False, False, MEMBERSHIP, 7)],
)
def test_a_proof_reads_a_membership_back(
    pool: ThreadPoolExecutor, bulk: bool, contact: bool, proved: ListMethod, calls: int
) -> None:
    api = account(bulk_lists=bulk, contact_lists=contact)
    assert proof(api, pool, [operation(1)]) is proved
    assert len(api.calls) == calls


def proof(api: MemoryAccount, pool: ThreadPoolExecutor, operations: Sequence[Operation]) -> ListMethod | None:
    contacts = [Contact(f"p{item.person}@example.com", item.fields or {}, add=("list-a",)) for item in operations]
    return AutopilotAccount(api).prove(contacts, make_sender(pool)).method


def test_a_contact_that_is_on_the_list_already_proves_nothing(pool: ThreadPoolExecutor) -> None:
    api = account()
    api.on["list-a"] = {f"p{n}@example.com" for n in range(5)}
    assert proof(api, pool, [operation(n) for n in range(5)]) is None


def test_a_chunk_reads_back_as_it_was_written() -> None:
    operations = [
        operation(1, add=(0, 1), remove=(), tries=2),
        operation(2, add=(), remove=(1,), upsert=False, known=True),
    ]
    assert decode(encode(operations)) == tuple(operations)


@given(st.lists(st.integers(0, 30), max_size=8), st.integers(1, 7))
def test_cutting_loses_and_doubles_no_line(batches: list[int], size: int) -> None:
    import polars as pl

    numbers = iter(range(10_000))
    fed = [[f"{next(numbers)}\n" for _ in range(length)] for length in batches]
    cutter = Cutter(size)
    chunks = [chunk for batch in fed for chunk in cutter.feed(pl.Series(batch, dtype=pl.String))] + list(cutter.rest())
    assert b"".join(chunks).decode() == "".join(line for batch in fed for line in batch)
    assert all(len(chunk.splitlines()) == size for chunk in chunks[:-1])


@given(
    st.integers(0, 2**32),
    st.sampled_from(AUTOPILOT.methods),
    st.lists(st.tuples(st.sets(st.integers(0, 1)), st.booleans()), min_size=1, max_size=40),
)
def test_whatever_fails_on_the_way_in_the_end_the_lists_are_right(
    seed: int, method: ListMethod, people: list[tuple[set[int], bool]]
) -> None:
    """Any mix of throttling, lost answers and refusals, chunk continued as the worker does: everything settles, exactly."""
    chance = random.Random(seed)
    poisoned = frozenset(f"p{n}@example.com" for n, (_, bad) in enumerate(people) if bad)

    def fault(call: str) -> DestinationError | None:
        roll = chance.random()
        return Throttled("429", None) if roll < 0.1 else NoAnswer("503") if roll < 0.2 else None

    api = account(bulk_lists=method is BULK, contact_lists=True, poisoned=poisoned, fault=fault)
    operations: Sequence[Operation] = [operation(n, add=sorted(lists)) for n, (lists, _) in enumerate(people)]
    settled = {}
    with ThreadPoolExecutor(4) as pool:
        while operations:
            delivery = Delivery(AUTOPILOT, AutopilotAccount(api), make_sender(pool), LISTS, method)
            delivered = delivery.deliver(operations)
            settled.update({item.operation.person: item for item in delivered.settled})
            operations, given_up = remainder(delivered.unsettled)
            settled.update({item.operation.person: item for item in given_up})
    refused = {person for person, item in settled.items() if item.reason}
    assert refused >= {n for n, (_, bad) in enumerate(people) if bad}
    for place, list_id in enumerate(LISTS):
        wanted = {f"p{n}@example.com" for n, (lists, _) in enumerate(people) if place in lists and n not in refused}
        given_up_on = {f"p{n}@example.com" for n in refused}
        assert wanted <= api.on[list_id] <= wanted | given_up_on
