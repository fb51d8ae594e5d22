"""The directory of an account's lists: what is left out of an answer is not gone, and nothing is created twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.accounts.lists import ensure_lists, known_lists, list_of
from shared.delivery.account import Caller
from shared.delivery.errors import DestinationError, NoAnswer, OtherList
from shared.delivery.sending import Sender
from tests.accounts.memory import MemoryAccounts
from tests.delivery.accounts import ManualClock, MemorySlots


class Directory:
    """An account's lists by id; `spells` is how it writes the titles of those that it makes, `tells` what it lists."""

    def __init__(self, **titles: str) -> None:
        self.titles = titles
        self.created = 0
        self.spells: Callable[[str], str] = str
        self.tells: Callable[[dict[str, str]], dict[str, str]] = dict
        self.says_which = True
        self.makes = True

    def lists(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for list_id, title in self.tells(self.titles).items():
            found.setdefault(title, []).append(list_id)
        return found

    def create_list(self, title: str) -> str:
        self.created += 1
        if not self.makes:
            raise NoAnswer("answered 502")
        list_id = f"new{self.created}"
        self.titles[list_id] = self.spells(title)
        if not self.says_which:
            raise NoAnswer("answered 502")
        if self.titles[list_id] != title:
            raise OtherList("answered with another title", list_id)
        return list_id

    def list_is_gone(self, list_id: str, caller: Caller) -> bool:
        return caller.one(lambda: list_id not in self.titles)


@pytest.fixture(scope="module")
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


@pytest.fixture
def sender(pool: ThreadPoolExecutor) -> Sender:
    clock = ManualClock()
    return Sender(MemorySlots(clock), clock, pool, clock.now() + 10_000)


def filled(**known: str) -> MemoryAccounts:
    accounts = MemoryAccounts()
    accounts.known = known
    return accounts


def ensure(accounts: MemoryAccounts, api: Directory, sender: Sender, *titles: str) -> tuple[str, ...]:
    return ensure_lists(accounts, "main", titles, api, sender)  # type: ignore[arg-type]


def known(accounts: MemoryAccounts, api: Directory, sender: Sender, *titles: str) -> tuple[str, ...]:
    return known_lists(accounts, "main", titles, api, sender)  # type: ignore[arg-type]


@pytest.mark.parametrize("left_out", [{"a", "b"}, {"a"}])
def test_an_answer_that_leaves_out_a_list_that_we_filled_is_no_answer(sender: Sender, left_out: set[str]) -> None:
    accounts, api = filled(Team="a"), Directory(a="Team", b="Others")
    api.tells = lambda titles: {list_id: title for list_id, title in titles.items() if list_id not in left_out}
    with pytest.raises(NoAnswer):
        known(accounts, api, sender, "Team")
    with pytest.raises(NoAnswer):
        ensure(accounts, api, sender, "Team", "Other team")
    assert (accounts.known, api.created) == ({"Team": "a"}, 0)


def test_no_list_is_created_upon_an_answer_that_leaves_out_one_of_another_export(sender: Sender) -> None:
    accounts, api = filled(Theirs="a"), Directory(a="Theirs", b="Ours")
    api.tells = lambda _: {}
    with pytest.raises(NoAnswer):
        ensure(accounts, api, sender, "Ours")
    assert api.created == 0


def test_a_list_that_its_own_call_says_is_gone_is_forgotten_and_made_again(sender: Sender) -> None:
    accounts, api = filled(Team="a"), Directory(b="Others")
    assert known(accounts, api, sender, "Team", "Others") == ("", "b")
    assert accounts.known == {"Others": "b"}
    assert ensure(accounts, api, sender, "Team", "Others") == ("new1", "b")


def test_a_list_that_was_renamed_is_filled_on_unless_another_bears_the_title() -> None:
    assert list_of({"Group": ["a"]}, "Team", "a") == "a"
    assert list_of({"Group": ["a"], "Team": ["b"]}, "Team", "a") == "b"
    assert list_of({"Team": ["b", "a"]}, "Team", "b") == "b"
    assert list_of({"Group": ["a"]}, "Team", None) == ""


@pytest.mark.parametrize("says_which", [True, False])
@pytest.mark.parametrize("title", ["R&D newsletter", "A < B", 'Ann\'s "friends"'])
def test_a_list_whose_title_is_written_as_html_is_found_and_made_once(
    sender: Sender, title: str, says_which: bool
) -> None:
    accounts, api = MemoryAccounts(), Directory()
    api.spells, api.says_which = escape, says_which
    for _ in range(3):
        assert ensure(accounts, api, sender, title) == ("new1",)
        assert known(accounts, api, sender, title) == ("new1",)
        accounts.known.clear()
    assert api.created == 1


@given(
    st.text(max_size=8),
    st.booleans(),
    st.lists(st.sampled_from(["all", "new ones left out", "one by hand"]), max_size=6),
)
def test_whatever_a_list_is_called_it_is_not_created_again(spelled: str, says_which: bool, told: list[str]) -> None:
    """However often the work is tried again, whatever is left out of an answer, and whatever people make meanwhile."""
    with ThreadPoolExecutor(1) as threads:
        clock = ManualClock()
        accounts, api = filled(Theirs="a"), Directory(a="Theirs")
        api.spells, api.says_which = lambda title: f"{title} {spelled}", says_which
        for how in [*told, "all", "all"]:
            if how == "one by hand":
                api.titles[f"hand{len(api.titles)}"] = "By hand"
            hides = how == "new ones left out"
            api.tells = lambda titles, hides=hides: {"a": titles["a"]} if hides else dict(titles)  # type: ignore[misc]
            with suppress(DestinationError):
                found = ensure(accounts, api, Sender(MemorySlots(clock), clock, threads, clock.now() + 10_000), "R&D")
                assert found == ("new1",)
        assert api.created <= 1 + (0 if says_which else sum(how == "new ones left out" for how in told))
        if says_which:
            assert accounts.known["R&D"] == "new1"


def test_a_creation_that_was_not_done_is_tried_again(sender: Sender) -> None:
    accounts, api = MemoryAccounts(), Directory(a="Others")
    api.makes = False
    with pytest.raises(NoAnswer):
        ensure(accounts, api, sender, "Team")
    api.makes = True
    assert ensure(accounts, api, sender, "Team") == ("new2",)
    assert list(api.titles.values()) == ["Others", "Team"]
