"""Isolation: who is at fault in refused calls, found in few calls although a refusal names nobody.

Each refused batch is searched by halves for one item that is refused alone (seven calls for a batch of 100, an eighth
where the last step left one that was never sent alone). Whoever drops out of the search unjudged is sent again
together with others, in batches that get smaller: where many are at fault, large ones would be refused for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import Final

SHRINK: Final = 4
"""How much smaller each new batch of the unjudged is: 2 takes a tenth fewer calls where few are at fault, half as many
more where all are."""


class Verdict(Enum):
    """What came of a batch."""

    ACCEPTED = auto()
    REFUSED = auto()
    UNKNOWN = auto()
    """No answer, or not sent: nobody in it is judged, and nobody is looked for."""


type Send[Item] = Callable[[Sequence[Sequence[Item]]], Sequence[Verdict]]
"""Sends batches and says what came of each. It sees who was refused alone, which is all that isolation is for."""


def refusals[Item](batches: Sequence[Sequence[Item]], send: Send[Item]) -> list[Sequence[Item]]:
    """Send batches; return those that were refused and have more than one item, so that one is still to be found."""
    judged = zip(batches, send(batches), strict=True)
    return [batch for batch, verdict in judged if verdict is Verdict.REFUSED and len(batch) > 1]


def isolate[Item](refused: Sequence[Sequence[Item]], send: Send[Item]) -> None:
    """Send the items of refused batches again, until each was accepted, refused alone, or had no answer."""
    size = max(map(len, refused), default=0)
    while refused:
        suspects, cleared = refused, list[Item]()
        while suspects:
            suspects, more = _halve(suspects, send)
            cleared += more
        size = max(1, size // SHRINK)
        refused = refusals([cleared[start : start + size] for start in range(0, len(cleared), size)], send)


def _halve[Item](suspects: Sequence[Sequence[Item]], send: Send[Item]) -> tuple[list[Sequence[Item]], list[Item]]:
    """Send one half of each batch; return the halves that hold somebody at fault, and who drops out unjudged.

    Where the half that was sent is accepted, the other is at fault, without asking.
    """
    halves = [(batch[: (len(batch) + 1) // 2], batch[(len(batch) + 1) // 2 :]) for batch in suspects]
    closer, cleared = list[Sequence[Item]](), list[Item]()
    for (first, second), verdict in zip(halves, send([first for first, _ in halves]), strict=True):
        if verdict is Verdict.REFUSED:
            cleared += second
            closer += [first] if len(first) > 1 else []
        elif verdict is Verdict.ACCEPTED and second:
            closer.append(second)
    return closer, cleared
