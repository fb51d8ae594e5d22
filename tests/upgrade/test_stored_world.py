"""What an earlier version stored goes on under this code: nothing is sent twice, and nobody erased comes back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest

from local.environment import SEGMENTS
from local.stack import Stack
from local.warm import Shared
from local.world import World, adds_up
from tests.upgrade.make import ERASED, FLIGHT, QUICK, TEAM, company, tables
from tests.upgrade.snapshot import load

STORED: Final = Path(__file__).parent / "8dd6ca5.zip"
SETTINGS: Final = {**QUICK, "SUPERVISION_SCHEDULE": "*/2 * * * * *", "GRACE_SECONDS": "3", "HISTORY_DAYS": "3650"}
UPGRADED: Final = company().next_refresh()


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory, shared_parts: Shared) -> Iterator[World]:
    """Return a world in which this code meets what 8dd6ca5 stored."""
    with Stack(tmp_path_factory.mktemp("stack"), settings=SETTINGS, in_memory=True, shared=shared_parts) as stack:
        load(stack, STORED)
        world = World(stack)
        yield world
        world.close()


def newly_delivered() -> set[str]:
    rows = pl.concat(UPGRADED.segment(name) for name in SEGMENTS).filter("valid", pl.col("Points") == "n/a")
    return set(rows["Email"].str.strip_chars().str.to_lowercase())


def writes(world: World) -> int:
    return int(world.look("stats")["writes"])


def test_a_run_that_was_going_ends_and_nobody_is_sent_twice(upgraded: World) -> None:
    going = upgraded.api.get("exports/flight/runs", limit="1")["items"][0]
    run = upgraded.wait("flight", going["id"])
    assert run["status"] == "Successful"
    assert adds_up(run)
    assert run["counts"]["delivered"] == len(FLIGHT)
    assert upgraded.members("Flight") == set(FLIGHT)
    upgraded.rests()  # a worker that was slow may still send what another one has sent
    upgraded.reset_statistics()
    assert upgraded.run("flight")["reason"] == "nothing_to_do"
    assert writes(upgraded) == 0


@pytest.mark.parametrize("export", ["loyalty", "team", "other"])
def test_what_was_delivered_is_not_sent_again(upgraded: World, export: str) -> None:
    """Only people whom 8dd6ca5 rejected for a value, `n/a` points, are delivered now: they are new, not changed."""
    late = newly_delivered() if export == "loyalty" else set()
    upgraded.reset_statistics()
    counts = upgraded.run(export)["counts"]
    assert (counts["changed"], counts["leavers"], counts["delivered"]) == (0, 0, len(late))
    assert bool(writes(upgraded)) is bool(late)


@pytest.mark.parametrize("export", ["loyalty", "team", "other"])
def test_the_lists_are_what_was_delivered(upgraded: World, export: str) -> None:
    run = upgraded.wait(export, upgraded.api.post(f"exports/{export}/verify")["run"])
    assert [
        finding for finding in run["findings"] if finding["missing"] or finding["extra"] or finding["drifted"]
    ] == []


def test_the_runs_before_are_still_shown(upgraded: World) -> None:
    runs: list[dict[str, Any]] = upgraded.api.get("exports/team/runs")["items"]
    assert {run["trigger"] for run in runs} >= {"on_demand", "verify"}
    assert all(adds_up(run) for run in runs)


def test_a_refresh_sends_the_difference_only_and_nobody_who_was_erased(upgraded: World) -> None:
    after = UPGRADED.next_refresh()
    upgraded.publish(tables(after, TEAM[2:]))
    upgraded.reset_statistics()
    runs = {name: upgraded.run(name) for name in ("loyalty", "team", "other")}
    assert all(map(adds_up, runs.values()))
    assert runs["team"]["counts"]["removed"] == 1
    assert runs["other"]["reason"] == "nothing_to_do"
    assert upgraded.members("Team") == set(TEAM[2:]) - {ERASED}
    for name in SEGMENTS:
        assert upgraded.members(name) == after.expected_members(name)
    assert writes(upgraded) < 100  # of more than a hundred members the few that changed
