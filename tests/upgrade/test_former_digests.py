"""What b03f0d3 stored, whose digests were others, goes on under this code: everybody is recognised, and nobody erased comes back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest

from local.stack import Stack
from local.warm import Shared
from local.world import SIMPLE, World, adds_up, people
from tests.upgrade.make import QUICK
from tests.upgrade.make_b03f0d3 import CLUB, ERASED, TEAM
from tests.upgrade.snapshot import load

STORED: Final = Path(__file__).parent / "b03f0d3.zip"
KEY: Final = "sandbox-key"
HELD: Final = set(TEAM[1:]) - {ERASED}
"""Who is on the list of `team`: the first member left, one was erased."""


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory, shared_parts: Shared) -> Iterator[World]:
    """Return a world in which this code meets what b03f0d3 stored."""
    with Stack(tmp_path_factory.mktemp("stack"), settings=QUICK, in_memory=True, shared=shared_parts) as stack:
        load(stack, STORED)
        world = World(stack)
        yield world
        world.close()


def publish(world: World, team: pl.DataFrame, club: pl.DataFrame) -> None:
    world.publish({"Team": team, "Club": club})


def verify(world: World, export: str, *, repair: bool) -> list[dict[str, Any]]:
    run = world.wait(export, world.api.post(f"exports/{export}/verify?repair={str(repair).lower()}")["run"])
    findings: list[dict[str, Any]] = run["findings"]
    return findings


def test_a_preview_knows_everybody_and_changes_nothing(upgraded: World) -> None:
    seen = upgraded.api.post("exports/team/preview")
    assert (seen["joiners"], seen["changed"], seen["leavers"], seen["unchanged"]) == (0, 0, 0, len(HELD))
    assert seen["rejected"] == {"erased": 1}


@pytest.mark.parametrize("repair", [False, True])
def test_a_verification_before_the_first_run_finds_the_lists_as_they_were_left(
    upgraded: World, *, repair: bool
) -> None:
    """What was done at the time, verify with repair, sent everybody again, the erased person too."""
    assert [(item["missing"], item["extra"], item["drifted"]) for item in verify(upgraded, "team", repair=repair)] == [
        (0, 0, 0)
    ]


@pytest.mark.parametrize("export", ["team", "club"])
def test_the_first_run_sends_nothing_to_those_who_are_as_they_were(upgraded: World, export: str) -> None:
    upgraded.reset_statistics()
    run = upgraded.run(export)
    assert adds_up(run)
    counts = run["counts"]
    assert (counts["joiners"], counts["changed"], counts["leavers"], counts["delivered"]) == (0, 0, 0, 0)
    assert upgraded.look("stats")["writes"] == 0


def test_a_refresh_sends_the_difference_and_nobody_who_was_erased(upgraded: World) -> None:
    publish(upgraded, people(*TEAM, "new@example.com").slice(2), people(*CLUB).slice(1))
    run = upgraded.run("team")
    assert (run["counts"]["joiners"], run["counts"]["leavers"], run["counts"]["rejected"]) == (1, 1, 1)
    assert upgraded.members("Team") == (HELD - {TEAM[1]}) | {"new@example.com"}


def test_who_left_before_is_known_when_she_comes_back(upgraded: World) -> None:
    """An export that keeps leavers: its state knows them by their former digest until they come back."""
    publish(upgraded, people(*TEAM, "new@example.com").slice(2), people(*CLUB))
    assert upgraded.run("club")["counts"]["delivered"] <= 1  # a call that repeats what holds
    assert upgraded.members("Club") == set(CLUB)
    upgraded.save("club", segments=["Club"], mapping=SIMPLE)
    publish(upgraded, people(*TEAM, "new@example.com").slice(2), people(*CLUB).slice(1))
    assert upgraded.run("club")["counts"]["leavers"] == 1
    assert upgraded.members("Club") == set(CLUB[1:])


def test_the_lists_are_what_was_delivered(upgraded: World) -> None:
    for export in ("team", "club"):
        assert [
            (item["missing"], item["extra"], item["drifted"]) for item in verify(upgraded, export, repair=False)
        ] == [(0, 0, 0)]
