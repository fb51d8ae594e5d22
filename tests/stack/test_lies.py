"""Lies of every kind, to one call in twenty each, done or not: the books stay what the destination holds.

`LIES_PEOPLE=2000 pytest tests/stack/test_lies.py` is the figure that docs/reliability.md states.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

from local.world import SIMPLE, World, adds_up, people
from tests.stack.conftest import MakeWorld

PEOPLE = int(os.environ.get("LIES_PEOPLE", "300"))
SHIFT = PEOPLE // 60 * 6
"""People by whom a refresh differs at either end, a tenth: so many that every second and third stays who it was."""

LIES = {
    "html": 0.05,
    "empty": 0.05,
    "message": 0.05,
    "interim": 0.05,
    "redirect": 0.05,
    "html_403": 0.05,
    "html_404": 0.05,
    "drip_headers": 0.05,
}


def publish(world: World, first: int) -> dict[str, set[str]]:
    """Publish three segments of people from the number `first` on; return who is in each."""
    everybody = [f"p{number}@example.com" for number in range(first, first + PEOPLE)]
    segments = {"All": everybody, "Half": everybody[::2], "Third": everybody[::3]}
    world.publish({name: people(*emails, Version=str(first)) for name, emails in segments.items()})
    return {name: set(emails) for name, emails in segments.items()}


def books_hold(world: World) -> dict[str, Any]:
    """Read the lists back in calm, and compare them with what is believed."""
    verified = world.wait("all", world.api.post("exports/all/verify")["run"], seconds=300)
    assert verified["reason"] == "lists_equal", verified["findings"]
    return verified


@pytest.mark.parametrize(
    "fills",
    [
        pytest.param({"contact_lists": "ignored"}, id="by a call each"),
        pytest.param({"bulk_lists": "honoured"}, id="by bulk calls"),
        pytest.param({}, id="by contact"),
    ],
)
def test_lies_of_every_kind_leave_the_books_right(make_world: MakeWorld, fills: dict[str, str]) -> None:
    world = make_world(knobs={**fills, "drip_seconds": 1})
    world.connect()
    for first in (0, SHIFT):
        expected = publish(world, first)
        world.save(
            "all", segments=list(expected), mapping={**SIMPLE, "string--Version": "Version"}, schedule={"on": "off"}
        )
        world.turn(lies=LIES)
        run = world.wait("all", world.start("all"), seconds=600)
        world.turn(lies={})
        assert adds_up(run)
        assert run["reason"] in {None, "rows_rejected"}, run
        assert run["counts"]["rejected"] == 0, run["counts"]
        books_hold(world)
    calm = world.wait("all", world.start("all"), seconds=300)
    assert calm["reason"] in {None, "nothing_to_do"}
    assert {name: world.members(name) for name in expected} == expected
    assert len(world.list_ids()) == len(expected)
    told = world.look("stats")["lies"]
    assert set(told) == set(LIES)


@pytest.mark.parametrize("done", [0, 1])
@pytest.mark.parametrize("lie", ["html", "html_404", "empty", "no_content", "error", "strange"])
def test_a_leaver_is_taken_off_however_the_removal_is_answered(world: World, lie: str, done: int) -> None:
    """Half of the removals are answered by a lie; none of them is believed."""
    world.publish({"Team": people("ann@example.com", "ben@example.com")})
    world.connect()
    world.save("team", segments=["Team"], mapping=SIMPLE, schedule={"on": "off"}, guards={"max_removed_percent": 100})
    world.run("team")
    world.publish({"Team": people("ann@example.com")})
    world.turn(lies={lie: 0.5}, lies_to="DELETE /list", lies_done=done)
    run = world.wait("team", world.start("team"))
    assert world.members("Team") == {"ann@example.com"}
    assert run["counts"]["removed"] == 1


def test_an_account_whose_memberships_are_never_answered_is_waited_for_and_then_given_up(make_world: MakeWorld) -> None:
    """Nobody is blamed, few calls are burnt, the run ends by name; in calm the rest is delivered."""
    world = make_world(settings={"OUTAGE_MINUTES": "0.2"}, knobs={"contact_lists": "ignored"})
    world.publish({"All": people(*(f"p{n}@example.com" for n in range(200)))})
    world.connect()
    world.save("all", segments=["All"], mapping=SIMPLE, schedule={"on": "off"})
    world.turn(lies={"html_403": 1}, lies_to="POST /list/{list}", lies_done=0)
    run = world.wait("all", world.start("all"), seconds=300)
    world.turn(lies={}, lies_to="")
    assert run["reason"] == "autopilot_unavailable"
    assert run["counts"]["rejected"] == 0
    assert run["counts"]["undelivered"] == 200
    assert run["counts"]["requests"] < 300
    assert world.run("all")["status"] == "Successful"
    assert len(world.members("All")) == 200
