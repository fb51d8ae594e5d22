"""What a destination can do, declared as numbers: so that chunking, delivery and the estimate of calls know no platform by name."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

ANY_LISTS: Final = 1 << 16
"""As many lists as there are: more than an export has."""


@dataclass(frozen=True, slots=True)
class ListMethod:
    """A way to put contacts on lists: what a call that sends contacts carries beside their values.

    `name` is what the accounts table calls it. `contacts` is how many contacts a call takes that carries lists (0: there is
    no such call), `lists` on how many lists it puts each of them (0: none; ANY_LISTS: on all), and `removals`
    whether it also takes them off lists. What such a call does not carry is moved by calls of its own.
    """

    name: str
    contacts: int
    lists: int
    removals: bool = False


class Names(Enum):
    """Whom an answer speaks of."""

    EACH = auto()
    """Every contact that was sent, by its address or in an order that is known to be kept."""

    NOBODY = auto()
    """None of them: what was accepted is believed only once the contacts are read back by their ids."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a destination's calls take and tell; all sizes are of one call."""

    contacts: int
    """Contacts that a call sends without lists."""

    moves: int
    """Contacts that a call puts on lists, or takes off them, without sending their values."""

    move_lists: int
    """Lists on and off which such a call moves each contact: 1 (then either on or off it), or ANY_LISTS."""

    looks: int
    """Contacts whose lists one call reads (`Account.look`)."""

    page: int
    """Members on a full page of a list (`Account.members`)."""

    answers: Names = Names.EACH
    """Whom the answer to an accepted call names."""

    refusals: Names = Names.NOBODY
    """Whom a refusal names. Where nobody, the guilty are found by sending halves; where each, one call tells."""

    largest: int | None = None
    """Bytes that the contacts of one call may have as JSON; None if only their number counts."""


def fills_by_sending(method: ListMethod, can: Capabilities) -> bool:
    """Whether contacts get on lists in fewer calls by being sent again than by being moved."""
    return method.lists > 0 and method.contacts > can.moves
