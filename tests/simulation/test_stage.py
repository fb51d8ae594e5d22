"""The simulation itself: played the same each time, read by people, and true to what Azure and the host do."""

from __future__ import annotations

import re

import pytest

from tests.simulation.azure import Cloud
from tests.simulation.host import HIDDEN, Host
from tests.simulation.schedule import Event, Schedule, draw, play
from tests.simulation.stage import Actor, Fault, Stage
from tests.simulation.story import Story, tell
from tests.simulation.world import PLAIN, WORLDS


@pytest.mark.parametrize("world", WORLDS)
def test_an_undisturbed_world_leaves_nothing_to_say(world: str) -> None:
    assert play(Schedule(world)).wrong == ()


@pytest.mark.parametrize("world", WORLDS)
def test_all_that_a_world_is_about_is_delivered_while_things_may_go_wrong(world: str) -> None:
    """What only the last, calm run delivered no fault would ever strike."""
    result = play(Schedule(world))
    calm = [line for line in result.record if int(line.split()[0]) > result.steps]
    assert calm
    assert [line for line in calm if re.search(": (POST|DELETE) /", line) and "poison" not in line] == []


def test_the_same_schedule_is_played_the_same() -> None:
    schedule = draw(5, dict.fromkeys(WORLDS, 200))
    assert play(schedule).record == play(schedule).record


def test_a_crash_strikes_the_call_that_is_named() -> None:
    struck = play(Schedule("plain", events=(Event(40, "fault", 0, "CRASH"),)))
    assert next(line for line in struck.record if str(Fault.CRASH) in line).split()[0] == "40"


def test_a_sentence_that_nobody_understands_is_an_error() -> None:
    with pytest.raises(ValueError, match="nobody understands"):
        tell(PLAIN, "A sings")


class _Alone:
    """A director with one actor, who lowers the curtain when that has nothing to do for an hour."""

    def next(self, stage: Stage, before: Actor) -> Actor | None:
        if before.over or stage.next_moment() > stage.now + 3600 * 24 * 30:
            return None
        stage.now = max(stage.now, stage.next_moment())
        return before

    def fault(self, *_: object) -> Fault | None:
        return None


def _calls(queue: str, text: str | None, fails: int) -> tuple[list[float], Host]:
    """Play a host with one message whose function fails so often; return when it was called."""
    stage = Stage(_Alone())
    called: list[float] = []

    def function(_: object) -> None:
        called.append(stage.now)
        if len(called) <= fails:
            raise ValueError

    host = Host(stage, Cloud(stage), {queue: function, queue + "-poison": function})
    host.put(queue, text, lives=7 * 86400)
    stage.play(stage.add("A", lambda: host.work("A")))
    stage.close()
    return [round(moment - called[0]) for moment in called], host


def test_a_function_that_always_fails_is_tried_five_times_then_its_message_is_poison() -> None:
    called, _ = _calls("work", "{}", 5)
    assert called == [0, 30, 60, 90, 120, 120]  # the sixth is the poison queue's function


def test_a_poison_function_that_failed_is_called_again_after_ten_minutes_until_the_message_dies() -> None:
    called, host = _calls("work-poison", "{}", 10_000)
    assert called[:4] == [0, HIDDEN, 2 * HIDDEN, 3 * HIDDEN]
    assert called[-1] < 7 * 86400 <= called[-1] + HIDDEN
    assert host.waiting() == {}


def test_text_that_is_no_base64_is_poison_at_once() -> None:
    stage = Stage(_Alone())
    host = Host(stage, Cloud(stage), {"work": lambda _: pytest.fail("called")})
    host.put("work", None)
    stage.play(stage.add("A", lambda: host.work("A")))
    stage.close()
    assert host.waiting() == {"work-poison": 1} or host.waiting() == {}


def test_when_the_holder_of_the_timers_dies_none_runs_for_two_minutes() -> None:
    story = Story(PLAIN)
    assert story.told("supervision dies\neverybody goes on") == []
    looks = [line for line in story.play.stage.record if "supervision: " in line]
    assert float(looks[0].split()[1].rstrip("s")) >= 120
