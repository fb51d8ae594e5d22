"""What Ortto's answers in the right shape, but not whole or not done, are believed: nobody erased, and nobody subscribed, by them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.ortto.knobs import Knobs
from shared.delivery.chunks import Operation
from shared.delivery.contacts import Contact, Creation
from shared.delivery.delivery import Delivery
from shared.delivery.errors import NoAnswer, PermissionsWouldChange, Throttled
from shared.delivery.sending import Sender
from shared.destinations.ortto.account import OrttoAccount
from shared.destinations.ortto.answers import Call, read
from shared.destinations.ortto.destination import ORTTO
from shared.destinations.ortto.limits import TAGS
from shared.destinations.ortto.permissions import CHANGES, KEPT, NOTE
from shared.exports.configuration import NewPeople
from shared.http.content import LONGEST_PAUSE
from tests.delivery.accounts import ManualClock, MemorySlots
from tests.destinations.ortto.told import NOBODY, Lie, Straight, Told, opened, truth

ADDRESS = "a@example.com"


@pytest.fixture
def api() -> Told:
    return Told()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as threads:
        yield threads


def prepare(account: OrttoAccount, *addresses: str, new_people: NewPeople = "subscribed") -> None:
    contacts = [Contact(address, {"str::email": address, "str::first": "New"}) for address in addresses]
    account.permissions.prepare(contacts, new_people, Straight(), nullcontext)


def send(api: Told, account: OrttoAccount, pool: ThreadPoolExecutor, *addresses: str) -> int:
    """Deliver people who are not to be subscribed; return how many are believed to be delivered."""
    clock = ManualClock()
    sender = Sender(MemorySlots(clock), clock, pool, clock.now() + 10_000)
    delivery = Delivery(ORTTO, account, sender, ("One",), TAGS, Creation("not_subscribed"))
    wanted = [
        Operation(n, f"c{n}", 0, None, n, upsert=True, add=(0,), remove=(), fields={"str::email": address})
        for n, address in enumerate(addresses)
    ]
    done = delivery.deliver(wanted)
    return sum(item.confirmed for item in done.settled)


def subscribed(api: Told) -> set[str | None]:
    return {person.email for person in api.holds.people.values() if person.fields["bol::p"]}


def untold(page: Any) -> Any:
    """Return a page without anybody's permission, as if no were nothing."""
    shown = [{**item, "fields": {"str::email": item["fields"]["str::email"]}} for item in page["contacts"] or ()]
    return {**page, "contacts": shown or None}


class TestErasing:
    def test_somebody_behind_a_whole_page_of_the_archive_is_found(self, api: Told) -> None:
        hidden = api.create(ADDRESS)
        api.holds.archive_person(hidden)
        for number in range(501):
            person = api.create(f"p{number}@example.com", **{"str::first": ADDRESS})
            api.holds.archive_person(person)
        account, _ = opened(api)
        assert not account.is_erased(ADDRESS, Straight())
        assert account.erase(ADDRESS, Straight())
        assert account.is_erased(ADDRESS, Straight())
        assert hidden.id not in api.holds.archive
        assert len(api.holds.archive) == 501

    @pytest.mark.parametrize(
        "meta", [{"total": 1, "more": True}, {"total": 1, "more": False}, {"total": 0, "more": True}]
    )
    def test_nobody_on_a_page_that_counts_somebody_is_no_answer(self, api: Told, meta: dict[str, Any]) -> None:
        api.create(ADDRESS)
        account, _ = opened(api)
        page = {**NOBODY, "meta": {"total_matches": meta["total"]}, "has_more": meta["more"], "next_offset": 0}
        api.lie = lambda call, _, answer: page if call is Call.PAGE else answer
        for ask in (account.is_erased, account.erase):
            with pytest.raises(NoAnswer):
                ask(ADDRESS, Straight())
        assert api.holds.find(ADDRESS)

    @given(
        there=st.integers(1, 4),
        shown=st.integers(0, 3),
        more=st.booleans(),
        following=st.integers(0, 6),
        as_null=st.booleans(),
    )
    def test_whatever_a_page_leaves_out_nobody_who_is_counted_is_believed_to_be_gone(
        self, there: int, shown: int, more: bool, following: int, as_null: bool
    ) -> None:
        api = Told()
        for _ in range(there):
            api.create(ADDRESS)

        def cut(call: Call, _: Mapping[str, Any], answer: Any) -> Any:
            if call is not Call.PAGE or not answer["contacts"]:
                return answer
            left = answer["contacts"][: min(shown, there - 1)]
            return {**answer, "contacts": left or ([], None)[as_null], "has_more": more, "next_offset": following}

        api.lie = cut
        with suppress(NoAnswer):
            assert not opened(api)[0].is_erased(ADDRESS, Straight())


