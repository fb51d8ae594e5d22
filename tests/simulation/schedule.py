"""Schedules: who goes on at which call, and what goes wrong at which; drawn by seed, played, and shortened if it fails."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Final

from tests.simulation.checks import violations
from tests.simulation.inside import played
from tests.simulation.play import WORKERS, Play
from tests.simulation.stage import Actor, Fault, Stage
from tests.simulation.world import WORLDS, World

MOST_STEPS: Final = 8_000
"""Calls after which a play that is not quiet counts as stuck."""


class Stuck(Exception):
    """A play that does not become quiet."""


def go_on(play: Play, stage: Stage, before: Actor, dice: random.Random) -> Actor | None:
    """Choose who goes on where nothing is said: who is on, else one of those who can; None once all is quiet."""
    if before.idle and play.is_quiet:
        return None
    if stage.steps > MOST_STEPS:
        raise Stuck("it does not end")
    if not before.over and before.ready() <= stage.now:
        return before
    able = stage.runnable()
    if not able:
        stage.now = stage.next_moment()
        if stage.now == math.inf:
            raise Stuck("nobody can go on")
        able = stage.runnable()
    return before if before in able else able[dice.randrange(len(able))]


STRENGTH: Final = 0.6
"""The share of the calls that change the destination which a storm strikes."""

_CHANGES: Final = ("POST /", "DELETE /")

SERVICES: Final = ("blobs", "tables", "queues", "vault", "source", "autopilot")


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """What happens at one call, counted from the beginning: `what`, with a number or a text."""

    at: int
    what: str
    number: int = 0
    text: str = ""

    def __str__(self) -> str:
        match self.what:
            case "fault":
                return f"call {self.at}: {self.text}"
            case "switch":
                return f"call {self.at}: somebody else goes on ({self.number})"
            case "pause":
                return f"call {self.at}: who is on is paused for {self.number} s"
            case "down":
                return f"call {self.at}: {self.text} does not answer for {self.number} s"
            case "twice":
                return f"call {self.at}: all messages come twice"
            case "storm":
                return f"call {self.at}: for {self.number} calls, many that change the destination: {self.text}"
        return f"call {self.at}: somebody asks: {self.text}"


@dataclass(frozen=True, slots=True)
class Schedule:
    """A world and what happens in it."""

    world: str
    seed: int = 0
    workers: int = 2
    skews: tuple[float, ...] = ()
    events: tuple[Event, ...] = ()

    def __str__(self) -> str:
        head = f"world {self.world}, seed {self.seed}, {self.workers} workers, clocks off by {list(self.skews)}"
        return "\n".join([head, *map(str, self.events)])


class Scheduled:
    """Directs by a schedule; where it says nothing, who is on goes on."""

    def __init__(self, schedule: Schedule) -> None:
        self.play: Play | None = None
        self._dice = random.Random(schedule.seed)
        self._storm = (0, "")
        self._events: dict[int, list[Event]] = {}
        for event in schedule.events:
            self._events.setdefault(event.at, []).append(event)

    def next(self, stage: Stage, before: Actor) -> Actor | None:
        """Choose who goes on."""
        play = self.play
        assert play is not None
        switch = self._happen(stage, before, play) if stage.steps in self._events and not play.calm else None
        if switch is not None:
            others = [actor for actor in stage.runnable() if actor is not before]
            if others:
                return others[switch % len(others)]
        return go_on(play, stage, before, self._dice)

    def fault(self, stage: Stage, actor: Actor, label: str) -> Fault | None:
        """Return what goes wrong with a call."""
        if self.play is None or self.play.calm:
            return None
        until, kind = self._storm
        if stage.steps < until and label.startswith(_CHANGES) and self._dice.random() < STRENGTH:
            return Fault[kind]
        events = self._events.get(stage.steps, ())
        return next((Fault[event.text] for event in events if event.what == "fault"), None)

    def _happen(self, stage: Stage, before: Actor, play: Play) -> int | None:
        switch = None
        events = self._events[stage.steps]
        for event in events:
            match event.what:
                case "switch":
                    switch = event.number
                case "storm":
                    self._storm = (stage.steps + event.number, event.text)
                case "pause" if not before.label.startswith(_CHANGES):
                    # A request on the wire may arrive after others have decided otherwise: docs/reliability.md says so.
                    ready, until = before.ready, stage.now + event.number
                    before.ready = lambda ready=ready, until=until: max(ready(), until)  # type: ignore[misc]
                case "down" if event.text == "autopilot":
                    play.autopilot.down_until = stage.now + event.number
                case "down":
                    play.cloud.down[event.text] = stage.now + event.number
                case "twice":
                    play.host.double()
                case "ask":
                    play.commands.append(event.text)
        self._events[stage.steps] = [event for event in events if event.what == "fault"]
        return switch


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a play: what is wrong, and how many calls it took."""

    wrong: tuple[str, ...]
    stage: Stage = field(repr=False)
    steps: int = 0

    @property
    def record(self) -> list[str]:
        """What was done, a line each."""
        return self.stage.record


