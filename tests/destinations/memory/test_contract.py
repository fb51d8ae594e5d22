"""The contract, held by a destination in memory: in the shape of Ortto's API, and in others that a new one may have."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import requests

from shared.azure.vault import GivenKey
from shared.delivery.account import Account
from shared.delivery.capabilities import ANY_LISTS, ListMethod, Names
from shared.delivery.destination import Place
from shared.delivery.errors import DestinationError, NoAnswer, Throttled
from tests.destinations.bench import Bench
from tests.destinations.contract import DestinationContract
from tests.destinations.memory.destination import (
    CAPABILITIES,
    TAGS,
    MemoryDestination,
    MemoryNotes,
    Store,
    composed,
    naming_each,
)


class MemoryBench(Bench):
    """A destination in memory, and its store to look into."""

    def __init__(self, destination: MemoryDestination) -> None:
        self.destination = destination
        self.store = destination.store
        self._dice = random.Random(1)

    def account(self, key: str | None = None) -> Account:
        return self.destination.open(Place(), GivenKey(key or self.store.key), requests.Session(), MemoryNotes())

    def contact(self, address: str, first_name: str) -> Mapping[str, Any]:
        return composed(address, name=first_name)

    def first_names(self) -> Mapping[str, str | None]:
        return {person["mail"]: str(person["name"]) for person in self.store.people.values()}

    def members(self, list_id: str) -> set[str]:
        return {self.store.people[person]["mail"] for person in self.store.lists.get(list_id, set())}

    def delete_contact(self, address: str) -> None:
        self.store.delete(str(self.store.id_of(address)))

    def delete_list(self, list_id: str) -> None:
        del self.store.lists[list_id], self.store.titles[list_id]

    def refused(self, number: int) -> str:
        address = f"refused{number}@example.com"
        self.store.refused.add(address)
        return address

    @contextmanager
    def leaving_out(self) -> Iterator[None]:
        self.store.dropped = {f"p{number}@example.com" for number in range(0, 150, 40)}
        yield
        self.store.dropped = set()

    @contextmanager
    def losing_answers(self) -> Iterator[None]:
        self.store.after = self._sometimes(lambda: NoAnswer("lost"))
        yield
        self.store.after = lambda: None

    @contextmanager
    def throttling(self) -> Iterator[None]:
        left = iter(range(2))
        self.store.before = lambda: Throttled("too fast", 1.0) if next(left, None) is not None else None
        yield
        self.store.before = lambda: None

    def _sometimes(self, error: Callable[[], DestinationError]) -> Callable[[], DestinationError | None]:
        return lambda: error() if self._dice.random() < 0.5 else None


class TestInTheShapeOfOrtto(DestinationContract):
    """100 contacts a call with lists on and off; answers name nobody; refusals name each; one method."""

    @pytest.fixture
    def bench(self) -> Bench:
        return MemoryBench(MemoryDestination(Store()))

    @pytest.fixture
    def method(self) -> ListMethod:
        return TAGS


class TestWithAnswersInAnotherOrder(TestInTheShapeOfOrtto):
    """As before, but an answer keeps no order."""

    @pytest.fixture
    def bench(self) -> Bench:
        return MemoryBench(MemoryDestination(Store(shuffled=True), replace(CAPABILITIES, refusals=Names.NOBODY)))


SMALL = ListMethod("small", contacts=10, lists=ANY_LISTS, removals=False)
TWO = ListMethod("two", contacts=100, lists=2)
NONE = ListMethod("none", contacts=0, lists=0)


class TestOfOtherNumbers(DestinationContract):
    """Lists by smaller calls, by two a call, or not at all; moves of one list, or of any, 7 or 25 a call."""

    @pytest.fixture(params=[(1, 7), (ANY_LISTS, 25)], ids=["one list a move", "any lists a move"])
    def bench(self, request: pytest.FixtureRequest) -> Bench:
        lists, moves = request.param
        can = replace(CAPABILITIES, move_lists=lists, moves=moves)
        return MemoryBench(naming_each(MemoryDestination(Store(), can)))

    @pytest.fixture(params=[SMALL, TWO, NONE], ids=lambda method: method.name)
    def method(self, request: pytest.FixtureRequest) -> ListMethod:
        found: ListMethod = request.param
        return found