class TestMembers:
    def tagged(self, api: Told, count: int) -> OrttoAccount:
        tag = api.holds.tag_named("One")
        for number in range(count):
            api.holds.tag(api.create(f"p{number}@example.com"), tag)
        return opened(api)[0]

    def test_a_tag_whose_pages_end_early_is_no_answer(self, api: Told) -> None:
        account = self.tagged(api, 700)
        first = account.members("One", []).bookmark
        api.lie = lambda call, _, answer: {**answer, "has_more": False} if call is Call.PAGE else answer
        with pytest.raises(NoAnswer):
            account.members("One", [], first)
        api.lie = truth
        second = account.members("One", [], first).bookmark
        api.lie = lambda call, _, answer: NOBODY if call is Call.PAGE else answer
        with pytest.raises(NoAnswer):
            account.members("One", [], second)
        api.lie = truth
        assert len(account.members("One", [], second).contacts) == 200

    def test_people_who_go_while_they_are_read_end_nothing(self, api: Told) -> None:
        account = self.tagged(api, 700)
        second = account.members("One", [], account.members("One", []).bookmark).bookmark
        for person in list(api.holds.people.values())[:10]:  # the newest come first, so they are on the second page
            api.holds.archive_person(person)
        page = account.members("One", [], second)
        assert (len(page.contacts), page.bookmark) == (190, None)


class TestPermissions:
    def test_nobody_unsubscribed_on_a_page_that_counts_somebody_is_no_answer(self, api: Told) -> None:
        api.create(ADDRESS, **{"bol::p": False})
        page = {**NOBODY, "meta": {"total_matches": 1}}
        api.lie = lambda call, _, answer: page if call is Call.PAGE else answer
        with pytest.raises(NoAnswer):
            prepare(opened(api)[0], ADDRESS)

    @pytest.mark.parametrize("others", [0, 501])
    def test_somebody_whose_permission_is_not_told_is_not_updated_untried(self, api: Told, others: int) -> None:
        for number in range(others):  # more than a page: then the chunk's people are asked for by their addresses
            api.create(f"other{number}@example.com", **{"bol::p": False})
        api.create(ADDRESS, **{"bol::p": False})
        api.lie = lambda call, _, answer: untold(answer) if call is Call.PAGE else answer
        with pytest.raises(NoAnswer):
            prepare(opened(api)[0], ADDRESS)

    def test_who_unsubscribed_a_moment_ago_is_seen_by_the_next_chunk(self, api: Told) -> None:
        api.knobs = Knobs(ban=None, permission_on_update="resubscribes")
        person = api.create(ADDRESS)
        account, notes = opened(api)
        prepare(account, ADDRESS)
        assert NOTE not in notes.read()
        api.holds.change(person, {"bol::p": False}, "by hand")
        with pytest.raises(PermissionsWouldChange):
            prepare(account, ADDRESS)
        assert not subscribed(api)

    def test_a_trial_on_another_person_of_the_same_address_proves_nothing(self, api: Told) -> None:
        api.create(ADDRESS)
        api.create(ADDRESS, **{"bol::p": False})
        account, notes = opened(api)
        prepare(account, ADDRESS)
        assert notes.read().get(NOTE) is None

    def test_a_permission_is_taken_back_once_it_is_read_to_be_gone(self, api: Told) -> None:
        person = api.create(ADDRESS)
        account, notes = opened(api)
        notes.write(NOTE, f"undoing {person.id}")

        def undone(call: Call, _: Mapping[str, Any], answer: Any) -> Any:
            if call is Call.MERGE:
                api.holds.change(person, {"bol::p": True}, "it was not done")
            return answer

        api.lie = undone
        with pytest.raises(NoAnswer):
            prepare(account, ADDRESS)
        assert notes.read()[NOTE] == f"undoing {person.id}"
        api.lie = truth
        with pytest.raises(PermissionsWouldChange):
            prepare(account, ADDRESS)
        assert (notes.read()[NOTE], subscribed(api)) == (CHANGES, set())


