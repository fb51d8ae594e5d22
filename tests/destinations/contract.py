"""The contract of a destination: what any of them, with its sandbox, must pass. docs/destinations.md tells how to use it.

A test module for a destination derives a class from `DestinationContract`, and gives it the fixtures `bench` (its
sandbox, empty, as a `Bench`) and `method` (each of the destination's list methods in turn, which the sandbox honours).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.delivery.capabilities import ListMethod
from shared.delivery.chunks import Operation
from shared.delivery.contacts import Contact
from shared.delivery.delivery import Delivery
from shared.delivery.errors import KeyRefused, ListGone
from shared.delivery.estimate import expected_calls
from shared.delivery.progress import Progress, remainder
from shared.delivery.sending import Sender
from shared.reasons.rows import RowReason
from tests.delivery.accounts import MemorySlots
from tests.destinations.bench import Bench, email
from tests.destinations.deliveries import check, delivered, fresh, leaver, operation, table
from tests.destinations.gone import GoneContract


class DestinationContract(GoneContract):
    """Derive from it, with the fixtures `bench` and `method`."""

    @pytest.fixture
    def pool(self) -> Iterator[ThreadPoolExecutor]:
        with ThreadPoolExecutor(4) as threads:
            yield threads

    @pytest.fixture
    def sender(self, pool: ThreadPoolExecutor) -> Sender:
        return fresh(pool)

    @pytest.fixture
    def lists(self, bench: Bench) -> list[str]:
        return [bench.account().create_list(title) for title in ("One", "Two", "Three")]

    def test_who_is_sent_is_held_and_on_its_lists(
        self, bench: Bench, method: ListMethod, sender: Sender, lists: list[str]
    ) -> None:
        wanted = [operation(bench, number, add=(0, 2) if number % 3 else (1,)) for number in range(250)]
        settled = delivered(bench, method, sender, lists, wanted)
        assert [item.reason for item in settled] == [None] * 250
        assert all(item.contact_id for item in settled)
        assert bench.members(lists[0]) == bench.members(lists[2]) == {email(n) for n in range(250) if n % 3}
        assert bench.members(lists[1]) == {email(n) for n in range(250) if not n % 3}
        assert bench.first_names() == {email(n): "Ann" for n in range(250)}

    def test_what_is_repeated_changes_nothing(
        self, bench: Bench, method: ListMethod, sender: Sender, lists: list[str]
    ) -> None:
        wanted = [operation(bench, number, add=(0,)) for number in range(120)]
        first = delivered(bench, method, sender, lists, wanted)
        again = delivered(bench, method, sender, lists, wanted)
        assert [item.contact_id for item in again] == [item.contact_id for item in first]
        assert bench.members(lists[0]) == {email(n) for n in range(120)}

    def test_new_values_replace_old_ones_and_what_is_not_sent_stays(
        self, bench: Bench, method: ListMethod, sender: Sender, lists: list[str]
    ) -> None:
        (item,) = delivered(bench, method, sender, lists, [operation(bench, 1, add=(0,))])
        renamed = operation(bench, 1, name="Anna", known=item.contact_id)
        delivered(bench, method, sender, lists, [renamed])
        assert bench.first_name(email(1)) == "Anna"
        assert bench.members(lists[0]) == {email(1)}

    def test_who_moves_is_put_on_and_taken_off_without_being_sent(
        self, bench: Bench, method: ListMethod, sender: Sender, lists: list[str]
    ) -> None:
        there = delivered(bench, method, sender, lists, [operation(bench, number, add=(0, 1)) for number in range(30)])
        moved = [
            operation(bench, number, name="Unsent", add=(2,), remove=(0,), upsert=False, known=item.contact_id)
            for number, item in enumerate(there)
        ]
        settled = delivered(bench, method, sender, lists, moved)
        assert all(item.removed == {0} and item.added == {2} for item in settled)
        assert [len(bench.members(list_id)) for list_id in lists] == [0, 30, 30]

    def test_who_left_every_list_is_taken_off_and_stays_a_contact(
        self, bench: Bench, method: ListMethod, sender: Sender, lists: list[str]
    ) -> None:
        there = delivered(bench, method, sender, lists, [operation(bench, number, add=(0, 1)) for number in range(30)])
        leavers = [leaver(number, item.contact_id, (0, 1)) for number, item in enumerate(there[:20])]
        for _ in range(2):  # the second time nobody is there
            settled = delivered(bench, method, sender, lists, leavers)
            assert all(item.removed == {0, 1} for item in settled)
        assert bench.members(lists[0]) == bench.members(lists[1]) == {email(n) for n in range(20, 30)}
        assert bench.first_name(email(0)) == "Ann"

    def test_a_list_that_was_deleted_is_named_and_blames_nobody(
        self, bench: Bench, method: ListMethod, sender: Sender, lists: list[str]
    ) -> None:
        there = delivered(bench, method, sender, lists, [operation(bench, number, add=(0,)) for number in range(4)])
        bench.delete_list(lists[0])
        known = [operation(bench, n, add=(0,), upsert=False, known=there[n].contact_id) for n in range(2)]
        delivery = Delivery(bench.destination, bench.account(), sender, lists, method)
        found = delivery.deliver([*known, leaver(3, there[3].contact_id, (0,))])
        if delivery.lists_gone:  # where the account makes no list of what it does not know
            assert delivery.lists_gone == {0}
            assert [item.reason for item in found.unsettled] == [None] * 2
        assert [item.removed for item in found.settled if item.operation.person == 3] == [{0}]

    def test_who_is_refused_is_named_and_keeps_nobody_from_the_others(
        self, bench: Bench, method: ListMethod, sender: Sender, lists: list[str]
    ) -> None:
        wanted = [operation(bench, number, add=(0,)) for number in range(100)]
        for number in (37, 38):
            wanted[number] = operation(bench, number, add=(0,), address=bench.refused(number))
        settled = delivered(bench, method, sender, lists, wanted)
        assert {n: item.reason for n, item in enumerate(settled) if item.reason} == {
            37: RowReason.REFUSED,
            38: RowReason.REFUSED,
        }
        assert bench.members(lists[0]) == {email(n) for n in range(100) if n not in {37, 38}}

    def test_an_account_that_refuses_everybody_is_not_asked_about_each(
        self, bench: Bench, method: ListMethod, sender: Sender, lists: list[str]
    ) -> None:
        wanted = [operation(bench, number, add=(0,), address=bench.refused(number)) for number in range(500)]
        delivery = Delivery(bench.destination, bench.account(), sender, lists, method)
        found = delivery.deliver(wanted)
        assert delivery.refuses_all
        assert not [item for item in found.settled if item.reason]
        assert sender.tally.requests < 150

    def test_who_is_left_out_of_an_answer_is_not_believed_to_be_held(
        self, bench: Bench, method: ListMethod, sender: Sender, lists: list[str]
    ) -> None:
        wanted = [operation(bench, number) for number in range(150)]
        with bench.leaving_out():
            found = Delivery(bench.destination, bench.account(), sender, lists, method).deliver(wanted)
        held = {item.operation.person for item in (*found.settled, *found.unsettled) if item.confirmed}
        names = bench.first_names()
        assert held == {n for n in range(150) if names.get(email(n))}
        assert 0 < len(held) < 150
        assert {item.reason for item in found.settled} <= {None, RowReason.MISSING_FROM_ANSWER}

    def test_an_answer_that_is_lost_is_asked_for_again_and_nothing_is_doubled(
        self, bench: Bench, method: ListMethod, pool: ThreadPoolExecutor, lists: list[str]
    ) -> None:
        wanted: Sequence[Operation] = [operation(bench, number, add=(0, 1)) for number in range(60)]
        for _ in range(2):
            with bench.losing_answers():
                delivery = Delivery(bench.destination, bench.account(), fresh(pool), lists, method)
                found = delivery.deliver(wanted)
            check(bench, delivery, (*found.settled, *found.unsettled), lists)
            wanted, _ = remainder(found.unsettled, counted=False)
        delivered(bench, method, fresh(pool), lists, wanted)
        assert bench.members(lists[0]) == bench.members(lists[1]) == {email(n) for n in range(60)}

    def test_a_refused_key_stops_everything(
        self, bench: Bench, method: ListMethod, sender: Sender, lists: list[str]
    ) -> None:
        account = bench.account("another")
        wanted = [operation(bench, number, add=(0,)) for number in range(500)]
        found = Delivery(bench.destination, account, sender, lists, method).deliver(wanted)
        assert sender.key_refused is not None
        assert len(found.unsettled) == 500
        with pytest.raises(KeyRefused):
            account.identity()

    def test_too_fast_is_nobodys_fault_and_slows_everybody(
        self, bench: Bench, method: ListMethod, sender: Sender, lists: list[str]
    ) -> None:
        with bench.throttling():
            settled = delivered(
                bench, method, sender, lists, [operation(bench, number, add=(0,)) for number in range(60)]
            )
        assert [item.reason for item in settled] == [None] * 60
        assert sender.tally.throttled
        assert isinstance(sender.slots, MemorySlots)
        assert sender.slots.pace.speed < 1

    def test_a_list_is_read_back_page_by_page_each_member_once(
        self, bench: Bench, method: ListMethod, sender: Sender, lists: list[str]
    ) -> None:
        delivered(bench, method, sender, lists, [operation(bench, number, add=(1,)) for number in range(230)])
        account, found, bookmark = bench.account(), list[str | None](), None
        while True:
            page = account.members(lists[1], [], bookmark)
            assert page.total == 230
            assert len(page.contacts) <= bench.destination.capabilities.page
            found += [item.address for item in page.contacts]
            bookmark = page.bookmark
            if bookmark is None:
                break
        assert sorted(map(str, found)) == sorted(email(n) for n in range(230))

    def test_a_contact_that_is_read_tells_its_address_and_its_lists(
        self, bench: Bench, method: ListMethod, sender: Sender, lists: list[str]
    ) -> None:
        first, second = delivered(bench, method, sender, lists, [operation(bench, 1, add=(0, 2)), operation(bench, 2)])
        bench.delete_contact(email(2))
        account = bench.account()
        (seen,), (gone,) = account.look([str(first.contact_id)]), account.look([str(second.contact_id)])
        assert seen is not None
        assert (seen.contact_id, seen.address, seen.lists) == (
            first.contact_id,
            email(1),
            frozenset({lists[0], lists[2]}),
        )
        assert gone is None

    def test_lists_are_found_by_their_titles(self, bench: Bench, method: ListMethod, lists: list[str]) -> None:
        found = bench.account().lists()
        assert [found[title] for title in ("One", "Two", "Three")] == [[list_id] for list_id in lists]
        assert bench.account().identity().name

    def test_who_is_erased_is_gone_and_nobody_else(
        self, bench: Bench, method: ListMethod, sender: Sender, lists: list[str]
    ) -> None:
        delivered(bench, method, sender, lists, [operation(bench, number, add=(0,)) for number in range(3)])
        account = bench.account()
        assert not account.is_erased(email(1), sender)
        assert account.erase(email(1), sender)
        assert account.is_erased(email(1), sender)
        assert not account.erase(email(1), sender)
        assert bench.members(lists[0]) == {email(0), email(2)}

    def test_a_proof_shows_the_method_that_the_account_honours(
        self, bench: Bench, method: ListMethod, sender: Sender, lists: list[str]
    ) -> None:
        contacts = [Contact(email(n), bench.contact(email(n), "Ann"), add=(lists[0],)) for n in range(3)]
        proved = bench.account().prove(contacts, sender).method
        if len(bench.destination.methods) == 1:
            assert (proved, sender.tally.requests) == (bench.destination.methods[0], 0)
            return
        assert proved == method
        bench.delete_list(lists[1])
        gone = [Contact(email(n), bench.contact(email(n), "Ann"), add=(lists[1],)) for n in range(3)]
        with pytest.raises(ListGone):
            bench.account().prove(gone, sender)

    def test_the_account_keeps_permissions_where_an_export_must_say_who_may_be_mailed(self, bench: Bench) -> None:
        assert (bench.account().permissions is not None) is bench.destination.asks_new_people

    def test_the_calls_are_those_that_are_expected(
        self, bench: Bench, method: ListMethod, pool: ThreadPoolExecutor, lists: list[str]
    ) -> None:
        wanted = [operation(bench, number, add=(0, 1)) for number in range(230)]
        there = self._counted(bench, method, pool, lists, wanted)
        moved = [
            operation(bench, n, add=(2,), remove=(0, 1), upsert=False, known=there[n].contact_id) for n in range(230)
        ]
        self._counted(bench, method, pool, lists, moved)
        changed = [operation(bench, n, name="Anna", remove=(2,), known=there[n].contact_id) for n in range(230)]
        self._counted(bench, method, pool, lists, changed)
        self._counted(bench, method, pool, lists, [leaver(n, there[n].contact_id, (2,)) for n in range(230)])

    def _counted(
        self,
        bench: Bench,
        method: ListMethod,
        pool: ThreadPoolExecutor,
        lists: list[str],
        operations: Sequence[Operation],
    ) -> list[Progress]:
        """Deliver one chunk, in as many calls as are expected."""
        sender = fresh(pool)
        settled = delivered(bench, method, sender, lists, operations)
        assert sender.tally.requests == expected_calls(table(operations), bench.destination.capabilities, method)
        return settled
