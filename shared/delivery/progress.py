"""How far a chunk's operations have come, and what is left of them for later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from shared.delivery.chunks import Operation
from shared.reasons.rows import RowReason

MOST_TRIES: Final = 5
"""Times an operation may have no answer while others go through before it is left for the next run."""


@dataclass(slots=True)
class Progress:
    """How far one operation has come.

    `confirmed` says that the contact holds the operation's values, `recreated` that the one that was known is gone: whatever
    else is noted is of the one that took its place. `failed` says that a call for it had no answer, `sent` that one had none
    which carried its values, `suppressed` that it is not created and need not be tried again. `added` and `removed` are lists by
    their index among the run's, `attempted` those that it was to go on, and `perhaps_removed` those that it was to be taken
    off, by a call that had no answer.
    """

    operation: Operation
    contact_id: str | None
    confirmed: bool = False
    recreated: bool = False
    failed: bool = False
    sent: bool = False
    suppressed: bool = False
    added: set[int] = field(default_factory=set)
    removed: set[int] = field(default_factory=set)
    attempted: set[int] = field(default_factory=set)
    perhaps_removed: set[int] = field(default_factory=set)
    reason: RowReason | None = None

    @property
    def is_done(self) -> bool:
        """Whether everything was confirmed."""
        return (self.confirmed or not self.operation.upsert) and not self.open_lists and not self.open_removals

    @property
    def is_unconfirmed(self) -> bool:
        """Whether the contact may hold the operation's values, though nobody confirmed it."""
        return self.sent and self.operation.upsert and not self.confirmed

    @property
    def in_doubt(self) -> Operation:
        """The operation as others may have carried it out, too; that the contact holds its values is known by then."""
        return replace(self.operation, contact_id=self.contact_id, upsert=self.operation.upsert and not self.confirmed)

    @property
    def open_lists(self) -> tuple[int, ...]:
        """The lists that the contact still has to go on."""
        return tuple(index for index in self.operation.add if index not in self.added)

    @property
    def open_removals(self) -> tuple[int, ...]:
        """The lists that the contact still has to be taken off."""
        return tuple(index for index in self.operation.remove if index not in self.removed)

    def refuse(self, reason: RowReason) -> None:
        """Note that the destination will not have this contact."""
        self.reason = reason

    def hold(self, contact_id: str) -> None:
        """Note that the contact holds the operation's values, under this id: another than the known one is of a new contact."""
        if self.contact_id not in {None, contact_id}:
            self.lose()
        self.contact_id, self.confirmed = contact_id, True

    def lose(self) -> None:
        """Note that the contact that was known is gone: nothing that was confirmed of it holds any more."""
        self.recreated, self.confirmed = True, False
        self.added.clear()

    def suppress(self) -> None:
        """Note that the destination keeps the contact on its suppression list: nothing more is to be done for it."""
        if self.contact_id is not None:  # it is not created, so it was gone
            self.lose()
        self.contact_id, self.suppressed, self.confirmed = None, True, True
        self.added.update(self.operation.add)
        self.removed.update(self.operation.remove)

    @property
    def has_moved(self) -> bool:
        """Whether anything of it was confirmed."""
        return self.confirmed or bool(self.added) or bool(self.removed)


@dataclass(frozen=True, slots=True)
class Load:
    """An operation's part in one call: the lists (by index among the run's) that the call puts it on and takes it off."""

    item: Progress
    add: tuple[int, ...] = ()
    remove: tuple[int, ...] = ()

    def confirm(self) -> None:
        """Note that the call put the contact on the lists, and took it off them."""
        self.item.added.update(self.add)
        self.item.removed.update(self.remove)

    def ask(self, *, values: bool = False) -> None:
        """Note that the call was made, with the contact's `values` or without, and had no answer: it may be done.

        That holds whatever it is answered when it is repeated.
        """
        self.item.attempted.update(self.add)
        self.item.perhaps_removed.update(self.remove)
        self.item.sent |= values

    def fail(self, *, values: bool = False) -> None:
        """Note the same of a call that is not repeated now."""
        self.item.failed = True
        self.ask(values=values)


@dataclass(frozen=True, slots=True)
class Delivered:
    """What came of a chunk: one Progress an operation, in order, all settled but those in `unsettled`."""

    settled: tuple[Progress, ...]
    unsettled: tuple[Progress, ...]

    @property
    def has_moved(self) -> bool:
        """Whether anything came of it."""
        return bool(self.settled) or any(item.has_moved for item in self.unsettled)

    @property
    def is_whole(self) -> bool:
        """Whether everything was done, and nobody refused."""
        return not self.unsettled and all(item.reason is None for item in self.settled)

    def excused(self) -> Delivered:
        """Return the same with nobody refused by the destination: they are unsettled, as what they met is no fault of theirs."""
        refused = [item for item in self.settled if item.reason is RowReason.REFUSED]
        settled = tuple(item for item in self.settled if item.reason is not RowReason.REFUSED)
        for item in refused:
            item.reason = None
        return Delivered(settled, (*self.unsettled, *refused))


def remainder(unsettled: Sequence[Progress], *, counted: bool = True) -> tuple[list[Operation], list[Progress]]:
    """Split what is unsettled into operations for later and those to give up, which failed MOST_TRIES times.

    A failure is `counted` only where the destination answers other calls: then it belongs to its operation.
    """
    later: list[Operation] = []
    given_up: list[Progress] = []
    for item in unsettled:
        tries = item.operation.tries + (item.failed and counted)
        if tries >= MOST_TRIES:
            item.refuse(RowReason.NO_ANSWER)
            given_up.append(item)
        else:
            later.append(
                replace(
                    item.operation,
                    contact_id=item.contact_id,
                    upsert=item.operation.upsert and not item.confirmed,
                    add=item.open_lists,
                    remove=item.open_removals,
                    tries=tries,
                )
            )
    return later, given_up
