"""That updates keep permissions is proved on one person, whatever happens meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress

import pytest

from local.warm import Shared
from shared.delivery.account import Permissions
from shared.delivery.contacts import Contact
from shared.delivery.errors import NoAnswer, PermissionsWouldChange, Refused
from shared.delivery.sending import Sender
from shared.destinations.ortto.destination import OrttoDestination
from shared.destinations.ortto.limits import TAGS
from shared.destinations.ortto.permissions import CHANGES, KEPT, NOTE
from shared.exports.configuration import NewPeople
from shared.http.transport import session
from tests.delivery.accounts import ManualClock, MemorySlots
from tests.destinations.ortto.bench import OrttoBench, serving


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, shared_parts: Shared) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("ortto"), shared_parts.start) as found:
        yield found


@pytest.fixture
def bench(url: str) -> Iterator[OrttoBench]:
    with session() as http:
        yield OrttoBench(url, http)


def contacts(bench: OrttoBench, *addresses: str) -> list[Contact]:
    return [Contact(address, bench.contact(address, "New")) for address in addresses]


def unsubscribe(bench: OrttoBench, *addresses: str) -> None:
    """Have people in the account already, who unsubscribed."""
    for start in range(0, len(addresses), 100):
        bench.account().send(contacts(bench, *addresses[start : start + 100]), TAGS)
    for address in addresses:
        bench.by_hand("POST", f"people/{address}/unsubscribe")


def permissions_of(bench: OrttoBench) -> Permissions:
    found = bench.account().permissions
    assert found
    return found


def prepare(bench: OrttoBench, *addresses: str, new_people: NewPeople = "subscribed") -> None:
    clock = ManualClock()
    with ThreadPoolExecutor(4) as pool:
        sender = Sender(MemorySlots(clock, rate=10_000), clock, pool, clock.now() + 10_000)
        permissions_of(bench).prepare(contacts(bench, *addresses), new_people, sender, nullcontext)


def permissions(bench: OrttoBench, address: str) -> list[bool]:
    return [change["permitted"] for change in bench.look(f"people/{address}")["permissions"]]


def test_what_was_proved_is_not_asked_again(bench: OrttoBench) -> None:
    unsubscribe(bench, "a@example.com")
    prepare(bench, "a@example.com")
    assert bench.notes.read()[NOTE] == KEPT
    bench.calls()
    prepare(bench, "a@example.com", "b@example.com")
    assert bench.calls() == {}


def test_nobody_outside_the_segment_is_updated(bench: OrttoBench) -> None:
    unsubscribe(bench, "outside@example.com")
    bench.turn(permission_on_update="resubscribes")
    prepare(bench, "a@example.com")
    assert NOTE not in bench.notes.read()
    assert permissions(bench, "outside@example.com") == [True, False]


def test_somebody_is_found_among_more_unsubscribed_people_than_a_page_holds(bench: OrttoBench) -> None:
    unsubscribe(bench, "a@example.com", *(f"other{n}@example.com" for n in range(501)))
    prepare(bench, *(f"p{n}@example.com" for n in range(120)), "a@example.com")
    assert bench.notes.read()[NOTE] == KEPT


def test_the_permission_is_set_back_by_whoever_takes_over_from_a_worker_that_died(bench: OrttoBench) -> None:
    unsubscribe(bench, "a@example.com")
    person = bench.look("people/a@example.com")["id"]
    bench.by_hand("PUT", "people/a@example.com", {"bol::p": True})
    bench.notes.write(NOTE, f"trying {person}")
    with pytest.raises(PermissionsWouldChange):
        prepare(bench, "b@example.com")
    assert permissions(bench, "a@example.com")[-1] is False
    assert bench.notes.read()[NOTE] == CHANGES


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("new_people", ["subscribed", "not_subscribed"])
def test_lost_answers_leave_nobody_subscribed_again(bench: OrttoBench, seed: int, new_people: NewPeople) -> None:
    unsubscribe(bench, "a@example.com", "b@example.com")
    bench.turn(permission_on_update="resubscribes", seed=seed, faults={"timeout_done": 0.4, "reset_done": 0.2})
    with suppress(NoAnswer), pytest.raises(PermissionsWouldChange):
        prepare(bench, "a@example.com", "b@example.com", "c@example.com", new_people=new_people)
    bench.turn(permission_on_update="resubscribes")
    bench.destination = OrttoDestination()  # another instance, which has made no bad calls
    with pytest.raises(PermissionsWouldChange):  # whoever comes next finishes it
        prepare(bench, "a@example.com", "b@example.com", "c@example.com", new_people=new_people)
    assert {item["fields"]["bol::p"] for item in bench.look("people")} == {False}
    touched = [item for item in bench.look("people") if [c["permitted"] for c in item["permissions"]].count(True) > 1]
    assert len(touched) <= 1


def test_a_trial_that_was_never_made_proves_nothing(bench: OrttoBench) -> None:
    unsubscribe(bench, "a@example.com")
    bench.notes.write(NOTE, f"trying {bench.look('people/a@example.com')['id']}")
    bench.turn(permission_on_update="resubscribes")
    with pytest.raises(PermissionsWouldChange):
        prepare(bench, "a@example.com")


def test_a_permission_that_was_taken_back_without_an_answer_proves_nothing(bench: OrttoBench) -> None:
    unsubscribe(bench, "a@example.com")
    bench.notes.write(NOTE, f"undoing {bench.look('people/a@example.com')['id']}")
    with pytest.raises(PermissionsWouldChange):
        prepare(bench, "a@example.com")
    assert bench.notes.read()[NOTE] == CHANGES


def test_who_is_left_out_when_new_people_are_created_is_not_created_subscribed(bench: OrttoBench) -> None:
    bench.turn(faults={"drop_row": 1.0})
    with pytest.raises(NoAnswer):
        permissions_of(bench).introduce(contacts(bench, "a@example.com", "b@example.com"))
    with pytest.raises(NoAnswer):
        permissions_of(bench).introduce(contacts(bench, "a@example.com"))
    bench.turn()
    permissions_of(bench).introduce(contacts(bench, "a@example.com", "b@example.com"))
    assert {item["fields"]["bol::p"] for item in bench.look("people")} == {False}


def test_who_stands_beside_a_refused_person_is_not_taken_for_created(bench: OrttoBench) -> None:
    bench.turn(mixed_batch="details")
    with pytest.raises(Refused):
        permissions_of(bench).introduce(contacts(bench, "a@example.com", bench.refused(1)))
