"""An answer that gives two contacts one id: the contact itself tells whose it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.delivery.errors import NoAnswer
from shared.destinations.autopilot.list_methods import BULK, MEMBERSHIP
from shared.reasons.rows import RowReason
from tests.delivery.accounts import MemoryAccount
from tests.delivery.deliveries import LISTS, deliver, operation


class Confused(MemoryAccount):
    """An account whose bulk calls do not take everybody, and answer the id of another one for them."""

    mistaken: Mapping[str, str] = {}

    def upsert(self, contacts: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        taken = [contact for contact in contacts if contact["Email"] not in self.mistaken]
        ids = super().upsert(taken)
        return ids | {who: f"person_{other}" for who, other in self.mistaken.items() if other in ids}


def account(mistaken: Mapping[str, str], **settings: Any) -> Confused:
    made = Confused(on={list_id: set() for list_id in LISTS}, **settings)
    made.mistaken = mistaken
    return made


@pytest.mark.parametrize("method", [MEMBERSHIP, BULK])
def test_who_has_the_id_of_another_one_is_not_believed(pool: ThreadPoolExecutor, method: Any) -> None:
    api = account({"p5@example.com": "p0@example.com"}, bulk_lists=method is BULK)
    found = deliver(api, pool, [operation(n) for n in range(6)], method=method)
    assert {item.operation.person: item.reason for item in found.settled if item.reason} == {
        5: RowReason.MISSING_FROM_ANSWER
    }
    assert len(found.settled) - 1 == len(api.on["list-a"]) == 5
    assert api.calls.count("find") == 1


def test_nobody_is_blamed_where_the_contact_cannot_be_read(pool: ThreadPoolExecutor) -> None:
    api = account({"p1@example.com": "p0@example.com"})
    api.fault = lambda call: NoAnswer("500") if call == "find" else None
    found = deliver(api, pool, [operation(n) for n in range(2)])
    assert not found.settled
    assert not any(item.confirmed or item.reason for item in found.unsettled)


@given(st.dictionaries(st.integers(0, 9), st.integers(0, 9), max_size=6))
def test_no_more_are_delivered_than_the_list_holds(mistaken: dict[int, int]) -> None:
    api = account({f"p{a}@example.com": f"p{b}@example.com" for a, b in mistaken.items()})
    with ThreadPoolExecutor(1) as pool:
        found = deliver(api, pool, [operation(n) for n in range(10)])
    delivered = {f"p{item.operation.person}@example.com" for item in found.settled if not item.reason}
    assert delivered == api.on["list-a"]
