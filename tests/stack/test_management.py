"""Connections, exports and runs, as their users manage them: the HTTP API on the whole stack."""

from __future__ import annotations

import json

from azure.storage.blob import BlobServiceClient

from local.world import SIMPLE, World, adds_up, people
from tests.stack.api_calls import CONNECTION, call
from tests.stack.conftest import MakeWorld


def test_the_whole_flow_connect_configure_save_refresh_on_demand_remove(make_world: MakeWorld) -> None:
    world = make_world(settings={"EXPORT_SCHEDULE": "*/1 * * * * *"})
    world.publish({"Team": people("a@example.com")})
    made = world.api.put("connections/main", CONNECTION)
    assert made["account"] == "Sandbox Account"
    world.save("team", segments=["Team"], mapping=SIMPLE)
    world.ticked()
    assert world.runs("team") == []  # saving runs nothing
    world.publish({"Team": people("a@example.com", "b@example.com")})
    assert world.next_run("team")["trigger"] == "refresh"
    assert world.run("team")["trigger"] == "on_demand"
    world.api.delete("exports/team")
    world.publish({"Team": people("a@example.com", "b@example.com", "c@example.com")})
    world.ticked()
    assert world.members("Team") == {"a@example.com", "b@example.com"}  # it has stopped; what was delivered stays


def test_a_key_is_never_readable_again(team: World) -> None:
    for path in ("connections", "connections/main"):
        assert "sandbox-key" not in json.dumps(team.api.get(path))
    assert team.api.get("connections/main")["secret"] == "readable"


def test_a_connection_needs_consent_and_keeps_who_gave_it(team: World) -> None:
    refused = team.refused("PUT", "connections/new", {**CONNECTION, "agree_to_privacy": False})
    assert refused.status == 422
    assert "agree_to_privacy" in refused.lines[1]
    consent = team.api.get("connections/main")["consent"]
    assert (consent["by"], bool(consent["at"]), bool(consent["text_version"])) == ("function-key", True, True)


def test_a_key_that_autopilot_refuses_is_not_kept(team: World) -> None:
    refused = team.refused("PUT", "connections/wrong", {**CONNECTION, "api_key": "nonsense"})
    assert (refused.status, refused.code) == (422, "key_refused")
    assert team.refused("GET", "connections/wrong").status == 404


def test_a_connection_can_be_tested_and_says_when_its_secret_is_unreadable(team: World) -> None:
    assert team.api.post("connections/main/test") == {"accepted": True, "account": "Sandbox Account"}
    team.vault("forbidden")
    assert team.api.get("connections/main")["secret"] == "forbidden"


def test_a_connection_in_use_is_removed_only_by_detaching(team: World) -> None:
    team.api.put("connections/shared", CONNECTION)
    team.save("uses-it", segments=[{"segment": "Team", "list": "Uses it"}], mapping=SIMPLE, connection="shared")
    refused = team.refused("DELETE", "connections/shared")
    assert (refused.status, refused.content["exports"]) == (409, ["uses-it"])
    team.api.delete("connections/shared", detach="true")
    detached = team.api.get("exports/uses-it")
    assert (detached["connection"], detached["mapping"]) == (None, SIMPLE)
    assert team.run("uses-it")["reason"] == "connection_detached"


def test_a_mapping_is_checked_against_the_real_columns_with_suggestions(team: World) -> None:
    refused = team.refused(
        "PUT",
        "exports/typo",
        {
            "display_name": "x",
            "connection": "main",
            "segments": ["Team", "Teem"],
            "mapping": {"Email": "E-mail", "FirstName": "Firstname"},
        },
    )
    said = {item["field"]: item["detail"] for item in refused.content["errors"]}
    assert refused.status == 422
    assert "Did you mean 'Email'?" in said["mapping.Email"]
    assert "Did you mean 'FirstName'?" in said["mapping.FirstName"]
    assert "Did you mean 'Team'?" in said["segments.1"]


def test_segments_come_with_members_and_a_suggested_mapping(team: World) -> None:
    found = next(item for item in team.api.items("segments") if item["name"] == "Team")
    assert (found["members"], found["eligible"]) == (2, True)
    assert found["suggested_mapping"] == {"Email": "Email", "FirstName": "FirstName"}


