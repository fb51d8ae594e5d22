"""Stories: an interleaving in plain words, one sentence a line, played and checked like any schedule.

    tell(PLAIN, '''
        the owner asks start
        A goes on
        A goes on until POST /contacts
        the owner asks cancel
        all messages come twice
        B goes on
        everybody goes on
    ''')

A, B and C are workers: each `goes on` until what it took from the queue is done. `supervision` and the `tick` go on when
they are next due. Whoever stands still keeps standing until they go on again, or `everybody goes on`, as the last line says
by itself. What is named after `until`, `past` or `the next` is a part of a call as a play's record writes it.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from tests.simulation.checks import violations
from tests.simulation.inside import played
from tests.simulation.play import Play
from tests.simulation.schedule import Stuck, go_on
from tests.simulation.stage import Actor, Fault, Stage
from tests.simulation.world import World

FAULTS: Final = {
    "loses its answer": Fault.LOSE,
    "has no answer": Fault.FAIL,
    "is repeated by the SDK": Fault.REPEAT,
    "is answered 429": Fault.THROTTLE,
    "is done, but answered 408": Fault.TIMEOUT,
    "leaves a contact out": Fault.DROP,
    "kills it before": Fault.CRASH,
    "kills it after": Fault.CRASH_AFTER,
}
"""What can be said of a call, and the fault that it is."""


def tell(world: World, text: str) -> list[str]:
    """Play a story and say what is wrong at its end."""
    return Story(world).told(text)


class Story:
    """Directs by sentences: one actor goes on while all others stand."""

    def __init__(self, world: World) -> None:
        self._on: Actor | None = None
        self._until: Callable[[Actor], bool] = lambda _: False
        self._faults: list[tuple[str, str, Fault]] = []
        self._dice = random.Random(1)
        self._lost = ""
        self.play = Play(replace(world, owner=()), self, workers=3)
        self._sentences: tuple[tuple[str, Callable[..., None]], ...] = (
            (r"everybody goes on", self._everybody),
            (r"(?:the )?(\w+) asks (.+)", self._ask),
            (r"(?:the )?(\w+) begins to ask (.+)", self._begin_to_ask),
            (r"(?:the )?(\w+) goes on until (.+)", self._go_until),
            (r"(?:the )?(\w+) goes on past (.+)", self._go_past),
            (r"(?:the )?(\w+) goes on", self._go),
            (r"(?:the )?(\w+) dies", self._die),
            (r"the next (.+) of (?:the )?(\w+) (" + "|".join(FAULTS) + ")", self._strike),
            (r"all messages come twice", self.play.host.double),
            (r"the key is (lost|found)", self._key),
            (r"the segments change", lambda: self.play.change_segments()),
            (r"(\d+) (second|minute)s? pass(?:es)?", self._pass),
            (
                r"the (blobs|tables|queues|vault|source|destination) do(?:es)? not answer for (\d+) minutes?",
                self._fall_silent,
            ),
        )

    def told(self, text: str) -> list[str]:
        """Play the sentences, then let everybody go on, and say what is wrong."""
        with played():
            try:
                for actor in self.play.stage.living:  # each to where it has nothing to do
                    self._go_on(actor.name, lambda _: True)
                for line in filter(None, map(str.strip, text.splitlines())):
                    self.play.stage.note(f"-- {line}")
                    self._tell(line)
                self._everybody()
                return violations(self.play)
            except Stuck as error:
                return [f"stuck: {error}"]
            finally:
                self.play.stage.close()

    def _tell(self, line: str) -> None:
        for pattern, do in self._sentences:
            found = re.fullmatch(pattern, line)
            if found:
                do(*found.groups())
                return
        raise ValueError(f"nobody understands {line!r}")

    # What a director does.

    def next(self, stage: Stage, before: Actor) -> Actor | None:
        """Let who is on go on until what was said has come."""
        if self._on is None:
            return go_on(self.play, stage, before, self._dice)
        if self._on.over or self._on.idle or self._until(self._on):
            return None
        stage.now = max(stage.now, self._on.ready())
        return self._on

    def fault(self, stage: Stage, actor: Actor, label: str) -> Fault | None:
        """Return what goes wrong with a call: what was said of the next such one."""
        for said in self._faults:
            part, name, fault = said
            if name == actor.name and part in label:
                self._faults.remove(said)
                return fault
        return None

    # What sentences do.

    def _key(self, what: str) -> None:
        """Take the connection's key out of the vault, or put it back; who has read it goes on with it for a while."""
        secrets = self.play.cloud.secrets
        if what == "lost":
            self._lost = secrets.pop("key")
        else:
            secrets["key"] = self._lost

    def _everybody(self) -> None:
        self._on = None
        stage = self.play.stage
        first = min(stage.living, key=lambda actor: actor.ready())
        stage.now = max(stage.now, first.ready())
        stage.play(first)

    def _go(self, name: str) -> None:
        self._go_on(name, lambda _: False)

    def _go_until(self, name: str, part: str) -> None:
        self._go_on(name, lambda actor: part in actor.label)
        if part not in self._named(name).label:
            raise ValueError(f"{name} came to no call {part!r}")

    def _go_past(self, name: str, part: str) -> None:
        self._go_until(name, part)
        self._go_on(name, lambda _: True)

    def _go_on(self, name: str, until: Callable[[Actor], bool]) -> None:
        actor = self._named(name)
        begins = actor.ready()
        if begins == math.inf:
            raise ValueError(f"{name} has nothing to do")
        self.play.stage.now = max(self.play.stage.now, begins)
        self._on, self._until = actor, until
        self.play.stage.play(actor)

    def _ask(self, name: str, command: str) -> None:
        self.play.commands.append(command)
        self._go("user")

    def _begin_to_ask(self, name: str, command: str) -> None:
        self.play.commands.append(command)
        self._go_on("user", lambda _: True)

    def _die(self, name: str) -> None:
        actor = self._named(name)
        actor.doomed = True
        self._on, self._until = actor, lambda _: False
        self.play.stage.play(actor)

    def _strike(self, part: str, name: str, what: str) -> None:
        self._faults.append((part, name, FAULTS[what]))

    def _pass(self, count: str, unit: str) -> None:
        self.play.stage.now += int(count) * (60 if unit == "minute" else 1)

    def _fall_silent(self, service: str, minutes: str) -> None:
        until = self.play.stage.now + int(minutes) * 60
        if service == "destination":
            self.play.autopilot.down_until = until
        else:
            self.play.cloud.down[service] = until

    def _named(self, name: str) -> Actor:
        return self.play.actor(name)
