"""A contact that is gone and made again: nothing that was confirmed of the one before is believed of it."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl
import pytest

from export_worker.deliver_chunk import _sort
from shared.delivery.delivery import Delivery
from shared.delivery.errors import ContactGone, NoAnswer
from shared.delivery.progress import Progress
from shared.destinations.autopilot.account import AutopilotAccount
from shared.destinations.autopilot.destination import AUTOPILOT
from shared.destinations.autopilot.list_methods import BULK, MEMBERSHIP
from shared.state.state import SCHEMA, State, merge
from tests.delivery.accounts import MemoryAccount
from tests.delivery.deliveries import LISTS, deliver, make_sender, operation


@dataclass
class Reborn(MemoryAccount):
    """An account that gives who is made again another id; `before` is done before each call."""

    generation: int = 0
    before: Callable[[Reborn, str, int], None] = lambda account, call, number: None
    counts: dict[str, int] = field(default_factory=dict)

    def _call(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1
        self.before(self, name, self.counts[name])
        super()._call(name)

    def begin_anew(self) -> None:
        """Delete everybody; who is made again has another id."""
        self.generation += 1
        self.contacts.clear()
        for members in self.on.values():
            members.clear()

    def upsert(self, contacts: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        return {email: f"{self.generation}_{email}" for email in super().upsert(contacts)}

    def _of(self, list_id: str, contact: str) -> set[str]:
        generation, _, email = contact.partition("_")
        if generation != str(self.generation):
            raise ContactGone("contact")
        return super()._of(list_id, f"person_{email}")

    def add(self, list_id: str, contact: str) -> None:
        self._call("add")
        self._of(list_id, contact).add(contact.partition("_")[2])

    def remove(self, list_id: str, contact: str) -> None:
        self._call("remove")
        self._of(list_id, contact).discard(contact.partition("_")[2])


def account(before: Callable[[Reborn, str, int], None], **settings: Any) -> Reborn:
    return Reborn(before=before, on={list_id: set() for list_id in LISTS}, **settings)


def test_who_gets_another_id_between_two_rounds_begins_anew(pool: ThreadPoolExecutor) -> None:
    """Two lists by two bulk calls: the first list is the list of a contact that is gone by the second."""

    def gone_once(api: Reborn, call: str, number: int) -> None:
        if (call, number) == ("upsert", 2):
            api.begin_anew()

    api = account(gone_once, bulk_lists=True)
    (item,) = deliver(api, pool, [operation(1, add=(0, 1))], method=BULK).settled
    assert (item.recreated, item.added) == (True, {0, 1})
    assert api.on == {"list-a": {"p1@example.com"}, "list-b": {"p1@example.com"}}


def test_who_gets_another_id_each_time_does_not_go_round_for_ever(pool: ThreadPoolExecutor) -> None:
    api = account(lambda api, call, number: api.begin_anew() if call == "upsert" else None, bulk_lists=True)
    found = deliver(api, pool, [operation(1, add=(0, 1))], method=BULK)
    assert len(api.calls) < 20
    for item in (*found.settled, *found.unsettled):
        assert all("p1@example.com" in api.on[LISTS[index]] for index in item.added)


@pytest.mark.parametrize("at", [1, 2])
def test_an_addition_before_the_contact_was_gone_is_made_again(pool: ThreadPoolExecutor, at: int) -> None:
    def gone(api: Reborn, call: str, number: int) -> None:
        if (call, number) == ("add", at):
            api.begin_anew()

    api = account(gone, contacts={"p1@example.com": {}})
    known = replace(operation(1, add=(0, 1), upsert=False), contact_id="0_p1@example.com")
    (item,) = deliver(api, pool, [known]).settled
    assert (item.recreated, item.added) == (True, {0, 1})
    assert api.on == {"list-a": {"p1@example.com"}, "list-b": {"p1@example.com"}}


def test_a_removal_that_finds_the_contact_gone_leaves_nothing_confirmed(pool: ThreadPoolExecutor) -> None:
    api = account(lambda api, call, number: api.begin_anew() if call == "remove" else None)
    found = deliver(api, pool, [operation(1, add=(), remove=(1,))])
    (item,) = found.unsettled  # it was sent, and is gone: so it is sent again
    assert (item.recreated, item.confirmed, item.removed) == (True, False, {1})


def test_who_was_there_and_is_suppressed_now_was_gone() -> None:
    item = Progress(operation(1, known=True), "person_1", added={1})
    item.suppress()
    assert (item.recreated, item.contact_id, item.added) == (True, None, {0})


def test_what_stays_in_doubt_is_of_the_new_contact(pool: ThreadPoolExecutor) -> None:
    api = account(lambda api, call, number: api.begin_anew() if (call, number) == ("upsert", 1) else None)
    api.fault = lambda call: NoAnswer("500") if call == "add" else None
    sender = make_sender(pool)
    delivery = Delivery(AUTOPILOT, AutopilotAccount(api), sender, LISTS, MEMBERSHIP)
    delivered = delivery.deliver([replace(operation(1), contact_id="0_p1@example.com")])
    outcome = _sort(delivery, delivered, sender, LISTS, None)
    assert outcome.in_doubt
    receipts = pl.read_parquet(io.BytesIO(outcome.in_doubt()))
    before = State(("list-b",), pl.DataFrame([(1, "0_p1@example.com", 7, 1, 0)], schema=SCHEMA, orient="row"))
    after = merge(before, receipts, LISTS).on_lists(LISTS)
    assert after.select("contact_id", "lists", "attempted").rows() == [("1_p1@example.com", 0, 1)]