def play(schedule: Schedule, world: World | None = None) -> Result:
    """Play a schedule to quiet, then calm runs, and say what is wrong."""
    director = Scheduled(schedule)
    dice = random.Random(schedule.seed + 1)
    names = [*WORKERS[: schedule.workers], "user", "supervision", "tick", "owner"]
    skews = dict(zip(names, schedule.skews, strict=False))
    with played():
        made = director.play = Play(world or WORLDS[schedule.world], director, skews, schedule.workers, dice.randrange)
        wrong, steps = [], 0
        try:
            made.stage.play(made.actor("owner"))
            steps = made.stage.steps
            wrong = violations(made)
        except Stuck as error:
            wrong = [f"stuck: {error}"]
        finally:
            made.stage.close()
    return Result(tuple(wrong), made.stage, steps)


@cache
def lengths() -> dict[str, int]:
    """Return how many calls each world takes undisturbed."""
    return {world: play(Schedule(world)).steps for world in WORLDS}


def draw(seed: int, lengths: dict[str, int]) -> Schedule:
    """Draw a schedule; `lengths` says how many calls each world takes undisturbed."""
    dice = random.Random(seed)
    world = dice.choice(sorted(lengths))
    length = lengths[world]

    def at() -> int:
        return dice.randrange(int(length * 1.2))

    events = [Event(at(), "switch", dice.randrange(5)) for _ in range(dice.choice([0, 2, 5, 10, 40]))]
    events += [Event(at(), "fault", 0, dice.choice(list(Fault)).name) for _ in range(dice.choice([0, 1, 1, 2, 3]))]
    events += [
        Event(at(), "pause", dice.choice([1, 5, 60, 130, 400, 700])) for _ in range(dice.choice([0, 0, 1, 1, 2]))
    ]
    events += [Event(at(), "twice") for _ in range(dice.choice([0, 0, 1, 2]))]
    if dice.random() < 0.2:
        events.append(Event(at(), "down", dice.choice([1, 20, 90]), dice.choice(SERVICES)))
    for _ in range(dice.choice([0, 0, 1, 1, 2])):
        events.append(Event(at(), "ask", 0, dice.choice(["cancel", "cancel", "start", "verify", "repair", "rerun"])))
    skews = tuple(round(dice.uniform(-2, 2), 1) if dice.random() < 0.5 else 0.0 for _ in range(7))
    return Schedule(world, seed, dice.choice([2, 2, 3]), skews, tuple(sorted(events)))


def shorten(schedule: Schedule) -> Schedule:
    """Leave out what a failing schedule can do without: halves first, then one by one."""
    size = max(1, len(schedule.events) // 2)
    schedule = _or(replace(schedule, skews=()), schedule)
    while True:
        start, found = 0, False
        while start < len(schedule.events):
            shorter = replace(schedule, events=schedule.events[:start] + schedule.events[start + size :])
            if play(shorter).wrong:
                schedule, found = shorter, True
            else:
                start += size
        if size == 1 and not found:
            return schedule
        size = max(1, size // 2)


def _or(simpler: Schedule, schedule: Schedule) -> Schedule:
    return simpler if play(simpler).wrong else schedule


_READS: Final = ("GET", "HEAD", "LIST", "QUERY", "COUNT", "SOURCE")


def crash_points(world: str) -> list[Schedule]:
    """Return a schedule for each moment of a world at which a process may die."""
    return _with_one_more_crash(Schedule(world))


def crash_pairs(world: str) -> Iterator[Schedule]:
    """Yield a schedule for each two moments at which one process dies, then another, or the one that took its place."""
    for point in crash_points(world):
        yield from _with_one_more_crash(point)


def _with_one_more_crash(schedule: Schedule) -> list[Schedule]:
    """Return the schedule with a crash at each moment after its last event.

    Dying before one call or the next is the same where only reading is between them: nothing is done by it.
    """
    begins = max((event.at for event in schedule.events), default=0)
    played, points, told = play(schedule), [], ("", "")
    for line in played.record:
        number, _, said = line.split(maxsplit=2)
        actor, _, call = said.partition(": ")
        if not call or actor == "asked":
            continue
        if begins < int(number) <= played.steps and (told[0] != actor or not told[1].startswith(_READS)):
            crash = Event(int(number), "fault", 0, Fault.CRASH.name)
            points.append(replace(schedule, events=(*schedule.events, crash)))
        told = (actor, call)
    return points
