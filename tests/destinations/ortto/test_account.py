"""What Ortto's adapter makes of an account: tags as lists, people read back, members, erasure, fields."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.warm import Shared
from shared.accounts.lists import ListCalls
from shared.delivery.account import Account
from shared.delivery.contacts import Contact, Held, Move, NotHeld
from shared.delivery.errors import AccountRefused, HeldBack, KeyRefused, NoAnswer, Refused, Throttled, Unclear
from shared.delivery.sending import Sender
from shared.destinations.ortto.limits import BAD_CALLS, BAN_SECONDS, TAGS, BadCalls
from shared.http.transport import session
from shared.reasons.rows import RowReason
from tests.destinations.deliveries import delivered, fresh, leaver, operation
from tests.destinations.ortto.bench import OrttoBench, serving


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, shared_parts: Shared) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("ortto"), shared_parts.start) as found:
        yield found


@pytest.fixture
def bench(url: str) -> Iterator[OrttoBench]:
    with session() as http:
        yield OrttoBench(url, http)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as threads:
        yield threads


@pytest.fixture
def sender(pool: ThreadPoolExecutor) -> Sender:
    return fresh(pool)


def person(address: str, *, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()) -> Contact:
    return Contact(address, {"str::email": address, "str::first": "Ann"}, add=add, remove=remove)


def members(account: Account, list_id: str) -> set[str | None]:
    found, bookmark = set[str | None](), None
    while True:
        page = account.members(list_id, [], bookmark)
        found |= {item.address for item in page.contacts}
        bookmark = page.bookmark
        if bookmark is None:
            return found


class TestTags:
    def test_a_tag_is_made_by_its_first_use_and_known_by_its_id_from_then_on(self, bench: OrttoBench) -> None:
        account = bench.account()
        assert account.create_list("VIP") == "VIP"
        assert [tag["name"] for tag in bench.look("tags")["tags"]] == ["My team"]
        (held,) = account.send([person("a@example.com", add=("VIP",))], TAGS)
        assert isinstance(held, Held)
        account.look([held.contact_id])
        assert bench.notes.texts == {"tag:VIP": '[2, "VIP"]'}

    @pytest.mark.parametrize("knobs", [{}, {"tags_in_get_by_ids": "ids_only"}])
    def test_a_new_tag_is_read_by_one_of_all_who_see_it_since_nobody_has_a_slot_for_that(
        self, bench: OrttoBench, knobs: dict[str, str]
    ) -> None:
        bench.turn(**knobs, latency_ms=100)
        bench.account().create_list("VIP")
        (held,) = bench.account().send([person("a@example.com", add=("VIP",))], TAGS)
        assert isinstance(held, Held)
        accounts = [bench.account() for _ in range(8)]
        bench.calls()
        with ThreadPoolExecutor(len(accounts)) as threads:
            found = list(threads.map(lambda account: account.look([held.contact_id])[0], accounts))
        assert [seen.lists for seen in found if seen] == [frozenset({"VIP"})] * len(accounts)
        assert bench.calls() == {"POST /person/get-by-ids": len(accounts), "POST /tags/get": 1}

    @pytest.mark.parametrize("knobs", [{}, {"tags_in_get_by_ids": "ids_only"}])
    def test_a_renamed_tag_is_found_by_its_id_and_never_doubled(
        self, bench: OrttoBench, sender: Sender, knobs: dict[str, str]
    ) -> None:
        bench.turn(**knobs)
        list_id = bench.account().create_list("VIP")
        (first,) = delivered(bench, TAGS, sender, [list_id], [operation(bench, 1, add=(0,))])
        bench.by_hand("PUT", "tags/VIP", {"name": "Very important"})
        account = bench.account()
        titles = account.lists()
        assert titles["VIP"] == titles["Very important"] == [list_id]
        account.send([person("p2@example.com", add=(list_id,))], TAGS)
        account.move([Move(str(first.contact_id), remove=(list_id,))])
        assert bench.members("Very important") == members(account, list_id) == {"p2@example.com"}
        assert [tag["name"] for tag in bench.look("tags")["tags"]] == ["My team", "Very important"]

    def test_another_tag_of_the_former_name_is_another_list(self, bench: OrttoBench, sender: Sender) -> None:
        list_id = bench.account().create_list("VIP")
        delivered(bench, TAGS, sender, [list_id], [operation(bench, 1, add=(0,))])
        bench.by_hand("PUT", "tags/VIP", {"name": "Old"})
        bench.by_hand("POST", "people/p1@example.com/tags/VIP")
        titles = bench.account().lists()
        assert titles["Old"] == ["VIP"]
        assert sorted(titles["VIP"]) == ["VIP", "VIP (3)"]

    def test_a_list_that_was_there_is_taken_as_it_is(self, bench: OrttoBench) -> None:
        calls: ListCalls = bench.account()
        assert calls.create_list("My team") == "My team"
        assert calls.lists()["My team"] == ["My team"]

    @pytest.mark.parametrize("title", ["", "  ", "x" * 256, "two\nlines"])
    def test_a_name_that_no_tag_can_have_is_refused_without_a_tag(self, bench: OrttoBench, title: str) -> None:
        with pytest.raises(Refused):
            bench.account().create_list(title)
        assert bench.notes.texts == {}


class TestSending:
    def test_a_mixed_transition_is_one_write_and_one_proof_for_each_hundred_people(
        self, bench: OrttoBench, sender: Sender
    ) -> None:
        lists = [bench.account().create_list(title) for title in ("One", "Two")]
        before = delivered(bench, TAGS, sender, lists, [operation(bench, n, add=(0, 1)) for n in range(200)])
        known = [item.contact_id for item in before]
        bench.calls()
        moving = [operation(bench, n, name="Bea", remove=(0,), known=known[n]) for n in range(60)]
        joining = [operation(bench, n, add=(0,)) for n in range(200, 240)]
        delivered(bench, TAGS, sender, lists, [*moving, *joining])
        assert bench.calls() == {"POST /person/merge": 1, "POST /person/get-by-ids": 1}
        delivered(bench, TAGS, sender, lists, [leaver(n, known[n], (0, 1)) for n in range(100, 200)])
        assert bench.calls() == {"POST /person/merge": 1, "POST /person/get-by-ids": 1}
        assert bench.members("One") == {f"p{n}@example.com" for n in (*range(60, 100), *range(200, 240))}

    @pytest.mark.parametrize("shape", ["in_place", "only_accepted", "details", "whole_400"])
    @pytest.mark.parametrize("order", ["request", "shuffled"])
    def test_who_is_bad_is_told_apart_in_every_shape_of_an_answer(
        self, bench: OrttoBench, pool: ThreadPoolExecutor, shape: str, order: str
    ) -> None:
        bench.turn(mixed_batch=shape, answer_order=order)
        lists = [bench.account().create_list("One")]
        wanted = [operation(bench, n, add=(0,)) for n in range(30)]
        wanted[7] = operation(bench, 7, add=(0,), address=bench.refused(7))
        results = bench.account().send(
            [person(str(item.fields and item.fields["str::email"])) for item in wanted[7:8]], TAGS
        )
        assert results == [NotHeld.REFUSED]
        if shape in {"in_place", "only_accepted", "whole_400"}:
            settled = delivered(bench, TAGS, fresh(pool), lists, wanted)
            reason = RowReason.MISSING_FROM_ANSWER if shape == "only_accepted" else RowReason.REFUSED
            assert {n: item.reason for n, item in enumerate(settled) if item.reason} == {7: reason}
            assert bench.members("One") == {f"p{n}@example.com" for n in range(30) if n != 7}
        else:  # nothing is done, and it is known who is at fault: the others are sent again
            sent = [person(str(item.fields and item.fields["str::email"])) for item in wanted]
            assert bench.account().send(sent, TAGS) == [
                NotHeld.REFUSED if n == 7 else NotHeld.NOT_DONE for n in range(30)
            ]

    def test_an_answer_about_nobody_is_none(self, bench: OrttoBench) -> None:
        bench.turn(mixed_batch="only_accepted", skipped_status="absent", faults={"drop_row": 1.0})
        with pytest.raises(NoAnswer):
            bench.account().send([person("a@example.com")], TAGS)

    def test_nobody_is_created_by_leaving(self, bench: OrttoBench, sender: Sender) -> None:
        lists = [bench.account().create_list("One")]
        there = delivered(bench, TAGS, sender, lists, [operation(bench, n, add=(0,)) for n in range(3)])
        bench.delete_contact("p0@example.com")
        bench.by_hand("POST", "people/p1@example.com/archive")
        for gone in ("invalid", "skipped", "creates", "400"):
            bench.turn(by_id_gone=gone)
            leaving = [leaver(n, there[n].contact_id, (0,)) for n in range(3)]
            assert all(item.removed == {0} for item in delivered(bench, TAGS, sender, lists, leaving))
        assert [item["fields"]["str::email"] for item in bench.look("people")] == ["p2@example.com"]


class TestMembers:
    @pytest.mark.parametrize("way", ["u4s_is", "unknown_operation", "empty"])
    def test_all_of_a_tag_are_read_whichever_way_the_account_allows(
        self, bench: OrttoBench, sender: Sender, way: str
    ) -> None:
        lists = [bench.account().create_list(title) for title in ("One", "Two")]
        wanted = [operation(bench, n, add=(n % 2,)) for n in range(20)]
        delivered(bench, TAGS, sender, lists, wanted)
        bench.turn(tag_filter=way)
        assert members(bench.account(), lists[1]) == {f"p{n}@example.com" for n in range(1, 20, 2)}

    def test_a_tag_that_was_never_used_has_nobody(self, bench: OrttoBench) -> None:
        account = bench.account()
        assert members(account, account.create_list("One")) == set()

    def test_a_tag_that_is_not_there_is_unclear(self, bench: OrttoBench) -> None:
        with pytest.raises(Unclear):
            bench.account().members("Nobody knows it", [])


class TestErasing:
    def test_everybody_with_the_address_goes_from_the_archive_too(self, bench: OrttoBench, sender: Sender) -> None:
        account = bench.account()
        for address in ("a@example.com", "aa@example.com"):
            account.send([person(address)], TAGS)
        bench.by_hand("POST", "people/a@example.com/duplicate")
        bench.by_hand("POST", "people/a@example.com/archive")
        assert not account.is_erased("a@example.com", sender)
        assert account.erase("a@example.com", sender)
        assert account.is_erased("a@example.com", sender)
        assert bench.look("archive") == []
        assert [item["fields"]["str::email"] for item in bench.look("people")] == ["aa@example.com"]

    def test_what_is_only_scheduled_is_not_erased_yet(self, bench: OrttoBench, sender: Sender) -> None:
        account = bench.account()
        account.send([person("a@example.com")], TAGS)
        bench.turn(delete_scheduled=1)
        assert account.erase("a@example.com", sender)
        bench.turn()
        while not account.is_erased("a@example.com", sender):
            assert account.erase("a@example.com", sender)
        assert bench.look("people") == bench.look("archive") == []


class TestRefusals:
    def test_a_wrong_key_or_region_is_a_refused_key(self, bench: OrttoBench) -> None:
        with pytest.raises(KeyRefused):
            bench.account("another").identity()
        bench.turn(wrong_region=True)
        with pytest.raises(KeyRefused):
            bench.account().identity()

    def test_a_full_account_is_nobodys_fault(self, bench: OrttoBench) -> None:
        bench.turn(contact_limit=0, over_limit="507")
        with pytest.raises(AccountRefused):
            bench.account().send([person("a@example.com")], TAGS)

    def test_too_fast_says_how_long_to_wait(self, bench: OrttoBench) -> None:
        bench.turn(faults={"throttle": 1.0})
        with pytest.raises(Throttled) as caught:
            bench.account().identity()
        assert caught.value.retry_after == 1

    @pytest.mark.parametrize("shape", ["html", "empty"])
    def test_a_refusal_in_another_shape_is_no_answer(self, bench: OrttoBench, shape: str) -> None:
        bench.turn(error_shape=shape)
        with pytest.raises(NoAnswer) as caught:
            bench.account().send([person("poison@example.com")], TAGS)
        assert "poison" not in str(caught.value)
        with pytest.raises(NoAnswer):
            bench.account("another").identity()

    def test_bad_calls_are_held_back_before_they_ban_us(self, bench: OrttoBench) -> None:
        bench.turn(ban=15, ban_seconds=60, mixed_batch="whole_400")
        account = bench.account()
        for _ in range(30):
            with pytest.raises((Refused, HeldBack)):
                account.send([person("poison@example.com"), person("a@example.com")], TAGS)
        assert bench.look("stats")["statuses"] == {"400": BAD_CALLS}
        assert bench.look("stats")["bans"] == 0

    def test_a_key_that_is_refused_right_after_bad_calls_is_asked_again_later(self) -> None:
        now = [0.0]
        bad_calls = BadCalls(lambda: now[0])
        refused = KeyRefused("401")
        for _ in range(BAD_CALLS - 1):
            bad_calls.note(400)
        assert isinstance(bad_calls.doubt(refused), Throttled)
        now[0] += BAN_SECONDS
        assert bad_calls.doubt(refused) is refused
        for _ in range(BAD_CALLS - 1):
            bad_calls.note(401)
        assert bad_calls.doubt(refused) is refused
        bad_calls.check()
        bad_calls.note(401)
        with pytest.raises(HeldBack) as caught:
            bad_calls.check()
        assert caught.value.retry_after == BAN_SECONDS


class TestFields:
    def test_a_field_that_is_not_there_or_not_ours_to_write_is_refused_with_the_nearest(
        self, bench: OrttoBench, sender: Sender
    ) -> None:
        found = bench.account().check_fields(["str::email", "str::frist", "First name", "u4s::t", "str:cm:x"], sender)
        assert found.conflicts == {
            "str::frist": "The account has no field 'str::frist'. Did you mean str::first?",
            "First name": "The account has no field 'First name'. Did you mean str::first?",
            "u4s::t": "The field 'u4s::t' cannot be written by an export.",
            "str:cm:x": "The account has no field 'str:cm:x'. Make it in Ortto, under Customer data, Fields.",
        }
