"""Reading a list back: an end is believed only once as many contacts came as the list has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.delivery.contacts import Page, Seen
from shared.delivery.errors import NoAnswer
from shared.destinations.autopilot.fields import FIELDS
from shared.lifecycle.read_lists import _Reader
from shared.state.digests import DigestKey
from shared.verification.reading import ListReading, decode_reading, encode_reading
from tests.delivery.deliveries import make_sender

KEY = DigestKey.new()
SIZE = 10
Lie = Callable[[int, Page], Page]
"""What is answered in place of a page: the number of the call, from 0, and the true page."""


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


class Lists:
    """An account with one list."""

    def __init__(self, members: Sequence[int], lie: Lie = lambda _, page: page) -> None:
        self.members_now = list(members)
        self.asked = 0
        self._lie = lie

    def members(self, _: str, __: Sequence[str], bookmark: str | None = None) -> Page:
        """Return who comes after the bookmark."""
        ahead = sorted(number for number in self.members_now if number > int(bookmark or -1))
        part = ahead[:SIZE]
        more = str(part[-1]) if len(ahead) > SIZE else None
        contacts = tuple(Seen(f"person_{number}", f"p{number}@example.com") for number in part)
        self.asked += 1
        return self._lie(self.asked - 1, Page(contacts, more, len(self.members_now)))


def read(pool: ThreadPoolExecutor, lists: Lists, most: int = 20) -> pl.DataFrame:
    """Read a list, chunk after chunk as the worker does; raise NoAnswer if it comes to no end."""
    account: Any = SimpleNamespace(
        api=lists, destination=SimpleNamespace(capabilities=SimpleNamespace(page=SIZE)), id="a"
    )
    work: ListReading | None = ListReading("l-1", (), list_index=0)
    tables = []
    for _ in range(most):
        if work is None:
            break
        reader = _Reader(account, FIELDS, make_sender(pool), KEY, decode_reading(encode_reading(work)))
        work = reader.read()
        tables.append(reader.observed())
    if work is not None:
        raise NoAnswer("no end")
    return pl.concat(tables).unique("contact_id")


def cut(page: Page) -> Page:
    return replace(page, bookmark=None)


def test_a_page_that_lost_its_bookmark_is_asked_for_again(pool: ThreadPoolExecutor) -> None:
    lists = Lists(range(25), lambda number, page: cut(page) if number == 0 else page)
    assert read(pool, lists).height == 25
    assert lists.asked == 4


def test_a_list_that_always_ends_early_is_never_believed(pool: ThreadPoolExecutor) -> None:
    lists = Lists(range(25), lambda _, page: cut(page))
    with pytest.raises(NoAnswer):
        read(pool, lists)
    assert lists.asked < 20


def test_who_leaves_and_who_joins_while_a_list_is_read_does_not_keep_it_from_its_end(pool: ThreadPoolExecutor) -> None:
    def meanwhile(number: int, page: Page) -> Page:
        if number == 1:
            lists.members_now.remove(3)
            lists.members_now.append(-5)
        return page

    lists = Lists(range(25), meanwhile)
    lists.members_now.remove(4)
    assert read(pool, lists).height >= 24
    growing = Lists(range(25), lambda number, page: growing.members_now.append(-number - 1) or page)  # type: ignore[func-returns-value]
    assert read(pool, growing).height >= 25
    assert growing.asked == 3


def test_members_without_an_end_that_fits_are_found_by_reading_all_again(pool: ThreadPoolExecutor) -> None:
    """One who was there in the first reading is missing for good: only the second one adds up."""
    lists = Lists(range(25), lambda number, page: replace(page, total=26) if number < 4 else page)
    assert read(pool, lists).height == 25
    assert lists.asked == 3 + 1 + 3


@given(st.integers(0, 60), st.sets(st.integers(0, 30)))
def test_whatever_pages_lose_their_bookmark_nobody_is_missing_from_what_is_believed(count: int, lies: set[int]) -> None:
    lists = Lists(range(count), lambda number, page: cut(page) if number in lies else page)
    with ThreadPoolExecutor(1) as pool:
        try:
            found = read(pool, lists, most=60)
        except NoAnswer:
            return
    assert found.height == count


def test_a_page_that_comes_twice_does_not_stand_in_for_the_one_that_never_came(pool: ThreadPoolExecutor) -> None:
    """The sum is right: only who came tells that somebody did not."""
    first = Lists(range(SIZE)).members("l-1", ())
    lists = Lists(range(25), lambda number, page: replace(page, contacts=first.contacts) if number == 1 else page)
    with pytest.raises(NoAnswer):
        read(pool, lists)
    assert read(pool, lists).height == 25
    always = Lists(range(25), lambda _, page: replace(page, contacts=first.contacts[: len(page.contacts)]))
    with pytest.raises(NoAnswer):
        read(pool, always)
    assert always.asked < 20


@given(st.integers(0, 60), st.dictionaries(st.integers(0, 30), st.integers(0, 50)))
def test_whatever_pages_come_in_place_of_others_nobody_is_missing_from_what_is_believed(
    count: int, stale: dict[int, int]
) -> None:
    def other(number: int, page: Page) -> Page:
        if number not in stale:
            return page
        return replace(page, contacts=Lists(range(count)).members("l-1", (), str(stale[number] - 1)).contacts)

    with ThreadPoolExecutor(1) as pool:
        try:
            found = read(pool, Lists(range(count), other), most=60)
        except NoAnswer:
            return
    assert found.height == count
