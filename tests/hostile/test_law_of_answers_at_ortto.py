"""The law of answers at Ortto, through real sockets: whatever is answered, the books say no more than the account holds.

The same liar as Autopilot's test has; what is true comes from the Ortto sandbox's account and API.
"""

from __future__ import annotations

import copy
import itertools
import json
import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from threading import Lock
from typing import Any

import pytest
import requests

from local.ortto.account import Account, Person
from local.ortto.api import Api
from local.ortto.knobs import Knobs
from local.sandbox.knobs import Dice
from shared.azure.vault import GivenKey
from shared.delivery.chunks import Operation
from shared.delivery.delivery import Delivery
from shared.delivery.errors import DestinationError, NoAnswer
from shared.delivery.progress import Progress, remainder
from shared.delivery.sending import Sender
from shared.destinations.ortto.account import OrttoAccount
from shared.destinations.ortto.client import Ortto
from shared.destinations.ortto.destination import ORTTO
from shared.destinations.ortto.limits import BAN_SECONDS, TAGS, BadCalls
from shared.http import transport
from shared.http.transport import session
from shared.reasons.rows import RowReason
from shared.state.state import Receipt, State, merge, tabulate
from tests.delivery.accounts import ManualClock, MemorySlots
from tests.destinations.memory.destination import MemoryNotes
from tests.hostile.destination import Destination, any_bytes

LISTS = ("One", "Two")
ROUNDS = 100
TOLD = 550
"""Sequences that are told at least."""

OLD = 1000
"""Above this a content stands for the values of before."""

TELLING = {"people", "contacts", "details", "namespaces", "archived_contacts", "deleted_contacts", "code"}


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


class Holding:
    """What the account holds: a request is carried out on a copy, which takes its place if it is done."""

    def __init__(self, dice: random.Random) -> None:
        self.account = Account()
        for title in LISTS:
            self.account.tag_named(title)
        for number in range(8):
            person = self.account.create({"str::email": email(number), "str::first": "Old"}, "there")
            for title in LISTS:
                if dice.random() < 0.5:
                    self.account.tag(person, self.account.tag_named(title))

    def find(self, number: int) -> Person | None:
        return next(iter(self.account.find(email(number))), None)

    def lists_of(self, person: Person) -> set[str]:
        return {self.account.tags[tag].name for tag in person.tags}

    def carry_out(self, method: str, path: str, body: Any) -> tuple[Callable[[], None], int, Any]:
        unchanging = {id(item): item for item in self.account.fields.values()}
        after = copy.deepcopy(self.account, unchanging)
        call = f"{method} {path.removeprefix('/v1')}"
        reply = Api(after, Dice(1)).carry_out(call, Knobs(ban=None), json.dumps(body).encode())

        def do() -> None:
            self.account = after

        return do, reply.status, reply.body

    def is_of_the_api(self, content: Any) -> bool:
        """Whether it is an answer of the API: an object that tells something, or tags, or audiences."""
        if isinstance(content, dict):
            return bool(TELLING & set(content))
        return isinstance(content, list) and bool(content) and isinstance(content[0], dict)


def email(number: int) -> str:
    return f"p{number}@example.com"


@contextmanager
def opened(destination: Destination, http: requests.Session) -> Iterator[OrttoAccount]:
    """Open the account; time flies, so that bad calls are never held back."""
    moments = itertools.count(0, BAN_SECONDS)
    with destination:
        api = Ortto(destination.url, GivenKey("key"), http, BadCalls(lambda: next(moments)))
        yield OrttoAccount(api, MemoryNotes(), Lock())


def make_sender(pool: ThreadPoolExecutor) -> Sender:
    clock = ManualClock()
    return Sender(MemorySlots(clock), clock, pool, clock.now() + 10_000)


def operations(dice: random.Random, held: Holding) -> list[Operation]:
    """Return what shall become of 16 people: half of them are known."""
    made = []
    for number in range(16):
        person = held.find(number)
        places = [place for place in range(2) if dice.random() < 0.7]
        leaves = [place for place in range(2) if place not in places and person]
        made.append(
            Operation(
                person=number,
                customer=f"c{number}",
                segment=0,
                contact_id=person.id if person else None,
                content=number,
                upsert=person is None or dice.random() < 0.5,
                add=tuple(places),
                remove=tuple(leaves),
                fields={"str::email": email(number), "str::first": "New"},
            )
        )
    return made


def check(held: Holding, delivery: Delivery, item: Progress) -> None:
    """Hold what is believed of one operation against what the account holds."""
    receipt, person = delivery.receipt(item), held.find(item.operation.person)
    assert receipt.contact_id is None or (person and receipt.contact_id == person.id)
    assert item.reason in {None, RowReason.NO_ANSWER}, "nobody was refused"
    lists = held.lists_of(person) if person else set()
    assert receipt.content is None or (person and person.fields["str::first"] == "New")
    assert lists.issuperset(receipt.added)
    assert lists.isdisjoint(receipt.removed)


