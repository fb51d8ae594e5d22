"""What is known of keys: an answer that says less than before is no answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.accounts.identities import Identities
from shared.azure.tables import Change
from shared.delivery.errors import NoAnswer


class MemoryTable:
    """A table in memory, as far as identities need one."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Any] = {}

    def get(self, partition: str, key: str, _: object) -> tuple[Any, str] | None:
        found = self.rows.get((partition, key))
        return (found, "etag") if found is not None else None

    def between(self, partition: str, start: str, end: str, _: object) -> Iterator[tuple[str, Any]]:
        for (where, key), record in sorted(self.rows.items()):
            if where == partition and start <= key < end:
                yield key, record

    def put(self, partition: str, key: str, record: Any) -> None:
        self.rows[partition, key] = record

    def try_write(self, partition: str, changes: list[Change]) -> bool:
        if any((partition, change.key) in self.rows for change in changes):
            return False
        self.rows.update({(partition, change.key): change.record for change in changes})
        return True


@pytest.fixture
def table() -> MemoryTable:
    return MemoryTable()


@pytest.fixture
def identities(table: MemoryTable) -> Identities:
    return Identities(table)  # type: ignore[arg-type]


def test_an_answer_without_the_id_that_was_told_before_changes_nothing(identities: Identities) -> None:
    account = identities.recognise("digest-1", "id-1", None)
    with pytest.raises(NoAnswer):
        identities.recognise("digest-1", None, account)
    with pytest.raises(NoAnswer):
        identities.recognise("digest-2", None, account)  # another key of a connection whose account tells one
    assert identities.account_of_key("digest-1") == account
    assert identities.account_of_key("digest-2") is None


def test_an_account_that_tells_its_id_later_keeps_its_name_for_all_its_keys(identities: Identities) -> None:
    account = identities.recognise("digest-1", None, None)
    assert identities.recognise("digest-1", "id-1", account) == account
    assert identities.recognise("digest-2", "id-1", None) == account
    assert identities.recognise("digest-3", "id-3", None) != account


def test_two_names_that_one_account_got_stay_two(identities: Identities) -> None:
    """One key was seen without an id, another with one: what is kept under either name is not moved."""
    first, second = identities.recognise("digest-1", None, None), identities.recognise("digest-2", "id-1", None)
    assert identities.recognise("digest-1", "id-1", None) == first != second
    assert identities.recognise("digest-2", "id-1", None) == second
    assert identities.recognise("digest-3", "id-1", None) == second


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["digest-1", "digest-2", "digest-3"]),
            st.sampled_from(["id-1", "id-2", None]),
            st.booleans(),
        ),
        max_size=12,
    )
)
def test_whatever_is_told_a_key_opens_what_it_opened_unless_it_says_otherwise(
    told: list[tuple[str, str | None, bool]],
) -> None:
    table, known = MemoryTable(), dict[str, str]()
    identities = Identities(table)  # type: ignore[arg-type]
    for digest, account_id, another_instance in told:
        identities = Identities(table) if another_instance else identities  # type: ignore[arg-type]
        before = known.get(digest)
        with suppress(NoAnswer):
            account = known[digest] = identities.recognise(digest, account_id, before)
            assert before in {None, account} or (account_id and before and before.startswith("instance_"))
        assert Identities(table).account_of_key(digest) == known.get(digest)  # type: ignore[arg-type]
