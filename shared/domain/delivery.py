"""Deliver a chunk: upsert its contacts, put them on their lists, take leavers off, and read every answer.

Autopilot's bulk upsert takes 100 contacts a call. Whether it also honours `_autopilot_list` is proved an account
(`shared.domain.proof`); where it does not, each membership is a call. Every call may be repeated: an upsert goes by
address, adding and removing a member say "not modified" the second time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from shared.domain.answers import AutopilotError, ContactGone, ListGone, Refused
from shared.domain.chunks import Operation
from shared.domain.sending import NotSent, Sender
from shared.domain.state import Receipt
from shared.reasons import RowReason

BULK_SIZE: Final = 100
"""Contacts in a bulk call; more is answered 400 (vendor, 2015-06-30)."""

REFUSES_ALL: Final = 20
"""Contacts refused one by one, and none accepted, before the rest is not tried: then not they are at fault, but the
account, such as one that is past its contract's limit."""

MOST_TRIES: Final = 5
"""Times an operation may fail while others go through before it counts as refused."""


type Batch = Sequence[tuple[Progress, int | None]]
"""Contacts of one bulk call, each with the place of the list it shall go on, if any."""


class Account(Protocol):
    """The calls that delivery makes. Each raises an AutopilotError when there is no result."""

    def upsert(self, contacts: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """Send at most 100 contacts; gives contact ids by lower-case address. Who is missing from it failed."""
        ...

    def add(self, list_id: str, contact: str) -> None:
        """Put a contact on a list; harmless if it is there already."""
        ...

    def remove(self, list_id: str, contact: str) -> None:
        """Take a contact off a list; harmless if it is not there."""
        ...

    def is_member(self, list_id: str, contact: str) -> bool:
        """Say whether a contact is on a list."""
        ...


@dataclass(slots=True)
class Progress:
    """How far one operation has come."""

    operation: Operation
    contact_id: str | None
    held: bool = False
    reborn: bool = False
    failed: bool = False
    added: set[int] = field(default_factory=set)
    removed: set[int] = field(default_factory=set)
    attempted: set[int] = field(default_factory=set)
    reason: RowReason | None = None

    @property
    def email(self) -> str:
        """The address, as the bulk answer names it."""
        return str((self.operation.fields or {}).get("Email", "")).lower()

    @property
    def is_done(self) -> bool:
        """Whether Autopilot confirmed everything."""
        operation = self.operation
        return (
            (self.held or not operation.upsert)
            and self.added.issuperset(operation.add)
            and self.removed.issuperset(operation.remove)
        )

    def refuse(self, reason: RowReason) -> None:
        """Note that Autopilot will not have this contact."""
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Delivered:
    """What came of a chunk: one Progress an operation, in order, all settled but those in `unsettled`."""

    settled: tuple[Progress, ...]
    unsettled: tuple[Progress, ...]


class Delivery:
    """Delivers operations to one account.

    `lists` are the ids of the run's lists, in order. `bulk_lists` says that the account's bulk call puts contacts on
    lists.
    """

    def __init__(self, api: Account, sender: Sender, lists: Sequence[str], *, bulk_lists: bool) -> None:
        self._api = api
        self._sender = sender
        self._lists = lists
        self._bulk_lists = bulk_lists
        self.lists_gone: set[int] = set()
        self._accepted = False
        self._refused = 0

    @property
    def refuses_all(self) -> bool:
        """Whether Autopilot refused every contact so far, and so many that the rest need not be tried."""
        return not self._accepted and self._refused >= REFUSES_ALL

    def deliver(self, operations: Sequence[Operation]) -> Delivered:
        """Carry out the operations as far as Autopilot, the deadline and the key allow."""
        work = [Progress(operation, operation.contact_id) for operation in operations]
        self._upsert([item for item in work if self._goes_by_bulk(item)])
        if self._bulk_lists:
            self._add_by_bulk(work)
        lost = self._add_by_call(work)
        if lost:
            self._upsert(lost)
            self._add_by_call(lost)
        self._remove(work)
        settled = [item for item in work if item.reason or item.is_done]
        return Delivered(tuple(settled), tuple(item for item in work if not (item.reason or item.is_done)))

    def _goes_by_bulk(self, item: Progress) -> bool:
        """Whether the contact itself must be sent: it is new or changed, or there is no id to call its lists with."""
        return item.operation.upsert or (bool(item.operation.add) and item.contact_id is None)

    def _upsert(self, items: Sequence[Progress]) -> None:
        """Send contacts, 100 a call, with their first list where the account honours it."""
        self._bulk([(item, self._open_list(item) if self._bulk_lists else None) for item in items])

    def _add_by_bulk(self, work: Sequence[Progress]) -> None:
        """Put contacts on their lists, 100 a call and one list a contact, until no list is left."""
        while True:
            pairs = [(item, self._open_list(item)) for item in work if not item.reason and item.operation.fields]
            open_pairs = [(item, place) for item, place in pairs if place is not None]
            before = len(open_pairs)
            if not before or self._sender.halted:
                return
            self._bulk(open_pairs)
            if sum(place is not None and place in item.added for item, place in open_pairs) == 0:
                return

    def _open_list(self, item: Progress) -> int | None:
        """Give the next list the contact has to go on."""
        return next((place for place in item.operation.add if place not in item.added), None)

    def _bulk(self, pairs: Batch) -> None:
        """Send contacts by bulk calls; a refused call is halved until only the guilty contact is left."""
        refused = self._send_batches(list(_batches(pairs)))
        if not self._accepted:  # perhaps no contact is at fault: look into one batch before the others
            self._isolate(refused[:1])
            refused = refused[1:]
        self._isolate(refused)

    def _isolate(self, refused: Sequence[Batch]) -> None:
        while refused and not self.refuses_all:
            refused = self._send_batches([half for batch in refused for half in self._halve(batch)])

    def _send_batches(self, batches: Sequence[Batch]) -> list[Batch]:
        """Send batches, a call each, and read the answers; gives the batches that were refused."""
        answers = self._sender.send([self._bulk_call(batch) for batch in batches])
        refused: list[Batch] = []
        for batch, answer in zip(batches, answers, strict=True):
            if isinstance(answer, ListGone) and any(place is not None for _, place in batch):
                self.lists_gone.update(place for _, place in batch if place is not None)
                self._note_failure(batch, answer)
            elif isinstance(answer, Refused):
                refused.append(batch)
            elif isinstance(answer, AutopilotError):
                self._note_failure(batch, answer)
            else:
                self._read_bulk(batch, answer)
        return refused

    def _bulk_call(self, batch: Batch) -> Callable[[], dict[str, str]]:
        bodies = [self._body(item, place) for item, place in batch]
        return lambda: self._api.upsert(bodies)

    def _body(self, item: Progress, place: int | None) -> Mapping[str, Any]:
        fields = item.operation.fields or {}
        return fields if place is None else {**fields, "_autopilot_list": self._lists[place]}

    def _halve(self, batch: Batch) -> Iterator[Batch]:
        if len(batch) == 1:
            batch[0][0].refuse(RowReason.REFUSED_BY_AUTOPILOT)
            self._refused += 1
            return
        middle = len(batch) // 2
        yield batch[:middle]
        yield batch[middle:]

    def _note_failure(self, batch: Batch, error: AutopilotError) -> None:
        if isinstance(error, NotSent):
            return
        for item, place in batch:
            item.failed = True
            if place is not None:
                item.attempted.add(place)

    def _read_bulk(self, batch: Batch, ids: Mapping[str, str]) -> None:
        """Take the answer: who is in it holds the new fields (and is on the list); who is missing failed."""
        self._accepted = True
        for item, place in batch:
            contact_id = ids.get(item.email)
            if contact_id is None:
                item.refuse(RowReason.MISSING_FROM_ANSWER)
                continue
            item.contact_id, item.held = contact_id, True
            if place is not None:
                item.added.add(place)

    def _add_by_call(self, work: Sequence[Progress]) -> list[Progress]:
        """Put contacts on their lists, a call each; gives those that Autopilot no longer knows."""
        pairs = [
            (item, place)
            for item in work
            if item.contact_id and not item.reason
            for place in item.operation.add
            if place not in item.added
        ]
        answers = self._sender.send([self._member_call(self._api.add, item, place) for item, place in pairs])
        lost: dict[int, Progress] = {}
        for (item, place), answer in zip(pairs, answers, strict=True):
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
                    item.refuse(RowReason.REFUSED_BY_AUTOPILOT)
                case NotSent():
                    pass
                case _:
                    item.failed = True
                    item.attempted.add(place)
        return list(lost.values())

    def _remove(self, work: Sequence[Progress]) -> None:
        """Take contacts off lists they left; a contact or a list that is gone needs no removal."""
        for item in work:
            if item.contact_id is None:
                item.removed.update(item.operation.remove)
        pairs = [(item, place) for item in work for place in item.operation.remove if place not in item.removed]
        answers = self._sender.send([self._member_call(self._api.remove, item, place) for item, place in pairs])
        for (item, place), answer in zip(pairs, answers, strict=True):
            if answer is None or isinstance(answer, ContactGone | ListGone):
                item.removed.add(place)
            elif isinstance(answer, Refused):
                item.refuse(RowReason.REFUSED_BY_AUTOPILOT)
            elif not isinstance(answer, NotSent):
                item.failed = True

    def _member_call(self, call: Callable[[str, str], None], item: Progress, place: int) -> Callable[[], None]:
        list_id, contact = self._lists[place], item.contact_id or ""
        return lambda: call(list_id, contact)

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


def _batches(pairs: Batch) -> Iterator[Batch]:
    """Cut contacts into bulk calls: full ones, but small ones for those that failed before, to find the guilty one."""
    for size, chosen in (
        (BULK_SIZE, [pair for pair in pairs if pair[0].operation.tries == 0]),
        (BULK_SIZE // 10, [pair for pair in pairs if pair[0].operation.tries == 1]),
        (1, [pair for pair in pairs if pair[0].operation.tries > 1]),
    ):
        for start in range(0, len(chosen), size):
            yield chosen[start : start + size]


def remainder(unsettled: Sequence[Progress]) -> tuple[list[Operation], list[Progress]]:
    """Split what is unsettled into operations for later and those to give up, which failed MOST_TRIES times.

    To be called only when Autopilot answers other calls, so that a failure counts against its operation.
    """
    later: list[Operation] = []
    given_up: list[Progress] = []
    for item in unsettled:
        tries = item.operation.tries + item.failed
        if tries >= MOST_TRIES:
            item.refuse(RowReason.REFUSED_BY_AUTOPILOT)
            given_up.append(item)
        else:
            later.append(
                replace(
                    item.operation,
                    contact_id=item.contact_id,
                    upsert=item.operation.upsert and not item.held,
                    add=tuple(place for place in item.operation.add if place not in item.added),
                    remove=tuple(place for place in item.operation.remove if place not in item.removed),
                    tries=tries,
                )
            )
    return later, given_up
