"""Upserts: contacts sent with their values, many a call, and with as many of their lists as such a call carries.

A refused call is searched for who is at fault. An answer that names nobody is believed by what the contacts hold when
they are read back.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from shared.delivery.account import Account, Permissions
from shared.delivery.capabilities import ListMethod, Names
from shared.delivery.contacts import UNASKED, Contact, Creation, Held, NotHeld, Result, Seen
from shared.delivery.destination import Destination
from shared.delivery.errors import DestinationError, ListGone, NoAnswer, NotSent, Refused
from shared.delivery.isolation import Verdict, isolate, refusals
from shared.delivery.progress import Load, Progress
from shared.delivery.read_back import Answer, both, confirmed, there, told_apart
from shared.delivery.sending import Sender
from shared.reasons.rows import RowReason

REFUSES_ALL: Final = 20
"""Contacts refused one by one, and none accepted, before the rest is not tried: then not they are at fault, but the
account, such as one that is past its contract's limit."""


class Upserts:
    """Sends the contacts of one delivery.

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
        self._address = destination.fields.address
        self._api = api
        self._sender = sender
        self._lists = lists
        self._method = method
        self._introducing = api.permissions if creation.new_people == "not_subscribed" else None
        self._even_suppressed = creation.even_suppressed
        self._loads: dict[str, Load] = {}
        self.lists_gone: set[int] = set()
        self._accepted = False
        self.refused: list[Progress] = []

    @property
    def refuses_all(self) -> bool:
        """Whether every contact so far was refused, and so many that the rest need not be tried."""
        return not self._accepted and len(self.refused) >= REFUSES_ALL

    def send(self, items: Sequence[Progress]) -> None:
        """Send contacts, each with as many of its lists as a call carries; by calls of their own where those are smaller."""
        loads = [self._load(item) for item in items]
        if self._method.contacts == self._can.contacts:
            self._send_loads(loads, self._method.contacts)
        else:
            self._send_loads([load for load in loads if not load.add and not load.remove], self._can.contacts)
            self._send_loads([load for load in loads if load.add or load.remove], self._method.contacts)

    def _load(self, item: Progress) -> Load:
        remove = item.open_removals if self._method.removals else ()
        return Load(item, item.open_lists[: self._method.lists], remove)

    def fill(self, work: Sequence[Progress]) -> None:
        """Put contacts on their lists by the calls that send them, as many lists a call as it carries, until none is left.

        A contact that turns out to be a new one begins anew, so there may be more rounds than lists, but not for ever.
        """
        for _ in range(2 * len(self._lists)):
            loads = [self._load(item) for item in work if not item.reason and item.operation.fields]
            open_loads = [load for load in loads if load.add]
            if not open_loads or self._sender.halted:
                return
            self._send_loads(open_loads, self._method.contacts)
            if not any(load.item.added.issuperset(load.add) for load in open_loads):
                return

    def _send_loads(self, loads: Sequence[Load], size: int) -> None:
        """Send contacts, `size` a call; who is at fault in a refused call is isolated, the others go through.

        As long as none was accepted perhaps no contact is at fault: a few are looked into before the others.
        """
        batches = list(self._batches(loads, size))
        few = REFUSES_ALL if size == 1 and not self._accepted else len(batches)
        for part in (batches[:few], batches[few:]):
            refused = refusals(part, self._send_batches)
            while refused and not self._accepted and not self.refuses_all:
                isolate(refused[:1], self._send_batches)
                refused = refused[1:]
            isolate(refused, self._send_batches)

    def _batches(self, loads: Sequence[Load], size: int) -> Iterator[Sequence[Load]]:
        """Cut contacts into calls: full ones, but small ones for those that failed before, to find the guilty one."""
        for most, chosen in (
            (size, [load for load in loads if load.item.operation.tries == 0]),
            (max(1, size // 10), [load for load in loads if load.item.operation.tries == 1]),
            (1, [load for load in loads if load.item.operation.tries > 1]),
        ):
            yield from _cut(chosen, most, self._can.largest)

    def _send_batches(self, batches: Sequence[Sequence[Load]]) -> list[Verdict]:
        """Send batches, a call each, and read the answers; none is sent any more once the account refuses all."""
        if self.refuses_all:
            return [Verdict.UNKNOWN] * len(batches)
        self._loads = {self.address(load.item): load for batch in batches for load in batch}
        contacts = [[self._contact(load) for load in batch] for batch in batches]
        answers = self._introduced(contacts, self._introducing) if self._introducing else self._sent(contacts)
        return [self._read(batch, answer) for batch, answer in zip(batches, answers, strict=True)]

    def _sent(self, batches: Sequence[Sequence[Contact]]) -> Sequence[Answer]:
        """Send batches; return what is known of each contact."""
        answers = self._sender.send([self._call(batch) for batch in batches])
        return self._believed(batches, answers, lambda held: self._api.look([one.contact_id for one in held]))

    def _introduced(self, batches: Sequence[Sequence[Contact]], permissions: Permissions) -> Sequence[Answer]:
        """Send batches whose new people are created beforehand: of each only those who are known to be there by then."""
        answers = self._sender.send([partial(permissions.introduce, batch) for batch in batches])
        bare = [[replace(contact, add=(), remove=()) for contact in batch] for batch in batches]
        known = self._believed(bare, answers, permissions.introduced)
        ready = [there(batch, answer) for batch, answer in zip(batches, known, strict=True)]
        sent = iter(self._sent([part for part in ready if part]))
        return [both(answer, next(sent)) if part else answer for answer, part in zip(known, ready, strict=True)]

    def _believed(
        self,
        batches: Sequence[Sequence[Contact]],
        answers: Sequence[Sequence[Result] | DestinationError],
        look: Callable[[Sequence[Held]], Sequence[Seen | None]],
    ) -> Sequence[Answer]:
        """Return what is known by answers: at once where they name each contact by an id of its own, else once they are read back."""
        if self._can.answers is Names.EACH:
            return self._told_apart(batches, answers)
        return self._read_back(batches, answers, look)

    def _contact(self, load: Load) -> Contact:
        fields = load.item.operation.fields or {}
        return Contact(
            self.address(load.item),
            fields,
            load.item.contact_id,
            self._named(load.add),
            self._named(load.remove),
            self._even_suppressed,
        )

    def _call(self, contacts: Sequence[Contact]) -> Callable[[], Sequence[Result]]:
        def sent() -> Sequence[Result]:
            try:
                return self._api.send(contacts, self._method)
            except NoAnswer as error:
                for contact in contacts if not isinstance(error, NotSent) else ():
                    self._loads[contact.address].ask(values=True)
                raise

        return sent

    def _told_apart(
        self, batches: Sequence[Sequence[Contact]], answers: Sequence[Sequence[Result] | DestinationError]
    ) -> list[Answer]:
        """Read those back who share an id with another one of their call."""
        return [
            answer if isinstance(answer, DestinationError) else self._owners(contacts, answer)
            for contacts, answer in zip(batches, answers, strict=True)
        ]

    def _owners(self, contacts: Sequence[Contact], answer: Sequence[Result]) -> Answer:
        counts = Counter(result.contact_id for result in answer if isinstance(result, Held))
        ids = [contact_id for contact_id, count in counts.items() if count > 1]
        if not ids:
            return answer
        looks = self._sender.send([partial(self._api.look, [contact_id]) for contact_id in ids])
        seen = [look if isinstance(look, DestinationError) else look[0] for look in looks]
        return told_apart(contacts, answer, dict(zip(ids, seen, strict=True)))

    def _read_back(
        self,
        batches: Sequence[Sequence[Contact]],
        answers: Sequence[Sequence[Result] | DestinationError],
        look: Callable[[Sequence[Held]], Sequence[Seen | None]],
    ) -> list[Answer]:
        """Believe of answers that name nobody what the contacts hold when they are read back, `looks` a call."""
        ids = [
            [result for result in answer if isinstance(result, Held)]
            if not isinstance(answer, DestinationError)
            else []
            for answer in answers
        ]
        size = self._can.looks
        parts = [
            (n, found[start : start + size]) for n, found in enumerate(ids) for start in range(0, len(found), size)
        ]
        looks = self._sender.send([partial(look, part) for _, part in parts])
        seen: list[list[Seen | None] | DestinationError] = [[] for _ in batches]
        for (n, _), shown in zip(parts, looks, strict=True):
            known = seen[n]
            if isinstance(shown, DestinationError):
                seen[n] = shown
            elif not isinstance(known, DestinationError):
                known.extend(shown)
        return [
            answer if isinstance(answer, DestinationError) else confirmed(contacts, answer, found)
            for contacts, answer, found in zip(batches, answers, seen, strict=True)
        ]

    def _read(self, batch: Sequence[Load], answer: Answer) -> Verdict:
        """Take an answer to all contacts of a call."""
        match answer:
            case ListGone() if any(load.add for load in batch):
                for load in batch:
                    self.lists_gone.update(load.add)
                    _note(load, answer)
                return Verdict.UNKNOWN
            case Refused():
                if len(batch) == 1:
                    self._refuse(batch[0].item)
                return Verdict.REFUSED
            case DestinationError():
                for load in batch:
                    _note(load, answer)
                return Verdict.UNKNOWN
        for load, result in zip(batch, answer, strict=True):
            self._take(load, result)
        return Verdict.ACCEPTED

    def _take(self, load: Load, result: Result | DestinationError) -> None:
        """Take what is known of one contact: it holds the new values and is on the lists, or it is not."""
        match result:
            case Held(contact_id):
                self._accepted = True
                load.item.hold(contact_id)
                load.confirm()
            case NotHeld.MISSING:
                self._accepted = True
                load.item.refuse(RowReason.MISSING_FROM_ANSWER)
            case NotHeld.SUPPRESSED:
                self._accepted = True
                load.item.suppress()
            case NotHeld.REFUSED:
                self._refuse(load.item)
            case NotHeld():
                load.item.failed = True
            case _:
                _note(load, result)

    def _refuse(self, item: Progress) -> None:
        item.refuse(RowReason.REFUSED)
        self.refused.append(item)

    def address(self, item: Progress) -> str:
        """Return the address that an operation's contact is sent by, in lower case; empty for one that is only moved."""
        return str((item.operation.fields or {}).get(self._address, "")).lower()

    def _named(self, indexes: Sequence[int]) -> tuple[str, ...]:
        return tuple(self._lists[index] for index in indexes)


def _note(load: Load, error: DestinationError) -> None:
    if not isinstance(error, NotSent):
        load.fail(values=True)


def _cut(loads: Sequence[Load], most: int, largest: int | None) -> Iterator[Sequence[Load]]:
    """Cut contacts into parts of `most`, and of at most `largest` bytes unless a single one is larger."""
    part: list[Load] = []
    size = 0
    for load in loads:
        bytes_of = len(json.dumps(load.item.operation.fields, ensure_ascii=False).encode()) if largest else 0
        if part and (len(part) == most or (largest and size + bytes_of > largest)):
            yield part
            part, size = [], 0
        part.append(load)
        size += bytes_of
    if part:
        yield part
