"""Deliver a chunk: send its contacts, put them on their lists, take leavers off, and read every answer.

Autopilot's bulk upsert takes 100 contacts a call. Whether it, or the call for one contact, also honours
`_autopilot_list` is proved an account (`shared.destinations.autopilot.probe`); where neither does, each membership is a call. Every call
may be repeated: an upsert goes by address, adding and removing a member say "not modified" the second time. An addition
or removal whose answer is unclear is looked behind, and repeated only if it is not done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from shared.delivery.account import BULK_SIZE, Account, Filling
from shared.delivery.chunks import Operation
from shared.delivery.errors import ContactGone, DestinationError, ListGone, Refused
from shared.delivery.isolation import Verdict, isolate, refusals
from shared.delivery.moving import Move, Moves
from shared.delivery.progress import Delivered, Progress
from shared.delivery.sending import NotSent, Sender
from shared.reasons.rows import RowReason
from shared.state.state import Receipt

REFUSES_ALL: Final = 20
"""Contacts refused one by one, and none accepted, before the rest is not tried: then not they are at fault, but the
account, such as one that is past its contract's limit."""

type Pair = tuple[Progress, int | None]
"""A contact to send, with the place of the list it shall go on by the same call, if any."""


class Delivery:
    """Delivers operations to one account.

    `lists` are the ids of the run's lists, in order. `filling` is the call that puts contacts on them.
    """

    def __init__(self, api: Account, sender: Sender, lists: Sequence[str], filling: Filling) -> None:
        self._api = api
        self._sender = sender
        self._lists = lists
        self._filling = filling
        self.lists_gone: set[int] = set()
        self._accepted = False
        self._moves = Moves(api, sender)
        self._refused: list[Progress] = []
        self._moves_refused: list[Progress] = []

    @property
    def refuses_all(self) -> bool:
        """Whether Autopilot refused every contact so far, and so many that the rest need not be tried."""
        return (not self._accepted and len(self._refused) >= REFUSES_ALL) or self._moves.refuses_all

    def deliver(self, operations: Sequence[Operation]) -> Delivered:
        """Carry out the operations as far as Autopilot, the deadline and the key allow."""
        work = [Progress(operation, operation.contact_id) for operation in operations]
        self._upsert([item for item in work if self._must_be_sent(item)])
        if self._filling is Filling.BULK:
            self._add_by_bulk(work)
        lost = self._add_by_call(work)
        if lost:
            self._upsert(lost)
            self._add_by_call(lost)
        self._remove(work)
        if self.refuses_all:  # then none of them is at fault
            for item in self._moves_refused if self._moves.refuses_all else self._refused:
                item.reason = None
        settled = [item for item in work if item.reason or item.is_done]
        return Delivered(tuple(settled), tuple(item for item in work if not (item.reason or item.is_done)))

    def _must_be_sent(self, item: Progress) -> bool:
        """Whether the contact itself must be sent: it is new or changed, or there is no id to call its lists with."""
        return item.operation.upsert or (bool(item.operation.add) and item.contact_id is None)

    def _upsert(self, items: Sequence[Progress]) -> None:
        """Send contacts, with their first list where the account honours it: 100 a call, or one by one with a list."""
        match self._filling:
            case Filling.BULK:
                self._send_in_bulk([(item, item.open_list) for item in items])
            case Filling.CONTACT:
                self._send_in_bulk([(item, None) for item in items if item.open_list is None])
                self._send_one_by_one([item for item in items if item.open_list is not None])
            case Filling.MEMBERSHIP:
                self._send_in_bulk([(item, None) for item in items])

    def _add_by_bulk(self, work: Sequence[Progress]) -> None:
        """Put contacts on their lists, 100 a call and one list a contact, until no list is left."""
        while True:
            pairs = [(item, item.open_list) for item in work if not item.reason and item.operation.fields]
            open_pairs = [(item, place) for item, place in pairs if place is not None]
            if not open_pairs or self._sender.halted:
                return
            self._send_in_bulk(open_pairs)
            if not any(place in item.added for item, place in open_pairs):
                return

    def _send_one_by_one(self, items: Sequence[Progress]) -> None:
        """Send contacts with their first list, a call each, in which a refusal is their own."""
        few = 0 if self._accepted else REFUSES_ALL  # perhaps no contact is at fault: look at some before the others
        for part in (items[:few], items[few:]):
            if self.refuses_all:
                return
            pairs = [(item, item.open_list) for item in part]
            answers = self._sender.send([self._contact_call(item, place) for item, place in pairs])
            for (item, place), answer in zip(pairs, answers, strict=True):
                self._read_one(item, place, answer)

    def _contact_call(self, item: Progress, place: int | None) -> Callable[[], str]:
        body = self._body(item, place)
        return lambda: self._api.upsert_one(body)

    def _read_one(self, item: Progress, place: int | None, answer: str | DestinationError) -> None:
        match answer:
            case str():
                self._accept(item, place, answer)
            case ListGone() if place is not None:
                self.lists_gone.add(place)
                self._note_failure([(item, place)], answer)
            case Refused():
                self._refuse(item)
            case _:
                self._note_failure([(item, place)], answer)

    def _send_in_bulk(self, pairs: Sequence[Pair]) -> None:
        """Send contacts by bulk calls; who is at fault in a refused call is isolated, the others go through."""
        refused = refusals(list(_batches(pairs)), self._send_batches)
        if not self._accepted:  # perhaps no contact is at fault: look into one batch before the others
            isolate(refused[:1], self._send_batches)
            refused = refused[1:]
        isolate(refused, self._send_batches)

    def _send_batches(self, batches: Sequence[Sequence[Pair]]) -> list[Verdict]:
        """Send batches, a call each, and read the answers; none is sent any more once the account refuses all."""
        if self.refuses_all:
            return [Verdict.UNKNOWN] * len(batches)
        answers = self._sender.send([self._bulk_call(batch) for batch in batches])
        return [self._read_bulk(batch, answer) for batch, answer in zip(batches, answers, strict=True)]

    def _bulk_call(self, batch: Sequence[Pair]) -> Callable[[], dict[str, str]]:
        bodies = [self._body(item, place) for item, place in batch]
        return lambda: self._api.upsert(bodies)

    def _body(self, item: Progress, place: int | None) -> Mapping[str, Any]:
        fields = item.operation.fields or {}
        return fields if place is None else {**fields, "_autopilot_list": self._lists[place]}

    def _read_bulk(self, batch: Sequence[Pair], answer: dict[str, str] | DestinationError) -> Verdict:
        """Take the answer: who is in it holds the new fields (and is on the list); who is missing failed."""
        match answer:
            case ListGone() if any(place is not None for _, place in batch):
                self.lists_gone.update(place for _, place in batch if place is not None)
                self._note_failure(batch, answer)
                return Verdict.UNKNOWN
            case Refused():
                if len(batch) == 1:
                    self._refuse(batch[0][0])
                return Verdict.REFUSED
            case DestinationError():
                self._note_failure(batch, answer)
                return Verdict.UNKNOWN
        self._accepted = True
        for item, place in batch:
            contact_id = answer.get(item.email)
            if contact_id is None:
                item.refuse(RowReason.MISSING_FROM_ANSWER)
            else:
                self._accept(item, place, contact_id)
        return Verdict.ACCEPTED

    def _accept(self, item: Progress, place: int | None, contact_id: str) -> None:
        self._accepted = True
        item.contact_id, item.held = contact_id, True
        if place is not None:
            item.added.add(place)

    def _refuse(self, item: Progress) -> None:
        item.refuse(RowReason.REFUSED_BY_AUTOPILOT)
        self._refused.append(item)

    def _note_failure(self, batch: Sequence[Pair], error: DestinationError) -> None:
        if isinstance(error, NotSent):
            return
        for item, place in batch:
            item.failed = True
            if place is not None:
                item.attempted.add(place)

    def _add_by_call(self, work: Sequence[Progress]) -> list[Progress]:
        """Put contacts on their lists, a call each; return those that Autopilot no longer knows."""
        pairs = [
            (item, place)
            for item in work
            if item.contact_id and not item.reason
            for place in item.operation.add
            if place not in item.added
        ]
        lost: dict[int, Progress] = {}
        for (item, place), answer in zip(pairs, self._moves.add(self._named(pairs)), strict=True):
            match answer:
                case None:
                    item.added.add(place)
                case ContactGone() if item.operation.fields and not item.held:
                    item.reborn = True
                    lost[id(item)] = item
                case ListGone():
                    item.failed = True
                    self.lists_gone.add(place)
                case Refused():
                    self._refuse_move(item)
                case _:
                    self._note_failure([(item, place)], answer)
        return list(lost.values())

    def _remove(self, work: Sequence[Progress]) -> None:
        """Take contacts off lists they left; a contact or a list that is gone needs no removal."""
        for item in work:
            if item.contact_id is None:
                item.removed.update(item.operation.remove)
        pairs = [(item, place) for item in work for place in item.operation.remove if place not in item.removed]
        for (item, place), answer in zip(pairs, self._moves.remove(self._named(pairs)), strict=True):
            if answer is None or isinstance(answer, ContactGone | ListGone):
                item.removed.add(place)
            elif isinstance(answer, Refused):
                self._refuse_move(item)
            else:
                self._note_failure([(item, None)], answer)

    def _named(self, pairs: Sequence[tuple[Progress, int]]) -> list[Move]:
        return [(self._lists[place], item.contact_id or "") for item, place in pairs]

    def _refuse_move(self, item: Progress) -> None:
        item.refuse(RowReason.REFUSED_BY_AUTOPILOT)
        self._moves_refused.append(item)

    def receipt(self, item: Progress) -> Receipt:
        """Write down what is known of one operation, by list ids."""

        def named(places: set[int]) -> tuple[str, ...]:
            return tuple(self._lists[place] for place in sorted(places))

        return Receipt(
            person=item.operation.person,
            contact_id=item.contact_id,
            reborn=item.reborn,
            content=item.operation.content if item.held else None,
            added=named(item.added),
            removed=named(item.removed),
            attempted=named(item.attempted - item.added),
        )


def _batches(pairs: Sequence[Pair]) -> Iterator[Sequence[Pair]]:
    """Cut contacts into bulk calls: full ones, but small ones for those that failed before, to find the guilty one."""
    for size, chosen in (
        (BULK_SIZE, [pair for pair in pairs if pair[0].operation.tries == 0]),
        (BULK_SIZE // 10, [pair for pair in pairs if pair[0].operation.tries == 1]),
        (1, [pair for pair in pairs if pair[0].operation.tries > 1]),
    ):
        for start in range(0, len(chosen), size):
            yield chosen[start : start + size]
