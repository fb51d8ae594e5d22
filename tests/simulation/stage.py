"""The stage: actors that take turns, one at a time, handing over at every call to the outside; and the time they live in.

Each actor is a greenlet: its calls stand still where it handed over, and only who is on stage runs. So a schedule, the order
of turns and what goes wrong at which, determines everything, and can be played again.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NoReturn, Protocol

from greenlet import getcurrent, greenlet

BEGINNING: Final = 1_800_000_000.0
"""The time at which every play begins, in seconds since 1970."""

TURN: Final = 0.02
"""Seconds that a call takes."""


class Killed(BaseException):
    """The actor's process is gone: nothing it still does has an effect."""


class Fault(StrEnum):
    """What goes wrong with a call."""

    CRASH = "its process dies before"
    CRASH_AFTER = "its process dies after"
    LOSE = "done, but the answer is lost"
    FAIL = "not done: no answer"
    REPEAT = "done, answered 500, and repeated by the SDK"
    THROTTLE = "answered 429"
    TIMEOUT = "done, but answered 408"
    DROP = "leaves a contact out"


@dataclass(eq=False)
class Actor:
    """Somebody with turns: `ready` says from when on it can go on, `skew` how far its clock is off."""

    name: str
    body: Callable[[], None]
    skew: float = 0.0
    ready: Callable[[], float] = lambda: 0.0
    idle: bool = True
    doomed: bool = False
    over: bool = False
    label: str = ""
    calls: Any = None


class Director(Protocol):
    """Decides who goes on, and what goes wrong."""

    def next(self, stage: Stage, before: Actor) -> Actor | None:
        """Choose who goes on after `before` handed over; None lowers the curtain."""
        ...

    def fault(self, stage: Stage, actor: Actor, label: str) -> Fault | None:
        """Return what goes wrong with the call that `actor` is about to make."""
        ...


class Stage:
    """Actors, the baton, the time, and a record of what was done."""

    def __init__(self, director: Director) -> None:
        self.director = director
        self.now = BEGINNING
        self.steps = 0
        self.actors: list[Actor] = []
        self._record: list[tuple[int, float, str]] = []
        self.app: Callable[[], Any] = lambda: None
        self.died: Callable[[Actor], None] = lambda actor: None
        self.broke: list[BaseException] = []
        self._audience = getcurrent()
        self._closing = False
        self._chance = 0
        self._identities = 0
        self.faults = 0

    def add(self, name: str, body: Callable[[], None], *, skew: float = 0.0, after: float = 0.0) -> Actor:
        """Add an actor, who begins `after` so many seconds."""
        begins = self.now + after
        actor = Actor(name, body, skew, lambda: begins)
        actor.calls = greenlet(lambda *_: self._play(actor), self._audience)
        actor.calls.here = (self, actor)
        self.actors.append(actor)
        return actor

    def play(self, first: Actor) -> None:
        """Let actors go on until the director lowers the curtain; raises what broke the play itself."""
        first.calls.switch()
        if self.broke:
            raise self.broke[0]

    def close(self) -> None:
        """End all actors."""
        self._closing = True
        for actor in self.actors:
            actor.doomed = True
            if not actor.over:
                actor.calls.switch()

    @property
    def living(self) -> list[Actor]:
        """The actors that are not over, in the order in which they came."""
        return [actor for actor in self.actors if not actor.over]

    def runnable(self) -> list[Actor]:
        """Return who can go on now."""
        return [actor for actor in self.actors if not actor.over and actor.ready() <= self.now]

    def next_moment(self) -> float:
        """Return when the next actor can go on."""
        return min((actor.ready() for actor in self.actors if not actor.over), default=math.inf)

    def identity(self) -> int:
        """Return a number that no contact and no list of the destination was given yet."""
        self._identities += 1
        return self._identities

    def token(self) -> int:
        """Return a number that nobody was given yet: what chance would give, but the same each time."""
        self._chance += 1
        return self._chance

    # What actors do.

    def turn(self, label: str) -> Fault | None:
        """Hand over before a call, then say what goes wrong with it; raises Killed."""
        here = on_stage()
        if here is None:
            return None
        actor = here[1]
        if actor.doomed:
            raise Killed
        actor.label, actor.idle = label, False
        now = self.now
        self._hand_over(actor, lambda: now)
        self.steps += 1
        self.now += TURN
        fault = self.director.fault(self, actor, label)
        self.note(f"{actor.name}: {label}" + (f"  !! {fault}" if fault else ""))
        self.faults += fault is not None
        if fault is Fault.CRASH:
            self.die()
        return fault

    def fails(self) -> Fault:
        """Note that a call has no answer, since what it asks is down."""
        self.faults += 1
        return Fault.FAIL

    def die(self) -> NoReturn:
        """End the process of who is on."""
        self._me().doomed = True
        raise Killed

    def wait(self, until: Callable[[], float], *, idle: bool = False) -> None:
        """Hand over until a time has come, which may change meanwhile; raises Killed."""
        actor = self._me()
        actor.idle = idle
        self._hand_over(actor, until)
        actor.idle = False

    def sleep(self, seconds: float) -> None:
        """Hand over for so many seconds."""
        until = self.now + seconds
        self.wait(lambda: until)

    def note(self, text: str) -> None:
        """Record what was done."""
        self._record.append((self.steps, self.now, text))

    @property
    def record(self) -> list[str]:
        """What was done, a line each."""
        return [f"{step:5d} {moment - BEGINNING:9.2f}s  {text}" for step, moment, text in self._record]

    def _me(self) -> Actor:
        actor: Actor = getcurrent().here[1]
        if actor.doomed:
            raise Killed
        return actor

    def _hand_over(self, actor: Actor, until: Callable[[], float]) -> None:
        actor.ready = until
        chosen = self._choose(actor)
        if chosen is not actor:
            self._calls_of(chosen).switch()
        if actor.doomed:
            raise Killed

    def _choose(self, before: Actor) -> Actor | None:
        """Have the director choose who goes on; None lowers the curtain."""
        try:
            return self.director.next(self, before)
        except BaseException as error:  # noqa: BLE001 - the audience raises it
            self.broke.append(error)
            return None

    def _calls_of(self, chosen: Actor | None) -> Any:
        return self._audience if chosen is None else chosen.calls

    def _play(self, actor: Actor) -> None:
        try:
            if not actor.doomed:
                actor.body()
        except Killed:
            self.note(f"{actor.name} is dead")
        except BaseException as error:  # noqa: BLE001 - the audience raises it
            self.broke.append(error)
        actor.over = True
        if self._closing:
            return
        if actor.doomed:
            self.died(actor)
        actor.calls.parent = self._calls_of(self._choose(actor))  # who goes on when this one has ended


def on_stage() -> tuple[Stage, Actor] | None:
    """Return the stage and the actor whose calls these are; None for the audience."""
    found: tuple[Stage, Actor] | None = getattr(getcurrent(), "here", None)
    return found
