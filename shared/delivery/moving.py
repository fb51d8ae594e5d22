"""Moves: contacts that are there put on lists and taken off them.

An answer that is unclear, or names nobody, is looked behind: the contact itself says which lists it is on. What is not
done is asked for again. Refusals in a row are nobody's fault: a move names a contact that the destination has taken
already.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Final

from shared.delivery.account import Account
from shared.delivery.capabilities import Capabilities, Names
from shared.delivery.contacts import Held, Move, NotHeld, Result, Seen
from shared.delivery.errors import ContactGone, DestinationError, ListGone, NoAnswer, NotSent, Refused, Unclear
from shared.delivery.isolation import Verdict, isolate, refusals
from shared.delivery.read_back import holds
from shared.delivery.sending import Sender

IN_A_ROW: Final = 20
"""Refusals in a row before the rest is not tried, and unclear answers in a row before a look at what they did."""

TURNS: Final = 4
"""How often what an unclear answer left undone is asked for."""

type Outcome = DestinationError | None
"""What came of a move: None if it is done."""


class Moves:
    """Makes the moves of one delivery."""

    def __init__(self, api: Account, sender: Sender, capabilities: Capabilities) -> None:
        self._api = api
        self._sender = sender
        self._can = capabilities
        self._lock = Lock()
        self._refused = 0
        self._unclear = 0
        self._answers_unclearly = False

    @property
    def refuses_all(self) -> bool:
        """Whether so many moves in a row were refused that not they are at fault."""
        return self._refused >= IN_A_ROW

    def make(self, moves: Sequence[Move], asked: Callable[[int], None] = lambda _: None) -> list[Outcome]:
        """Make moves, as many a call as the destination takes; return what came of each.

        `asked` is told the number of each whose call had no answer: it may be done, whatever its repeat is answered.
        """
        outcomes: list[Outcome] = [NotSent("not sent")] * len(moves)
        open_moves = list(range(len(moves)))
        for _ in range(TURNS):
            unsent = self._send(moves, open_moves, outcomes, asked)
            undone = self._look(moves, outcomes)
            before, open_moves = len(open_moves), undone + unsent
            if not open_moves or len(unsent) == before or self._sender.halted or self.refuses_all:
                break
        return outcomes

    def _send(
        self, moves: Sequence[Move], numbers: Sequence[int], outcomes: list[Outcome], asked: Callable[[int], None]
    ) -> list[int]:
        """Make the moves of these numbers and note what came of them; return the numbers of those that were not sent."""
        unsent = set(numbers)

        def send(batches: Sequence[Sequence[int]]) -> list[Verdict]:
            answers = self._sender.send([self._guarded(moves, batch, asked) for batch in batches])
            for batch, answer in zip(batches, answers, strict=True):
                if not isinstance(answer, NotSent):
                    unsent.difference_update(batch)
                    for n, outcome in zip(batch, self._outcomes(len(batch), answer), strict=True):
                        outcomes[n] = outcome
            return [Verdict.REFUSED if isinstance(answer, Refused) else _verdict(answer) for answer in answers]

        batches = [numbers[start : start + self._can.moves] for start in range(0, len(numbers), self._can.moves)]
        isolate(refusals(batches, send), send)
        return [n for n in numbers if n in unsent]

    def _outcomes(self, count: int, answer: Sequence[Result] | DestinationError) -> Sequence[Outcome]:
        """Return what an answer says of each move of a call; a refusal of several blames none of them yet."""
        if isinstance(answer, Refused) and count > 1:
            return [NoAnswer("refused together with others")] * count
        if isinstance(answer, DestinationError):
            return [answer] * count
        return [self._outcome(result) for result in answer]

    def _outcome(self, result: Result) -> Outcome:
        match result:
            case Held():
                return None if self._can.answers is Names.EACH else Unclear("an answer that names nobody")
            case NotHeld.GONE:
                return ContactGone("the answer says that there is no such contact")
            case NotHeld.REFUSED:
                return Refused("the answer refuses this move")
            case _:
                return NoAnswer("the answer does not say that this move is made")

    def _look(self, moves: Sequence[Move], outcomes: list[Outcome]) -> list[int]:
        """Look behind the unclear outcomes and settle them; return the numbers of what is not done."""
        unclear = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, Unclear)]
        found = self._found(list(dict.fromkeys(moves[n].contact_id for n in unclear)), self._can.looks)
        # An answer about several may be one about some of them: who is left out of it is asked about alone.
        left_out = [contact_id for contact_id, seen in found.items() if seen is None] if self._can.looks > 1 else []
        found |= self._found(left_out, 1)
        undone = [n for n in unclear if not self._settle(n, moves[n], found[moves[n].contact_id], outcomes)]
        self._unclear = 0
        return undone

    def _found(self, ids: Sequence[str], size: int) -> dict[str, Seen | DestinationError | None]:
        """Look at contacts, `size` a call; return them by their ids."""
        parts = [ids[start : start + size] for start in range(0, len(ids), size)]
        answers = self._sender.send([self._reading(part) for part in parts])
        return {
            contact_id: answer if isinstance(answer, DestinationError) else answer[number]
            for part, answer in zip(parts, answers, strict=True)
            for number, contact_id in enumerate(part)
        }

    def _settle(self, n: int, move: Move, seen: Seen | DestinationError | None, outcomes: list[Outcome]) -> bool:
        """Note what a look shows of a move; return False if it is to be made again."""
        match seen:
            case NotSent():
                return True  # as unclear as it was
            case DestinationError():
                outcomes[n] = seen
            case None:
                outcomes[n] = ContactGone("a look shows that there is no such contact")
            case _ if holds(seen, move.add, move.remove):
                outcomes[n] = None
                self._answers_unclearly = True
            case _:
                return False
        return True

    def _reading(self, contact_ids: Sequence[str]) -> Callable[[], Sequence[Seen | None]]:
        return lambda: self._api.look(contact_ids)

    def _guarded(
        self, moves: Sequence[Move], numbers: Sequence[int], asked: Callable[[int], None]
    ) -> Callable[[], Sequence[Result]]:
        """Make the moves of these numbers in a call, unless too many in a row were refused, or are to be looked behind."""

        def made() -> Sequence[Result]:
            if self.refuses_all or (self._unclear >= IN_A_ROW and not self._answers_unclearly):
                raise NotSent("not sent")
            try:
                results = self._api.move([moves[n] for n in numbers])
            except DestinationError as error:
                self._note(error)
                for n in numbers if _may_be_done(error) else ():
                    asked(n)
                raise
            for result in results:
                self._note(None if isinstance(result, Held) else self._outcome(result))
            return results

        return made

    def _note(self, outcome: Outcome) -> None:
        with self._lock:
            if isinstance(outcome, Refused) and not isinstance(outcome, ContactGone | ListGone):
                self._refused += 1
            elif outcome is None:
                self._refused = 0
            self._unclear = self._unclear + 1 if isinstance(outcome, Unclear) else 0


def _may_be_done(error: DestinationError) -> bool:
    """Return whether a call may be done that ended so; an unclear answer is looked behind."""
    return isinstance(error, NoAnswer) and not isinstance(error, NotSent | Unclear)


def _verdict(answer: object) -> Verdict:
    return Verdict.UNKNOWN if isinstance(answer, DestinationError) else Verdict.ACCEPTED
