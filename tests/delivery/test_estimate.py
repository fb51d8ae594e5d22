"""The calls that a preview expects are those that delivery makes, where every call is answered well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.azure.vault import GivenKey
from shared.delivery.account import Account
from shared.delivery.capabilities import ANY_LISTS, Capabilities, ListMethod, Names
from shared.delivery.chunks import decode
from shared.delivery.contacts import UNASKED, Creation
from shared.delivery.delivery import Delivery
from shared.delivery.destination import Destination, Place
from shared.delivery.estimate import expected_calls, introductions
from shared.delivery.sending import Sender
from shared.destinations.autopilot.account import AutopilotAccount
from shared.destinations.autopilot.destination import AUTOPILOT
from shared.destinations.autopilot.list_methods import BULK, CONTACT, MEMBERSHIP
from shared.http.transport import Session
from shared.planning.plan import chunks, plan
from shared.planning.spool import Spool
from shared.planning.survey import Scope
from shared.sources.source import OWN_COLUMNS
from shared.state.digests import DigestKey
from shared.state.state import State, merge, tabulate
from tests.delivery.accounts import ManualClock, MemoryAccount, MemorySlots
from tests.destinations.memory.destination import MemoryDestination, MemoryNotes, Store
from tests.destinations.memory.fields import MemoryFields
from tests.planning.tables import RECIPE, Table
from tests.sources.batches import batch

KEY = DigestKey(b"k" * 32)
LISTS = ("list-a", "list-b", "list-c")

type Members = Sequence[tuple[int, int]]
"""A segment's rows: a person, and a version of their name."""


class OneBatch(Table):
    """A segment in memory, given in one batch."""

    def read(self, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        rows = pl.DataFrame(
            {
                "CustomerId": [f"customer-{person}" for person, _ in self.people],
                "Email": [f"p{person}@example.com" for person, _ in self.people],
                "Name": [f"Name {version}" for _, version in self.people],
            },
            schema=dict.fromkeys(self.columns, pl.String),
        )
        yield batch(rows).select(*OWN_COLUMNS, *columns)


def run(
    segments: Sequence[Members],
    state: State,
    opened: tuple[Destination, Account],
    method: ListMethod,
    creation: Creation = UNASKED,
) -> tuple[int, int, State]:
    """Plan and deliver a run; return the calls expected and made, and the state that it leaves."""
    tables = [OneBatch(f"Segment {place}", list(rows), []) for place, rows in enumerate(segments)]
    clock = ManualClock()
    destination, api = opened
    made = 0
    with Spool() as spool, ThreadPoolExecutor(4) as pool:
        found = plan(tables, RECIPE, KEY, state, LISTS, Scope(remove_leavers=True), spool)
        operations, can = found.difference.operations, destination.capabilities
        expected = expected_calls(operations, can, method)
        if creation.new_people == "not_subscribed":
            expected += introductions(operations, can, method)
        for chunk in chunks(found):
            sender = Sender(MemorySlots(clock, rate=100_000), clock, pool, clock.now() + 10_000)
            delivery = Delivery(destination, api, sender, LISTS, method, creation)
            delivered = delivery.deliver(decode(chunk))
            assert not delivered.unsettled
            made += sender.tally.requests
            state = merge(state, tabulate([delivery.receipt(item) for item in delivered.settled], LISTS), LISTS)
    return expected, made, state


def account(method: ListMethod) -> tuple[Destination, Account]:
    made = MemoryAccount(bulk_lists=method is BULK, contact_lists=method is CONTACT)
    made.on = {list_id: set() for list_id in LISTS}
    return AUTOPILOT, AutopilotAccount(made)


@pytest.mark.parametrize(("method", "calls"), [(BULK, 2), (CONTACT, 2), (MEMBERSHIP, 3)])
def test_a_contact_on_two_lists_is_counted_for_both(method: ListMethod, calls: int) -> None:
    expected, made, _ = run([[(1, 1)], [(1, 1)], []], State.empty(), account(method), method)
    assert (expected, made) == (calls, calls)


@pytest.mark.parametrize("method", AUTOPILOT.methods)
def test_a_bulk_call_is_full_only_as_far_as_its_chunk(method: ListMethod) -> None:
    everybody = [(person, 1) for person in range(1, 1206)]
    expected, made, state = run([everybody, everybody[:730], []], State.empty(), account(method), method)
    assert expected == made
    expected, made, _ = run([everybody, everybody[:730], []], state, account(method), method)
    assert (expected, made) == (0, 0)


METHODS_IN_MEMORY = (
    ListMethod("tags", contacts=100, lists=ANY_LISTS, removals=True),
    ListMethod("small", contacts=10, lists=ANY_LISTS, removals=True),
    ListMethod("add", contacts=100, lists=ANY_LISTS),
    ListMethod("two", contacts=100, lists=2),
    ListMethod("one", contacts=40, lists=1, removals=True),
    ListMethod("none", contacts=0, lists=0),
)
MOVES = ((1, 1), (1, 30), (ANY_LISTS, 25), (ANY_LISTS, 100))
"""Lists of a move, and moves of a call."""


people = st.lists(st.tuples(st.integers(1, 400), st.integers(1, 2)), max_size=260, unique_by=lambda row: row[0])
segments = st.tuples(people, people, people)


@settings(max_examples=25)
@given(st.sampled_from(AUTOPILOT.methods), segments, segments, segments)
def test_the_estimate_is_what_is_called(
    method: ListMethod, first: Sequence[Members], second: Sequence[Members], third: Sequence[Members]
) -> None:
    """Joiners, changed ones, leavers of some lists or of all, and who comes back: on an account with a history."""
    opened, state = account(method), State.empty()
    for refresh in (first, second, third):
        expected, made, state = run(refresh, state, opened, method)
        assert expected == made


def test_a_contact_that_is_moved_by_several_calls_is_read_back_once() -> None:
    everybody = [(person, 1) for person in range(1, 12)]
    opened = in_memory(METHODS_IN_MEMORY[-1], (1, 1), Names.NOBODY)
    sends, moves, looks = 1, 33, 2  # the contacts are looked at once they are sent, and once they are moved
    expected, made, _ = run([everybody] * 3, State.empty(), opened, METHODS_IN_MEMORY[-1])
    assert expected == made == sends + moves + looks


def in_memory(method: ListMethod, moves: tuple[int, int], answers: Names) -> tuple[Destination, Account]:
    can = Capabilities(contacts=100, moves=moves[1], move_lists=moves[0], looks=30, page=100, answers=answers)
    store = Store(address="Email", lists={list_id: set() for list_id in LISTS})
    destination = MemoryDestination(store, can, (method,), fields=MemoryFields("Email"), asks_new_people=True)
    return destination, destination.open(Place(), GivenKey(store.key), Session(), MemoryNotes())


@settings(max_examples=40)
@given(
    st.sampled_from(METHODS_IN_MEMORY),
    st.sampled_from(MOVES),
    st.sampled_from(Names),
    st.sampled_from([UNASKED, Creation("not_subscribed")]),
    segments,
    segments,
)
def test_the_estimate_holds_for_any_numbers(
    method: ListMethod,
    moves: tuple[int, int],
    answers: Names,
    creation: Creation,
    first: Sequence[Members],
    second: Sequence[Members],
) -> None:
    """Lists on and off by the call that sends, or by moves of one list or of many, read back or not, in one step or two."""
    opened, state = in_memory(method, moves, answers), State.empty()
    for refresh in (first, second):
        expected, made, state = run(refresh, state, opened, method, creation)
        assert expected == made