class TestIntroducing:
    PEOPLE = ("a@example.com", "b@example.com", "c@example.com")

    def not_done(self, api: Told, status: str, **more: Any) -> Lie:
        """Return the lie that people were created, without a trace of them."""

        def lie(call: Call, body: Mapping[str, Any], answer: Any) -> Any:
            if call is not Call.MERGE or body["merge_strategy"] != 3:
                return answer
            for entry in answer["people"]:
                person = api.holds.people.pop(entry["person_id"])
                api.holds._unindex(person)
            return {"people": [{**entry, "status": status, **more} for entry in answer["people"]]}

        return lie

    @pytest.mark.parametrize("status", ["created", "merged", "anything"])
    def test_who_was_not_created_after_all_is_not_sent(self, api: Told, pool: ThreadPoolExecutor, status: str) -> None:
        account, notes = opened(api)
        notes.write(NOTE, KEPT)
        api.lie = self.not_done(api, status)
        assert send(api, account, pool, *self.PEOPLE) == 0
        assert api.holds.people == {}
        api.lie = truth
        assert send(api, account, pool, *self.PEOPLE) == 3
        assert {person.email for person in api.holds.people.values()} == set(self.PEOPLE)
        assert subscribed(api) == set()

    @pytest.mark.parametrize("status", ["invalid", "suppressed"])
    def test_who_is_refused_or_suppressed_when_they_would_be_created_is_not_sent(
        self, api: Told, pool: ThreadPoolExecutor, status: str
    ) -> None:
        account, notes = opened(api)
        notes.write(NOTE, KEPT)
        api.lie = self.not_done(api, status)
        send(api, account, pool, *self.PEOPLE)
        assert api.holds.people == {}

    def test_who_is_there_and_subscribed_is_sent_and_stays_so(self, api: Told, pool: ThreadPoolExecutor) -> None:
        api.create(ADDRESS)
        account, notes = opened(api)
        notes.write(NOTE, KEPT)
        assert send(api, account, pool, *self.PEOPLE) == 3
        assert subscribed(api) == {ADDRESS}

    def subscribing(self, api: Told) -> Lie:
        """Return an account that subscribes whom it creates, whatever it is told."""

        def lie(_: Call, __: Mapping[str, Any], answer: Any) -> Any:
            for person in api.holds.people.values():
                if len(person.permissions) == 1:
                    api.holds.change(person, {"bol::p": True}, "as it likes")
            return answer

        return lie

    def test_an_account_that_subscribes_new_people_anyway_is_stopped_by_name_after_the_first(self, api: Told) -> None:
        account, notes = opened(api)
        api.lie = self.subscribing(api)
        with pytest.raises(PermissionsWouldChange):
            prepare(account, *self.PEOPLE, new_people="not_subscribed")
        assert len(api.holds.people) == 1
        assert (subscribed(api), notes.read()[NOTE]) == (set(), CHANGES)

    def test_an_account_that_begins_to_subscribe_new_people_is_sent_nobody_else(
        self, api: Told, pool: ThreadPoolExecutor
    ) -> None:
        account, notes = opened(api)
        notes.write(NOTE, KEPT)
        api.lie = self.subscribing(api)
        assert send(api, account, pool, *self.PEOPLE) == 0
        api.lie = truth
        with pytest.raises(PermissionsWouldChange):
            prepare(account, "d@example.com", new_people="not_subscribed")


@pytest.mark.parametrize(
    ("seconds", "pause"),
    [("7", 7.0), ("0.5", 0.5), ("-1", None), ("9" * 401, LONGEST_PAUSE), ("-" + "9" * 401, None), ('"7"', None)],
)
def test_a_pause_of_any_length_is_read(seconds: str, pause: float | None) -> None:
    body = f'{{"error": {{"code": "rate", "try-in-seconds": {seconds}}}}}'.encode()
    with pytest.raises(Throttled) as caught:
        read(Call.MERGE, 429, {"Content-Type": "application/json"}, body)
    assert caught.value.retry_after == pause
