"""Moves: contacts put on a list, or taken off it, a call each.

An answer that is unclear is looked behind: the contact's own document says whether it is on the list. What is not done
is asked for again. Refusals in a row are nobody's fault: a move names a contact that Autopilot has taken already.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Final

from shared.delivery.account import Account
from shared.delivery.errors import ContactGone, DestinationError, ListGone, Refused, Unclear
from shared.delivery.sending import NotSent, Sender

IN_A_ROW: Final = 20
"""Refusals in a row before the rest is not tried, and unclear answers in a row before a look at what they did."""

TURNS: Final = 4
"""How often what an unclear answer left undone is asked for."""

type Move = tuple[str, str]
"""A list's id and a contact's."""

type Outcome = DestinationError | None
"""What came of a move: None if it is done."""


class Moves:
    """Makes the moves of one delivery."""

    def __init__(self, api: Account, sender: Sender) -> None:
        self._api = api
        self._sender = sender
        self._lock = Lock()
        self._refused = 0
        self._unclear = 0
        self._answers_unclearly = False

    @property
    def refuses_all(self) -> bool:
        """Whether so many moves in a row were refused that not they are at fault."""
        return self._refused >= IN_A_ROW

    def add(self, moves: Sequence[Move]) -> list[Outcome]:
        """Put contacts on lists."""
        return self._make(self._api.add, moves, wanted=True)

    def remove(self, moves: Sequence[Move]) -> list[Outcome]:
        """Take contacts off lists."""
        return self._make(self._api.remove, moves, wanted=False)

    def _make(self, call: Callable[[str, str], None], moves: Sequence[Move], *, wanted: bool) -> list[Outcome]:
        outcomes: list[Outcome] = [NotSent("not sent")] * len(moves)
        open_moves = list(range(len(moves)))
        for _ in range(TURNS):
            before = len(open_moves)
            sent = self._sender.send([self._guarded(call, moves[n]) for n in open_moves])
            for n, outcome in zip(open_moves, sent, strict=True):
                if not isinstance(outcome, NotSent):
                    outcomes[n] = outcome
            unsent = [n for n, outcome in zip(open_moves, sent, strict=True) if isinstance(outcome, NotSent)]
            undone = self._look(moves, outcomes, wanted)
            open_moves = undone + unsent
            if not open_moves or self._sender.halted or self.refuses_all:
                break
            if len(unsent) == before:
                break
        return outcomes

    def _look(self, moves: Sequence[Move], outcomes: list[Outcome], wanted: bool) -> list[int]:
        """Look behind the unclear outcomes and settle them; return the places of what is not done."""
        unclear = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, Unclear)]
        found = self._sender.send([self._membership(moves[n]) for n in unclear])
        undone = []
        for n, there in zip(unclear, found, strict=True):
            if isinstance(there, NotSent):
                continue
            if isinstance(there, DestinationError):
                outcomes[n] = there
            elif there is wanted:
                outcomes[n] = None
                self._answers_unclearly = True
            else:
                undone.append(n)
        self._unclear = 0
        return undone

    def _membership(self, move: Move) -> Callable[[], bool]:
        return lambda: self._api.is_member(*move)

    def _guarded(self, call: Callable[[str, str], None], move: Move) -> Callable[[], None]:
        """Make a call that is not made any more once too many in a row were refused, or are to be looked behind."""

        def made() -> None:
            if self.refuses_all or (self._unclear >= IN_A_ROW and not self._answers_unclearly):
                raise NotSent("not sent")
            try:
                call(*move)
            except DestinationError as error:
                self._note(error)
                raise
            self._note(None)

        return made

    def _note(self, outcome: Outcome) -> None:
        with self._lock:
            if isinstance(outcome, Refused) and not isinstance(outcome, ContactGone | ListGone):
                self._refused += 1
            elif outcome is None:
                self._refused = 0
            self._unclear = self._unclear + 1 if isinstance(outcome, Unclear) else 0
