"""The key of an opened account: another account's is never used, and one that nobody knows is asked about first."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shared.composition.account_key import AccountKey
from shared.delivery.errors import AnotherAccount, NoAnswer


class Replaced:
    """A key in a vault, which somebody replaces."""

    def __init__(self) -> None:
        self.value = "key-1"

    def current(self) -> str:
        return self.value

    def renewed(self, refused: str) -> str | None:
        return self.value if self.value != refused else None


def opened(key: Replaced, accounts: dict[str, str], asked: list[str]) -> AccountKey:
    def account_of(value: str) -> str:
        asked.append(value)
        if value not in accounts:
            raise NoAnswer("GET /account was answered 502")
        return accounts[value]

    return AccountKey(key, "one", account_of)


USES: list[Callable[[AccountKey], str | None]] = [AccountKey.current, lambda key: key.renewed("key-0")]


@pytest.mark.parametrize("use", USES, ids=["current", "renewed"])
def test_a_key_of_another_account_is_not_used(use: Callable[[AccountKey], str | None]) -> None:
    vault, asked = Replaced(), list[str]()
    key = opened(vault, {"key-1": "one", "key-2": "two", "key-3": "one"}, asked)
    assert use(key) == "key-1"
    vault.value = "key-2"
    for _ in range(2):
        with pytest.raises(AnotherAccount):
            use(key)
    vault.value = "key-3"
    assert [use(key), use(key)] == ["key-3", "key-3"]
    assert asked.count("key-3") == asked.count("key-1") == 1


@pytest.mark.parametrize("use", USES, ids=["current", "renewed"])
def test_a_key_of_which_nobody_says_whose_it_is_is_not_used(use: Callable[[AccountKey], str | None]) -> None:
    vault, accounts = Replaced(), {"key-1": "one"}
    key = opened(vault, accounts, [])
    vault.value = "key-2"
    with pytest.raises(NoAnswer):
        use(key)
    accounts["key-2"] = "one"
    assert use(key) == "key-2"


def test_a_key_that_is_refused_and_the_newest_one_has_no_other() -> None:
    assert opened(Replaced(), {"key-1": "one"}, []).renewed("key-1") is None