def test_a_custom_field_of_another_type_is_refused_and_an_unknown_one_is_said_so(team: World) -> None:
    team.publish({"Team": people("a@example.com", Points="1")})
    saved = team.save(
        "typed", segments=[{"segment": "Team", "list": "Typed"}], mapping={**SIMPLE, "integer--Points": "Points"}
    )
    assert "no custom field 'Points' yet" in saved["warnings"][0]
    team.run("typed")
    refused = team.refused(
        "PUT",
        "exports/typed",
        {
            "display_name": "x",
            "connection": "main",
            "segments": [{"segment": "Team", "list": "Typed"}],
            "mapping": {"Email": "Email", "string--Points": "Points"},
        },
    )
    assert refused.content["errors"][0]["code"] == "type_conflict"


def test_two_exports_never_fill_one_list(team: World) -> None:
    team.save("first", segments=[{"segment": "Team", "list": "Shared list"}], mapping=SIMPLE)
    refused = team.refused(
        "PUT",
        "exports/second",
        {
            "display_name": "x",
            "connection": "main",
            "segments": [{"segment": "Team", "list": "Shared list"}],
            "mapping": SIMPLE,
        },
    )
    assert (refused.status, refused.code, refused.content["export"]) == (409, "list_in_use", "first")


def test_an_export_is_duplicated_without_its_connection(team: World) -> None:
    team.save("original", segments=[{"segment": "Team", "list": "Original"}], mapping=SIMPLE)
    team.api.post("exports/original/duplicate", {"name": "twin"})
    twin = team.api.get("exports/twin")
    assert (twin["display_name"], twin["connection"], twin["segments"]) == (
        "Copy of original",
        None,
        [{"segment": "Team", "list": "Original"}],
    )
    assert team.refused("POST", "exports/original/duplicate", {"name": "twin"}).code == "export_exists"


def test_a_stale_change_is_refused(team: World) -> None:
    team.save("etag", segments=[{"segment": "Team", "list": "Etag"}], mapping=SIMPLE)
    first = call(team, "GET", "exports/etag").headers["ETag"]
    body = {"display_name": "new", "connection": None, "segments": ["Team"], "mapping": SIMPLE}
    second = call(team, "PUT", "exports/etag", body, If_Match=first)
    assert second.status_code == 200
    assert call(team, "PUT", "exports/etag", body, If_Match=first).status_code == 412
    assert call(team, "DELETE", "exports/etag", If_Match=first).status_code == 412
    assert call(team, "PUT", "exports/never-there", body, If_Match=first).status_code == 412
    assert call(team, "DELETE", "exports/etag", If_Match=second.headers["ETag"]).status_code == 204


def test_putting_the_same_twice_is_the_same(team: World) -> None:
    for _ in range(2):
        saved = team.save("same", segments=[{"segment": "Team", "list": "Same"}], mapping=SIMPLE)
    assert saved["display_name"] == "same"
    assert [item["name"] for item in team.api.items("exports")].count("same") == 1


def test_lists_page(team: World) -> None:
    for number in range(5):
        team.save(f"page-{number}", segments=[{"segment": "Team", "list": f"Page {number}"}], mapping=SIMPLE)
    names: list[str] = []
    after = ""
    while True:
        page = team.api.get("exports", limit="2", **({"after": after} if after else {}))
        assert len(page["items"]) <= 2
        names += [item["name"] for item in page["items"]]
        after = page["next"]
        if not after:
            break
    assert names == sorted(set(names))
    assert {f"page-{number}" for number in range(5)} <= set(names)


def test_a_preview_says_everything_and_sends_nothing(team: World) -> None:
    team.publish({"Team": people("a@example.com", "b@example.com", "nobody", "a@example.com")})
    team.save("preview", segments=[{"segment": "Team", "list": "Preview"}], mapping=SIMPLE)
    team.reset_statistics()
    found = team.api.post("exports/preview/preview")
    assert team.look("stats")["writes"] == 0
    assert (found["profiles"], found["joiners"], found["duplicates"], found["rejected"]) == (
        2,
        2,
        1,
        {"email_invalid": 1},
    )
    assert found["examples"] == [
        {"Email": "a@example.com", "FirstName": "Name0"},
        {"Email": "b@example.com", "FirstName": "Name1"},
    ]
    team.reset_statistics()
    run = team.run("preview")
    # of a first run: whose account it is, lists twice, creation, four for the proof, two for the look in the end
    assert run["counts"]["requests"] <= found["calls"] + 10
    assert run["counts"]["joiners"] == found["joiners"]


