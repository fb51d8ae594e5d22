"""The law of answers, held through real sockets: whatever is answered, the books say no more than the destination holds.

The adapter, its transport, the sender and the delivery are the real ones; the destination answers every other call with
any bytes, done or not done, on connections that are used again. Together more than 10,000 sequences are told.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest
import requests

from shared.accounts.lists import ensure_lists
from shared.azure.vault import GivenKey
from shared.delivery.capabilities import ListMethod
from shared.delivery.chunks import Operation
from shared.delivery.contacts import Contact
from shared.delivery.delivery import Delivery
from shared.delivery.errors import DestinationError
from shared.delivery.progress import Progress, remainder
from shared.delivery.sending import Sender
from shared.destinations.autopilot.account import AutopilotAccount
from shared.destinations.autopilot.client import Autopilot
from shared.destinations.autopilot.destination import AUTOPILOT
from shared.destinations.autopilot.list_methods import BULK, CONTACT, MEMBERSHIP
from shared.http import transport
from shared.http.transport import session
from shared.reasons.rows import RowReason
from tests.accounts.memory import MemoryAccounts
from tests.delivery.accounts import ManualClock, MemorySlots
from tests.hostile.destination import Destination, any_bytes, encode
from tests.hostile.holding import Holding

LISTS = ("contactlist_1", "contactlist_2")
ROUNDS = {"bulk": 250, "contact": 120, "membership": 120}
"""Chunks delivered for each way of filling lists, each in five goes."""

TOLD = {"bulk": 1500, "contact": 2500, "membership": 2500}
"""Sequences that are told at least."""


@pytest.fixture(autouse=True)
def _short_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "CALL_SECONDS", 5.0)


@pytest.fixture(scope="module")
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as threads:
        yield threads


@pytest.fixture(scope="module")
def http() -> Iterator[requests.Session]:
    with session() as made:
        yield made


@contextmanager
def opened(destination: Destination, http: requests.Session) -> Iterator[Autopilot]:
    with destination:
        yield Autopilot(destination.url, GivenKey("key"), http)


def make_sender(pool: ThreadPoolExecutor) -> Sender:
    clock = ManualClock()
    return Sender(MemorySlots(clock), clock, pool, clock.now() + 10_000)


def holding(dice: random.Random, method: ListMethod = MEMBERSHIP) -> Holding:
    """Return an account with two lists, and contacts some of which are on them."""
    made = Holding(fills_by_bulk=method is BULK, fills_by_contact=method is CONTACT)
    for title in ("One", "Two"):
        made.carry_out("POST", "/v1/list", {"name": title})[0]()
    for number in range(8):
        made.carry_out("POST", "/v1/contact", {"contact": {"Email": email(number), "FirstName": "Old"}})[0]()
        for list_id in LISTS:
            if dice.random() < 0.5:
                made.members[list_id].add(made.id_of(email(number)))
    return made


def email(number: int) -> str:
    return f"p{number}@example.com"


def operations(dice: random.Random, held: Holding) -> list[Operation]:
    """Return what shall become of 16 people: half of them are known."""
    made = []
    for number in range(16):
        known = held.id_of(email(number)) if number < 8 else None
        places = [place for place in range(2) if dice.random() < 0.7]
        leaves = [place for place in range(2) if place not in places and known]
        made.append(
            Operation(
                person=number,
                customer=f"c{number}",
                segment=0,
                contact_id=known,
                content=number,
                upsert=known is None or dice.random() < 0.5,
                add=tuple(places),
                remove=tuple(leaves),
                fields={"Email": email(number), "FirstName": "New"},
            )
        )
    return made


def check(held: Holding, delivery: Delivery, item: Progress) -> None:
    """Hold what is believed of one operation against what the destination holds."""
    receipt = delivery.receipt(item)
    contact = held.id_of(email(item.operation.person))
    assert receipt.contact_id in {None, contact}
    assert item.reason in {None, RowReason.NO_ANSWER}, "nobody was refused"
    if receipt.content is not None:
        assert held.contacts[contact]["FirstName"] == "New"
    for list_id in receipt.added:
        assert contact in held.members[list_id]
    for list_id in receipt.removed:
        assert contact not in held.members[list_id]


@pytest.mark.parametrize("method", AUTOPILOT.methods)
def test_whatever_is_answered_the_books_say_no_more_than_the_destination_holds(
    pool: ThreadPoolExecutor, http: requests.Session, method: ListMethod
) -> None:
    told = 0
    for seed in range(ROUNDS[method.name]):
        dice = random.Random(seed)
        held = holding(dice, method)
        destination = Destination(held, any_bytes, seed=seed)
        with opened(destination, http) as api:
            planned = operations(dice, held)
            wanted: Sequence[Operation] = planned
            for _ in range(4):
                delivery = Delivery(AUTOPILOT, AutopilotAccount(api), make_sender(pool), LISTS, method)
                delivered = delivery.deliver(wanted)
                for item in (*delivered.settled, *delivered.unsettled):
                    check(held, delivery, item)
                wanted, _ = remainder(delivered.unsettled, counted=False)
            destination.lying = 0.0
            delivery = Delivery(AUTOPILOT, AutopilotAccount(api), make_sender(pool), LISTS, method)
            calm = delivery.deliver(wanted)
            assert not calm.unsettled
            for item in calm.settled:
                check(held, delivery, item)
        told += len(destination.said)
        for operation in planned:
            on_lists = {
                place for place in range(2) if held.id_of(email(operation.person)) in held.members[LISTS[place]]
            }
            assert on_lists == set(operation.add)
    assert told >= TOLD[method.name]


def test_whatever_is_answered_a_list_is_made_once(pool: ThreadPoolExecutor, http: requests.Session) -> None:
    for seed in range(100):
        held, accounts = Holding(), MemoryAccounts()
        with opened(Destination(held, any_bytes, seed=seed), http) as api:
            found: tuple[str, ...] = ()
            while not found:
                with suppress(DestinationError):
                    found = ensure_lists(accounts, "main", ["One", "Two"], AutopilotAccount(api), make_sender(pool))  # type: ignore[arg-type]
        assert [held.titles[list_id] for list_id in found] == ["One", "Two"]
        assert len(held.titles) == 2


def test_whatever_is_answered_nothing_is_proved_that_is_not_so(
    pool: ThreadPoolExecutor, http: requests.Session
) -> None:
    for seed in range(100):
        dice = random.Random(seed)
        held = holding(dice)
        wanted = operations(dice, held)
        with opened(Destination(held, any_bytes, seed=seed), http) as api, suppress(DestinationError):
            contacts = [
                Contact(email(item.person), item.fields or {}, add=tuple(LISTS[n] for n in item.add)) for item in wanted
            ]
            found = AutopilotAccount(api).prove(contacts, make_sender(pool))
            assert found.method in {None, MEMBERSHIP}


def test_whatever_is_answered_nobody_is_gone_who_is_there(http: requests.Session) -> None:
    held = holding(random.Random(0))
    contact = held.id_of(email(3))
    with opened(Destination(held, any_bytes, seed=1, lying=1.0), http) as api:
        for turn in range(1500):
            there = turn % 2 == 0
            (held.members[LISTS[0]].add if there else held.members[LISTS[0]].discard)(contact)
            with suppress(DestinationError):
                assert api.find(email(3)) is not None
            with suppress(DestinationError):
                (seen,) = AutopilotAccount(api).look([contact])
                assert seen is not None
                assert (LISTS[0] in seen.lists) is there


def test_whatever_is_answered_what_is_read_is_what_is_there(http: requests.Session) -> None:
    held = holding(random.Random(0))
    held.members[LISTS[0]] = set(held.contacts)
    with opened(Destination(held, any_bytes, seed=2, lying=1.0), http) as api:
        for _ in range(500):
            with suppress(DestinationError):
                assert {item["Email"] for item in api.members(LISTS[0]).contacts} == {email(n) for n in range(8)}
            with suppress(DestinationError):
                assert api.lists() == {"One": [LISTS[0]], "Two": [LISTS[1]]}
            with suppress(DestinationError):
                assert api.identity().name == "Ann Lee"


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/account"),
        ("GET", "/v1/lists"),
        ("GET", f"/v1/list/{LISTS[0]}/contacts"),
        ("GET", "/v1/contact/p1@example.com"),
        ("POST", "/v1/contact"),
        ("POST", "/v1/contacts"),
        ("POST", f"/v1/list/{LISTS[0]}/contact/person_1"),
    ],
)
def test_an_answer_that_is_cut_off_anywhere_is_none(
    http: requests.Session, method: str, path: str, chunked: bool
) -> None:
    held = holding(random.Random(0))
    asked: dict[tuple[str, str], Callable[[Autopilot], object]] = {
        ("GET", "account"): lambda api: api.identity(),
        ("GET", "lists"): lambda api: api.lists(),
        ("GET", "list"): lambda api: api.members(LISTS[0]),
        ("GET", "contact"): lambda api: api.find(email(1)),
        ("POST", "contact"): lambda api: api.upsert_one({"Email": email(1)}),
        ("POST", "contacts"): lambda api: api.upsert([{"Email": email(1)}]),
        ("POST", "list"): lambda api: api.add(LISTS[0], held.id_of(email(1))),
    }
    ask = asked[method, path.split("/")[2]]
    body = {"contact": {"Email": email(1)}, "contacts": [{"Email": email(1)}]}
    _, status, content = held.carry_out(method, path.replace("person_1", held.id_of(email(1))), body)
    whole = encode(status, content, chunked=chunked)
    cuts = iter(range(len(whole)))
    with opened(Destination(held, lambda _, __: whole[: next(cuts)], lying=1.0), http) as api:
        for _ in whole:
            with pytest.raises(DestinationError):
                ask(api)
