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

    @property
    def open_list(self) -> int | None:
        """The next list the contact has to go on."""
        return next((place for place in self.operation.add if place not in self.added), None)

    def refuse(self, reason: RowReason) -> None:
        """Note that Autopilot will not have this contact."""
        self.reason = reason

    @property
    def has_moved(self) -> bool:
        """Whether anything of it was confirmed."""
        return self.held or bool(self.added) or bool(self.removed)


@dataclass(frozen=True, slots=True)
class Delivered:
    """What came of a chunk: one Progress an operation, in order, all settled but those in `unsettled`."""

    settled: tuple[Progress, ...]
    unsettled: tuple[Progress, ...]

    @property
    def has_moved(self) -> bool:
        """Whether anything came of it."""
        return bool(self.settled) or any(item.has_moved for item in self.unsettled)


def remainder(unsettled: Sequence[Progress], *, counted: bool = True) -> tuple[list[Operation], list[Progress]]:
    """Split what is unsettled into operations for later and those to give up, which failed MOST_TRIES times.

    A failure is `counted` only where Autopilot answers other calls: then it belongs to its operation.
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
                    upsert=item.operation.upsert and not item.held,
                    add=tuple(place for place in item.operation.add if place not in item.added),
                    remove=tuple(place for place in item.operation.remove if place not in item.removed),
                    tries=tries,
                )
            )
    return later, given_up