def test_rejected_rows_alone_are_tried_again(team: World) -> None:
    team.publish({"Team": people("a@example.com", "nobody", "poison9@example.com")})
    team.save("again", segments=[{"segment": "Team", "list": "Again"}], mapping=SIMPLE)
    first = team.run("again")
    assert first["counts"]["rejected"] == 2
    mended = people("a@example.com", "mended@example.com", "healed@example.com", "new@example.com")
    team.publish({"Team": mended})
    again = team.wait("again", team.api.post(f"exports/again/runs/{first['id']}/rerun")["run"])
    assert (again["trigger"], again["status"]) == ("rejected_rows", "Successful")
    assert adds_up(again)
    assert (again["counts"]["delivered"], again["counts"]["undelivered"]) == (2, 1)
    assert team.members("Again") == {"a@example.com", "mended@example.com", "healed@example.com"}


def test_run_all_starts_only_what_has_a_schedule(make_world: MakeWorld) -> None:
    world = make_world()
    world.publish({"Team": people("a@example.com")})
    world.connect()
    world.save("on", segments=[{"segment": "Team", "list": "On"}], mapping=SIMPLE)
    world.save("off", segments=[{"segment": "Team", "list": "Off"}], mapping=SIMPLE, schedule={"on": "off"})
    started = world.api.post("runs")
    assert [item["export"] for item in started["started"]] == ["on"]
    assert world.wait("on", started["started"][0]["run"])["trigger"] == "run_all"


def test_an_export_saved_under_the_name_of_a_deleted_one_begins_with_nothing(team: World) -> None:
    """What the deleted one delivered is nobody's leaver, and its runs are not the new one's."""
    team.publish({"Team": people("a@example.com", "b@example.com"), "Few": people("c@example.com")})
    team.save("twice", segments=[{"segment": "Team", "list": "Twice"}], mapping=SIMPLE)
    first = team.run("twice")
    team.api.delete("exports/twice")
    saved = team.save("twice", segments=[{"segment": "Few", "list": "Twice"}], mapping=SIMPLE)
    assert not [warning for warning in saved["warnings"] if "takes over" in warning]
    assert team.api.get("exports/twice/runs")["items"] == []
    second = team.run("twice")
    assert second["counts"]["leavers"] == 0
    assert team.members("Twice") == {"a@example.com", "b@example.com", "c@example.com"}
    assert [run["id"] for run in team.api.get("exports/twice/runs")["items"]] == [second["id"]]
    assert team.api.get(f"exports/twice/runs/{first['id']}")["status"] == "Successful"  # until its history is over


def test_an_export_whose_settings_were_lost_says_what_it_takes_over(team: World) -> None:
    team.save("lost", segments=[{"segment": "Team", "list": "Lost"}], mapping=SIMPLE)
    team.run("lost")
    with BlobServiceClient.from_connection_string(team.stack.storage) as service:
        service.get_blob_client("configuration", "exports/lost.json").delete_blob()
    saved = team.save("lost", segments=[{"segment": "Team", "list": "Lost"}], mapping=SIMPLE)
    assert any("takes over" in warning for warning in saved["warnings"])
    assert team.run("lost")["reason"] == "nothing_to_do"


def test_a_person_is_erased_at_autopilot_and_stays_away(team: World) -> None:
    team.publish({"Team": people("stays@example.com", "goes@example.com")})
    team.save("erase", segments=[{"segment": "Team", "list": "Erase"}], mapping=SIMPLE)
    team.run("erase")
    done = team.api.post("erasure", {"email": " Goes@Example.com "})
    assert (done["erased"], done["accounts"], done["states"]) == (True, 1, 1)
    assert team.members("Erase") == {"stays@example.com"}
    again = team.run("erase")
    assert adds_up(again)
    assert again["counts"]["rejected"] == 1
    assert team.members("Erase") == {"stays@example.com"}
    assert "erased" in team.api.text(f"exports/erase/runs/{again['id']}/rejected")


def test_every_change_is_in_the_audit_trail_without_personal_data(team: World) -> None:
    team.save("audited", segments=[{"segment": "Team", "list": "Audited"}], mapping=SIMPLE)
    run = team.start("audited")
    team.wait("audited", run)
    team.api.post("erasure", {"email": "somebody@example.com"})
    trail = team.api.get("audit")["items"]
    what = ["erasure: erased", "post_erasure", "run started (on_demand)", "put_export"]
    assert [item["what"] for item in trail[:4]] == what
    assert trail[2]["of"] == f"export=audited run={run}"
    assert "@" not in json.dumps(trail)
