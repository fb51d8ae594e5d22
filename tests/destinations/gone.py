"""The part of a destination's contract that is about contacts which are gone, or seem to be: see `tests.destinations.contract`."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from shared.delivery.capabilities import ListMethod
from shared.delivery.contacts import Move, Result, Seen
from shared.delivery.delivery import Delivery
from shared.delivery.errors import Unclear
from shared.delivery.sending import Sender
from tests.destinations.bench import Bench, email
from tests.destinations.deliveries import delivered, leaver, operation


class GoneContract:
    """What holds of contacts that somebody deleted; the fixtures are those of the contract."""

    def test_who_was_deleted_is_made_again_and_a_leaver_who_was_is_not(
        self, bench: Bench, method: ListMethod, sender: Sender, lists: list[str]
    ) -> None:
        there = delivered(bench, method, sender, lists, [operation(bench, number, add=(0,)) for number in range(4)])
        bench.delete_contact(email(0))
        bench.delete_contact(email(1))
        wanted = [operation(bench, 0, add=(1,), upsert=False, known=there[0].contact_id)]
        wanted.append(leaver(1, there[1].contact_id, (0,)))
        stays, leaves = delivered(bench, method, sender, lists, wanted)
        assert (stays.reason, leaves.reason, leaves.removed) == (None, None, {0})
        assert bench.members(lists[1]) == {email(0)}
        assert bench.first_name(email(1)) is None

    def test_who_was_deleted_and_is_sent_again_is_a_new_contact_of_which_nothing_is_known(
        self, bench: Bench, method: ListMethod, sender: Sender, lists: list[str]
    ) -> None:
        there = delivered(bench, method, sender, lists, [operation(bench, number, add=(0, 1)) for number in range(3)])
        bench.delete_contact(email(0))
        wanted = [operation(bench, n, name="Anna", add=(2,), known=there[n].contact_id) for n in range(2)]
        anew, same = delivered(bench, method, sender, lists, wanted)
        assert (anew.recreated, anew.added, same.recreated) == (True, {2}, False)
        assert anew.contact_id != there[0].contact_id
        assert [email(0) in bench.members(list_id) for list_id in lists] == [False, False, True]
        bench.delete_contact(email(2))
        wanted = [operation(bench, 2, add=(0, 2), remove=(1,), upsert=False, known=there[2].contact_id)]
        (anew,) = delivered(bench, method, sender, lists, wanted)
        assert (anew.recreated, anew.added) == (True, {0, 2})
        assert [email(2) in bench.members(list_id) for list_id in lists] == [True, False, True]

    def test_who_is_left_out_of_an_answer_about_several_is_not_believed_to_be_gone(
        self,
        bench: Bench,
        method: ListMethod,
        sender: Sender,
        lists: list[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        there = delivered(bench, method, sender, lists, [operation(bench, number, add=(0,)) for number in range(7)])
        bench.delete_contact(email(6))
        account, asked = bench.account(), 0
        look, move = account.look, account.move

        def looked(contact_ids: Sequence[str]) -> Sequence[Seen | None]:
            found = look(contact_ids)
            return [*found[:3], *[None] * len(found[3:])]

        def unclear(moves: Sequence[Move]) -> Sequence[Result]:
            nonlocal asked
            asked += 1
            if asked == 1:
                raise Unclear("refused, and nothing is done")
            return move(moves)

        monkeypatch.setattr(account, "look", looked)
        monkeypatch.setattr(account, "move", unclear)
        delivery = Delivery(bench.destination, account, sender, lists, method)
        leavers = [leaver(n, item.contact_id, (0,)) for n, item in enumerate(there)]
        found = delivery.deliver(leavers)
        held = bench.members(lists[0])
        for item in (*found.settled, *found.unsettled):
            assert (email(item.operation.person) in held) is (not item.removed)
        assert len(found.settled) == 7