def test_whatever_is_answered_the_books_say_no_more_than_the_account_holds(
    pool: ThreadPoolExecutor, http: requests.Session
) -> None:
    told = 0
    for seed in range(ROUNDS):
        dice = random.Random(seed)
        held = Holding(dice)
        destination = Destination(held, any_bytes, seed=seed)
        with opened(destination, http) as api:
            planned = operations(dice, held)
            wanted: Sequence[Operation] = planned
            for _ in range(4):
                delivery = Delivery(ORTTO, api, make_sender(pool), LISTS, TAGS)
                delivered = delivery.deliver(wanted)
                for item in (*delivered.settled, *delivered.unsettled):
                    check(held, delivery, item)
                wanted, _ = remainder(delivered.unsettled, counted=False)
            destination.lying = 0.0
            delivery = Delivery(ORTTO, api, make_sender(pool), LISTS, TAGS)
            calm = delivery.deliver(wanted)
            assert not calm.unsettled
            for item in calm.settled:
                check(held, delivery, item)
        told += len(destination.said)
        for operation in planned:
            person = held.find(operation.person)
            on = held.lists_of(person) if person else set()
            assert on == {LISTS[place] for place in operation.add}
    assert told >= TOLD


def check_state(held: Holding, state: State) -> None:
    """Hold the state that is left against what the account holds: it denies nothing, and claims no more."""
    people = {row["person"]: row for row in state.on_lists(LISTS).iter_rows(named=True)}
    for number in range(16):
        person, row = held.find(number), people.get(number)
        lists, attempted = (row["lists"], row["attempted"]) if row else (0, 0)
        tags = held.lists_of(person) if person else set()
        on = sum(1 << index for index, title in enumerate(LISTS) if title in tags)
        assert not on & ~(lists | attempted), "somebody has a tag, and the state does not know"
        assert not lists & ~on, "somebody has no tag, and the state says so"
        if row and row["content"] is not None:
            assert person
            assert person.fields["str::first"] == ("Old" if row["content"] >= OLD else "New")


def test_whatever_is_answered_the_state_denies_nothing_that_the_account_holds(
    pool: ThreadPoolExecutor, http: requests.Session
) -> None:
    """A state that is silent of it would never mend it: the next run has nothing to do."""
    for seed in range(40):
        dice = random.Random(seed)
        held = Holding(dice)
        there = [(number, person) for number in range(8) if (person := held.find(number))]
        known = [Receipt(n, person.id, OLD + n, added=tuple(sorted(held.lists_of(person)))) for n, person in there]
        before = merge(State.empty(), tabulate(known, LISTS), LISTS)
        with opened(Destination(held, any_bytes, seed=seed), http) as api:
            wanted = [it if it.upsert else of_old_values(it) for it in operations(dice, held)]
            receipts: list[Receipt] = []
            for _ in range(3):
                delivery = Delivery(ORTTO, api, make_sender(pool), LISTS, TAGS)
                delivered = delivery.deliver(wanted)
                receipts += [delivery.receipt(item) for item in (*delivered.settled, *delivered.unsettled)]
                check_state(held, merge(before, tabulate(receipts, LISTS), LISTS))
                wanted, _ = remainder(delivered.unsettled, counted=False)


def of_old_values(operation: Operation) -> Operation:
    """Return the operation of somebody whose values did not change."""
    fields = {**(operation.fields or {}), "str::first": "Old"}
    return replace(operation, content=OLD + operation.person, fields=fields)


def test_whatever_is_answered_what_is_read_is_what_is_there(pool: ThreadPoolExecutor, http: requests.Session) -> None:
    held = Holding(random.Random(0))
    there = held.find(3)
    assert there
    tagged = {person.email for person in held.account.people.values() if "One" in held.lists_of(person)}
    lied = 0
    with opened(Destination(held, any_bytes, seed=2, lying=0.9), http) as api:
        for _ in range(400):
            lied += 1
            with suppress(DestinationError):
                (seen,) = api.look([there.id])
                assert seen
                assert seen.address == email(3)
                assert set(seen.lists) == held.lists_of(there)
            with suppress(DestinationError):
                # `[]` is what an account without tags answers; where none of ours is noted, nothing tells it from a lie.
                assert set(api.lists()) in ({"One", "Two", "My team"}, set())
            with suppress(DestinationError):
                assert api.identity().name == "sandbox-instance"
            with suppress(DestinationError):
                page = api.members("One", [], api.members("One", []).bookmark)
                assert page.bookmark or {item.address for item in page.contacts} == tagged
                lied -= 1
    assert lied > 100


def test_whatever_is_answered_nobody_is_erased_who_is_there(pool: ThreadPoolExecutor, http: requests.Session) -> None:
    for seed in range(60):
        held = Holding(random.Random(seed))
        with opened(Destination(held, any_bytes, seed=seed), http) as api:
            sender = make_sender(pool)
            with suppress(DestinationError):
                api.erase(email(3), sender)
            with suppress(DestinationError):
                gone = api.is_erased(email(3), sender)
                archived = [person.email for person in held.account.archive.values()]
                assert gone is (held.find(3) is None and email(3) not in archived)
        assert {person.email for person in held.account.people.values()} >= {email(n) for n in range(8) if n != 3}


def test_an_account_that_has_tags_of_ours_is_never_believed_to_have_none(http: requests.Session) -> None:
    held = Holding(random.Random(0))
    destination = Destination(held, lambda _, __: b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", lying=0.0)
    with opened(destination, http) as api:
        api.create_list("One")
        person = held.find(1)
        assert person
        api.look([person.id])
        api._tags.names(["One"])
        destination.lying = 1.0
        with pytest.raises(NoAnswer):
            api.lists()
