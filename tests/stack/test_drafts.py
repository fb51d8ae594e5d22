"""A preview of settings that nobody saved: what a run would do by them, checked as a save is, and kept nowhere."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from local.world import SIMPLE, World, people


@pytest.fixture(scope="module")
def team(make_lasting_world: Any) -> World:
    world: World = make_lasting_world()
    world.publish({"Team": people("ann@example.com", "ben@example.com"), "Few": people("ann@example.com")})
    world.connect()
    world.save("team", segments=["Team"], mapping=SIMPLE, schedule={"on": "off"})
    world.run("team")
    return world


def draft(**changes: Any) -> dict[str, Any]:
    stored = {"display_name": "team", "connection": "main", "mapping": SIMPLE, "segments": ["Team"]}
    return {**stored, "schedule": {"on": "off"}, **changes}


def asked(world: World, export: str, body: object, **headers: str) -> requests.Response:
    url, key = f"{world.stack.api_url}/exports/{export}/preview", {"x-functions-key": world.stack.function_key}
    return requests.post(url, json=body, headers={**key, **headers}, timeout=60)


def test_a_draft_is_compared_with_what_the_saved_export_delivered(team: World) -> None:
    before = team.api.get("exports/team")
    assert team.api.post("exports/team/preview")["joiners"] == 0
    team.reset_statistics()
    found = team.api.post("exports/team/preview", draft(segments=["Team", "Few"]))
    assert (found["joiners"], found["leavers"], found["members"]) == (1, 0, {"Team": 2, "Few": 1})
    found = team.api.post("exports/team/preview", draft(mapping={"Email": "Email"}))
    assert (found["changed"], found["unchanged"]) == (2, 0)
    assert found["examples"] == [{"Email": "ann@example.com"}, {"Email": "ben@example.com"}]
    assert team.api.post("exports/team/preview", draft(max_profiles=1))["would_be_skipped"] == "over_limit"
    assert team.look("stats")["writes"] == 0
    assert team.api.get("exports/team") == before


def test_an_export_that_was_never_saved_leaves_no_trace(team: World) -> None:
    before = team.api.get("audit")["items"]
    found = team.api.post("exports/new/preview", draft(segments=[{"segment": "Few", "list": "Fresh"}]))
    assert (found["profiles"], found["joiners"]) == (1, 1)
    assert team.refused("GET", "exports/new").status == 404
    assert team.api.get("audit")["items"] == before
    team.save("other", segments=[{"segment": "Few", "list": "Fresh"}], mapping=SIMPLE)  # so nobody has claimed the list
    team.api.delete("exports/other")


def test_an_export_of_a_deleted_ones_name_begins_with_nothing(team: World) -> None:
    segments = [{"segment": "Few", "list": "Once"}]
    team.save("gone", segments=segments, mapping=SIMPLE, schedule={"on": "off"})
    assert team.run("gone")["status"] == "Successful"
    assert team.api.post("exports/gone/preview", draft(segments=segments))["joiners"] == 0
    team.api.delete("exports/gone")
    assert team.api.post("exports/gone/preview", draft(segments=segments))["joiners"] == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"mapping": {**SIMPLE, "LastName": "Surname"}},
        {"mapping": {"FirstName": "FirstName"}},
        {"segments": ["Nobody"]},
        {"connection": "nowhere"},
        {"segments": [{"segment": "Few", "list": "Team"}]},
        {"max_profiles": 0},
        {"new_people": "subscribed"},
        {"create_suppressed": True},
        {"unheard_of": True},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_what_a_save_refuses_a_preview_refuses_with_the_same_words(team: World, changes: dict[str, Any]) -> None:
    saved = team.refused("PUT", "exports/second", draft(**changes))
    previewed = team.refused("POST", "exports/second/preview", draft(**changes))
    assert (previewed.status, previewed.content) == (saved.status, saved.content)


def test_a_new_export_is_not_compared_with_another_of_its_name(team: World) -> None:
    answer = asked(team, "team", draft(), **{"If-None-Match": "*"})
    assert (answer.status_code, answer.json()["code"]) == (412, "export_exists")
    assert asked(team, "unused", draft(segments=[{"segment": "Few", "list": "F"}]), **{"If-None-Match": "*"}).ok


def test_a_draft_whose_fields_are_those_that_are_saved_asks_the_account_for_none(team: World) -> None:
    custom = {**SIMPLE, "string--Tier": "FirstName"}
    segments = [{"segment": "Few", "list": "Custom"}]
    team.save("custom", segments=segments, mapping=custom, schedule={"on": "off"})
    team.api.post("exports/custom/preview")  # the account's lists are asked for once a minute
    team.reset_statistics()
    team.api.post("exports/custom/preview", draft(segments=segments, mapping=custom, leavers="keep"))
    assert team.look("stats")["requests"] == 0
