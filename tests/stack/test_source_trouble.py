"""Troubles of the source: what may pass is waited out by the run itself, what lasts ends it, and no refresh is forgotten."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from local.eventually import eventually
from local.source_proxy import SourceProxy, Trouble
from local.world import SIMPLE, World, people
from tests.stack.conftest import MakeWorld

FIRST, SECOND = "first@example.com", "second@example.com"


@pytest.fixture(scope="module")
def proxy() -> Iterator[SourceProxy]:
    with SourceProxy() as running:
        yield running


@pytest.fixture(scope="module")
def troubled(make_lasting_world: MakeWorld, proxy: SourceProxy) -> World:
    """Return a world whose source is read through the proxy, and that soon sees a refresh."""
    settings = {"CustomerInsightsStorage": proxy.connection_string, "EXPORT_SCHEDULE": "*/3 * * * * *"}
    world = make_lasting_world(settings=settings, own_storage=True)
    assert world.stack.azurite is not None
    proxy.upstream = world.stack.azurite.blob_port
    return world


@dataclass(frozen=True)
class Team:
    """An export of one segment that runs with each refresh, and the list it fills."""

    world: World
    name: str

    def publish(self, *emails: str) -> None:
        self.world.publish({"Team": people(*emails)})

    def save(self) -> None:
        target = {"segment": "Team", "list": self.name}
        self.world.save(self.name, segments=[target], mapping=SIMPLE, guards={"max_removed_percent": 100})

    @property
    def members(self) -> set[str]:
        return self.world.members(self.name)

    def runs(self) -> list[dict[str, Any]]:
        return self.world.runs(self.name)

    def next_run(self, known: int) -> dict[str, Any]:
        """Wait for a run beyond the `known` first ones, which only a refresh can have started."""
        found = eventually(self.runs, lambda runs: len(runs) > known)[-known - 1]
        assert found["trigger"] == "refresh"
        return found

    def ended(self, run: dict[str, Any]) -> dict[str, Any]:
        return self.world.wait(self.name, run["id"])

    def waiting(self, run: str) -> dict[str, Any]:
        """Wait until a run says what it waits for."""
        return eventually(lambda: self.world.look_at(self.name, run), lambda found: found["detail"])


@pytest.fixture
def team(troubled: World, proxy: SourceProxy) -> Iterator[Team]:
    """Yield an export that has delivered one member."""
    made = Team(troubled, f"team-{secrets.token_hex(4)}")
    made.publish(FIRST)
    troubled.connect()
    made.save()
    troubled.run(made.name)
    yield made
    proxy.strike("none")
    proxy.before = lambda _: None
    troubled.api.delete(f"exports/{made.name}")


@pytest.mark.parametrize("trouble", ["busy", "drops"])
def test_a_source_that_is_away_is_waited_out_and_the_run_says_so(
    team: Team, proxy: SourceProxy, trouble: Trouble
) -> None:
    proxy.strike(trouble, "/Team_1.csv")
    team.publish(FIRST, SECOND)
    run = team.next_run(1)
    waiting = team.waiting(run["id"])
    assert (waiting["status"], waiting["detail"][:9]) == ("Processing", "Waiting. ")
    assert proxy.struck
    proxy.strike("none")
    ended = team.ended(run)
    assert (ended["status"], ended["detail"]) == ("Successful", "")
    assert team.members == {FIRST, SECOND}


def test_a_refresh_published_in_the_middle_of_a_plan_is_what_is_delivered(team: Team, proxy: SourceProxy) -> None:
    """The run reads the new refresh; no rows of both ever meet in one plan, and no further run is needed."""
    published: list[str] = []

    def publish(request: str) -> None:
        if request.startswith("GET") and "/Team_1.csv" in request and not published:
            published.append(request)
            proxy.before = lambda _: None
            team.publish(FIRST, SECOND)

    team.publish("other@example.com")
    proxy.before = publish
    ended = team.ended(team.next_run(1))
    assert ended["status"] == "Successful"
    assert team.members == {FIRST, SECOND}
    team.publish(FIRST, SECOND, "third@example.com")
    assert team.ended(team.next_run(2))["counts"]["joiners"] == 1


def test_a_fault_that_lasts_ends_the_run_and_the_refresh_is_tried_again_once_the_export_is_saved(
    team: Team, proxy: SourceProxy
) -> None:
    proxy.strike("forbidden", "/Team_1.csv")
    team.publish(FIRST, SECOND)
    ended = team.ended(team.next_run(1))
    assert (ended["status"], ended["reason"]) == ("Failed", "source_unreachable")
    assert "firewall" in ended["advice"]
    proxy.strike("none")
    team.save()
    assert team.ended(team.next_run(2))["status"] == "Successful"
    assert team.members == {FIRST, SECOND}


def test_a_run_on_demand_waits_until_the_source_has_settled(make_world: MakeWorld) -> None:
    team = Team(make_world(settings={"SETTLE_SECONDS": "15"}), "team")
    team.publish(FIRST)
    team.world.connect()
    team.save()
    team.publish(FIRST)  # just now, however long saving took
    preview = team.world.api.post("exports/team/preview")
    assert (preview["settled"], preview["joiners"]) == (False, 1)
    run = team.world.start("team")
    assert team.waiting(run)["detail"].startswith("Waiting until Customer Insights has finished writing.")
    assert team.world.wait("team", run)["status"] == "Successful"
    assert team.world.api.post("exports/team/preview")["settled"] is True
