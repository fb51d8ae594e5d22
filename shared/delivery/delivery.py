"""Deliver a chunk: send its contacts, put them on their lists, take leavers off, and read every answer.

How many calls that takes is a matter of numbers: what the destination's calls take (`Capabilities`), and what a call that
sends contacts carries beside their values (`ListMethod`). Every call may be repeated: a contact is sent by its address, and
a list that somebody is on already, or on no more, is as good as done. A move whose answer is unclear is looked behind, and
repeated only if it is not done.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shared.delivery.account import Account
from shared.delivery.capabilities import ANY_LISTS, ListMethod, fills_by_sending
from shared.delivery.chunks import Operation
from shared.delivery.contacts import UNASKED, Creation, Move
from shared.delivery.destination import Destination
from shared.delivery.errors import ContactGone, ListGone, NotSent, Refused
from shared.delivery.moving import Moves, Outcome
from shared.delivery.progress import Delivered, Load, Progress
from shared.delivery.sending import Sender
from shared.delivery.upserts import Upserts
from shared.reasons.rows import RowReason
from shared.state.state import Receipt


class Delivery:
    """Delivers operations to one account.

    `lists` are the ids of the run's lists, in order. `method` is how contacts get on them, `creation` what was decided
    about those who are created.
    """

    def __init__(
        self,
        destination: Destination,
        api: Account,
        sender: Sender,
        lists: Sequence[str],
        method: ListMethod,
        creation: Creation = UNASKED,
    ) -> None:
        self._can = destination.capabilities
        self._lists = lists
        self._method = method
        self._upserts = Upserts(destination, api, sender, lists, method, creation)
        self._moves = Moves(api, sender, self._can)
        self._lists_gone: set[int] = set()
        self._moves_refused: list[Progress] = []

    @property
    def refuses_all(self) -> bool:
        """Whether every contact so far was refused, and so many that the rest need not be tried."""
        return self._upserts.refuses_all or self._moves.refuses_all

    @property
    def lists_gone(self) -> set[int]:
        """The lists, by index, that the destination did not know."""
        return self._lists_gone | self._upserts.lists_gone

    def address(self, item: Progress) -> str:
        """Return the address that an operation's contact is sent by, in lower case; empty for one that is only moved."""
        return self._upserts.address(item)

    def deliver(self, operations: Sequence[Operation]) -> Delivered:
        """Carry out the operations as far as the destination, the deadline and the key allow."""
        work = [Progress(operation, operation.contact_id) for operation in operations]
        self._upserts.send([item for item in work if self._must_be_sent(item)])
        if fills_by_sending(self._method, self._can):
            self._upserts.fill(work)
        lost = self._move(self._additions(work))
        if lost:
            self._upserts.send(lost)
            self._move(self._additions(lost))
        self._take_off(work)
        if self.refuses_all:  # then none of them is at fault
            for item in self._moves_refused if self._moves.refuses_all else self._upserts.refused:
                item.reason = None
        settled = [item for item in work if item.reason or item.is_done]
        return Delivered(tuple(settled), tuple(item for item in work if not (item.reason or item.is_done)))

    def _must_be_sent(self, item: Progress) -> bool:
        """Whether the contact itself must be sent: it is new or changed, or there is no id to call its lists with."""
        return item.operation.upsert or (bool(item.operation.add) and item.contact_id is None)

    def _additions(self, work: Sequence[Progress]) -> list[Load]:
        """Return the moves that put contacts on their lists; where one move takes any lists, those off lists go with them."""
        known = [item for item in work if item.contact_id and not item.reason]
        if self._can.move_lists == ANY_LISTS:
            return [Load(item, item.open_lists, item.open_removals) for item in known if item.open_lists]
        return [Load(item, (index,)) for item in known for index in item.open_lists]

    def _move(self, loads: Sequence[Load]) -> list[Progress]:
        """Move contacts; return those that the destination no longer knows, and that can be sent anew."""
        moves = [Move(load.item.contact_id or "", self._named(load.add), self._named(load.remove)) for load in loads]
        outcomes = zip(loads, self._moves.make(moves, lambda n: loads[n].ask()), strict=True)
        # Whoever is gone comes last: what other moves did for them is gone too.
        gone_last = sorted(outcomes, key=lambda made: isinstance(made[1], ContactGone))
        lost = {id(load.item): load.item for load, outcome in gone_last if self._is_lost(load, outcome)}
        return list(lost.values())

    def _is_lost(self, load: Load, outcome: Outcome) -> bool:
        """Note what came of a move; a contact or a list that is gone needs no removal. Return whether to send it anew."""
        item = load.item
        match outcome:
            case None:
                load.confirm()
            case ListGone() if not load.add:
                item.removed.update(load.remove)
            case ContactGone():
                return self._is_to_be_made(load)
            case ListGone():
                item.failed = True
                self._lists_gone.update(load.add)
            case Refused():
                item.refuse(RowReason.REFUSED)
                self._moves_refused.append(item)
            case NotSent():
                pass
            case _:
                load.fail()
        return False

    def _is_to_be_made(self, load: Load) -> bool:
        """Note that a contact is gone, which is on no list any more. Return whether to send it anew, which is done once."""
        item, was_sent = load.item, load.item.confirmed
        item.lose()
        item.removed.update(load.remove)
        if not load.add or item.reason:
            return False
        if was_sent or not item.operation.fields:
            item.refuse(RowReason.REFUSED)
            self._moves_refused.append(item)
            return False
        return True

    def _take_off(self, work: Sequence[Progress]) -> None:
        """Take contacts off the lists that they left, where that did not go with another call, or was tried with one."""
        for item in work:
            if item.contact_id is None:
                item.removed.update(item.operation.remove)
        if self._can.move_lists == ANY_LISTS:
            self._move(
                [Load(item, remove=item.open_removals) for item in work if item.open_removals and not item.failed]
            )
        else:
            self._move([Load(item, remove=(index,)) for item in work for index in item.open_removals])

    def _named(self, indexes: Iterable[int]) -> tuple[str, ...]:
        return tuple(self._lists[index] for index in sorted(indexes))

    def receipt(self, item: Progress) -> Receipt:
        """Write down what is known of one operation, by list ids."""
        return Receipt(
            person=item.operation.person,
            contact_id=item.contact_id,
            recreated=item.recreated,
            content=item.operation.content if item.confirmed else None,
            unconfirmed=item.is_unconfirmed,
            added=self._named(item.added),
            removed=self._named(item.removed),
            attempted=self._named(item.attempted - item.added),
            perhaps_removed=self._named(item.perhaps_removed - item.removed),
        )
