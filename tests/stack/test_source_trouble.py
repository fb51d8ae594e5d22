"""Troubles of the source: what may pass is waited out by the run itself, what lasts ends it, and no refresh is forgotten."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.world import SIMPLE, World, people
from tests.stack.conftest import MakeWorld
from tests.stack.proxy import Proxy, Trouble

FIRST, SECOND = "first@example.com", "second@example.com"


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    with Proxy().running() as running:
        yield running


@pytest.fixture(scope="module")
def troubled(make_lasting_world: MakeWorld, proxy: Proxy) -> World:
    """Give a world whose source is read through the proxy, and that ticks each second."""
    settings = {"CustomerInsightsStorage": proxy.connection_string, "EXPORT_SCHEDULE": "*/1 * * * * *"}
    world = make_lasting_world(settings=settings)
    proxy.stand_before(world.stack)
    return world


@pytest.fixture
def export(troubled: World, proxy: Proxy) -> Iterator[World]:
    """Give a world with an export that delivered one member, and runs with each refresh."""
    proxy.strike("none")
    proxy.before = lambda _: None
    troubled.publish({"Team": people(FIRST)})
    troubled.connect()
    troubled.save("team", segments=["Team"], mapping=SIMPLE, guards={"max_removed_percent": 100})
    wait_until(lambda: troubled.api.get("exports/team")["active_run"] is None or None)
    troubled.run("team")
    yield troubled
    proxy.strike("none")
    proxy.before = lambda _: None


def wait_until[T](look: Callable[[], T | None], seconds: float = 60) -> T:
    """Wait until `look` finds something."""
    deadline = time.monotonic() + seconds
    while (found := look()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


def newest(world: World, trigger: str = "refresh") -> dict[str, Any] | None:
    runs = [run for run in world.api.get("exports/team/runs")["items"] if run["trigger"] == trigger]
    return runs[0] if runs else None


def of_refresh(world: World, known: dict[str, Any] | None) -> dict[str, Any]:
    """Wait for a newer run of a refresh than the one that is known."""

    def look() -> dict[str, Any] | None:
        found = newest(world)
        return found if found and (known is None or found["id"] != known["id"]) else None

    return wait_until(look)


def waiting_run(world: World, run: str) -> dict[str, Any]:
    """Wait until a run says what it waits for."""

    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = world.api.get(f"exports/team/runs/{run}")
        return found if found["detail"] else None

    return wait_until(look)


@pytest.mark.parametrize("trouble", ["busy", "dropped"])
def test_a_source_that_is_away_is_waited_out_and_the_run_says_so(export: World, proxy: Proxy, trouble: Trouble) -> None:
    known = newest(export)
    export.publish({"Team": people(FIRST, SECOND)})
    proxy.strike(trouble, "/Team_1.csv")
    run = of_refresh(export, known)["id"]
    waiting = waiting_run(export, run)
    assert waiting["status"] == "Processing"
    assert waiting["detail"].startswith("Waiting. ")
    assert proxy.struck
    proxy.strike("none")
    ended = export.wait("team", run)
    assert (ended["status"], ended["detail"]) == ("Successful", "")
    assert export.members("Team") == {FIRST, SECOND}


def test_a_refresh_published_in_the_middle_of_a_plan_is_what_is_delivered(export: World, proxy: Proxy) -> None:
    """The run reads the new refresh; no rows of both ever meet in one plan, and no further run is needed."""
    known = newest(export)
    published: list[str] = []

    def publish(path: str) -> None:
        if "/Team_1.csv" in path and not published:
            published.append(path)
            proxy.before = lambda _: None
            export.publish({"Team": people(FIRST, SECOND)})

    export.publish({"Team": people("other@example.com")})
    proxy.before = publish
    ended = export.wait("team", of_refresh(export, known)["id"])
    assert ended["status"] == "Successful"
    assert export.members("Team") == {FIRST, SECOND}
    export.publish({"Team": people(FIRST, SECOND, "third@example.com")})
    later = of_refresh(export, ended)
    assert [run["id"] for run in export.api.get("exports/team/runs")["items"]][1] == ended["id"]
    export.wait("team", later["id"])


def test_a_fault_that_lasts_ends_the_run_and_the_refresh_is_tried_again_once_the_export_is_saved(
    export: World, proxy: Proxy
) -> None:
    known = newest(export)
    export.publish({"Team": people(FIRST, SECOND)})
    proxy.strike("forbidden", "/Team_1.csv")
    ended = export.wait("team", of_refresh(export, known)["id"])
    assert (ended["status"], ended["reason"]) == ("Failed", "source_unreachable")
    assert "firewall" in ended["advice"]
    proxy.strike("none")
    export.save("team", segments=["Team"], mapping=SIMPLE)
    again = export.wait("team", of_refresh(export, ended)["id"])
    assert again["status"] == "Successful"
    assert export.members("Team") == {FIRST, SECOND}


def test_a_run_on_demand_waits_until_the_source_has_settled(make_world: MakeWorld) -> None:
    world = make_world(settings={"SETTLE_SECONDS": "8"})
    world.publish({"Team": people(FIRST)})
    world.connect()
    world.save("team", segments=["Team"], mapping=SIMPLE)
    preview = world.api.post("exports/team/preview")
    assert (preview["settled"], preview["joiners"]) == (False, 1)
    run = world.start("team")
    waiting = waiting_run(world, run)
    assert waiting["detail"].startswith("Waiting until Customer Insights has finished writing.")
    assert world.wait("team", run)["status"] == "Successful"
    assert world.api.post("exports/team/preview")["settled"] is True
