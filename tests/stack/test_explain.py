"""Find a person: why somebody is on an export's lists or is not, from their row to the destination at this moment."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
import requests

from local.world import SIMPLE, World, people
from tests.stack.conftest import MakeWorld

MAPPING = {**SIMPLE, "float--Spent": "Spent"}


def segment(*rows: tuple[str, str | None, str, str]) -> pl.DataFrame:
    """Return a segment of CustomerId, address, first name and what was spent."""
    schema = {"CustomerId": pl.String, "Email": pl.String, "FirstName": pl.String, "Spent": pl.String}
    return pl.DataFrame(list(rows), schema=schema, orient="row")


@pytest.fixture(scope="module")
def told(make_lasting_world: MakeWorld) -> World:
    """Return a world in which an export has delivered some, rejected one, and met changes since."""
    world = make_lasting_world()
    staff = [
        ("c1", "ann@example.com", "Ann", "1.5"),
        ("c2", "ben@example.com", "Ben", "a lot"),
        ("c3", "cid@example.com", "Cid", "2"),
        ("c4", "dan@example.com", "Dan", "3"),
        ("c5", "eve@example.com", "Eve", "4"),
        ("c6", "Fay@Example.com", "Fay", "5"),
        ("c0", "fay@example.com", "", "6"),
    ]
    world.publish({"Team": segment(*staff)})
    world.connect()
    settings = {"schedule": {"on": "off"}, "guards": {"max_removed_percent": 100}}
    world.save("team", segments=["Team"], mapping=MAPPING, on_bad_value="reject", **settings)
    world.run("team")
    url = f"{world.stack.sandbox_url}/v1/list/{world.list_ids()['Team']}/contact/cid@example.com"
    assert requests.delete(url, headers={"autopilotapikey": "sandbox-key"}, timeout=60).ok
    staff[3:5] = [("c5", "eve at home", "Eve", "4"), ("c7", "gus@example.com", "Gus", "7")]
    world.publish({"Team": segment(*staff)})
    return world


def explain(world: World, email: str, name: str = "team") -> Any:
    return world.api.post(f"exports/{name}/explain", {"email": email})


def why(found: Any) -> list[tuple[str, bool | None, bool, bool | None]]:
    return [(item["why"], item["in_segment"], item["delivered"], item["on_list"]) for item in found["lists"]]


def test_a_member_is_in_the_segment_delivered_and_on_the_list(told: World) -> None:
    found = explain(told, " ANN@example.com ")
    assert why(found) == [("member", True, True, True)]
    assert found["contact"] == {"Email": "ann@example.com", "FirstName": "Ann", "custom": {"float--Spent": 1.5}}
    (row,) = found["rows"]
    assert (row["customer_id"], row["speaks"], row["reason"]) == ("c1", True, None)
    assert found["record"]["is_current"] is True
    assert found["record"]["run"] == told.api.get("exports/team")["last_run"]["id"]
    assert found["destination"] == {"exists": True, "code": "", "detail": ""}
    assert found["segments"][0]["as_of"]


def test_a_rejected_row_says_why_what_to_do_and_since_when(told: World) -> None:
    found = explain(told, "ben@example.com")
    assert why(found) == [("rejected", True, False, False)]
    (row,) = found["rows"]
    assert (row["reason"], row["field"], row["speaks"]) == ("value_not_convertible", "float--Spent", False)
    assert found["lists"][0]["advice"] == row["advice"]
    assert found["rejected_since"]["run"] == told.api.get("exports/team")["last_run"]["id"]
    assert (found["contact"], found["record"], found["destination"]["exists"]) == (None, None, False)


def test_who_was_taken_off_by_hand_is_missed(told: World) -> None:
    assert why(explain(told, "cid@example.com")) == [("taken_off_there", True, True, False)]


def test_who_left_the_segment_leaves_with_the_next_run(told: World) -> None:
    found = explain(told, "dan@example.com")
    assert why(found) == [("leaves_with_next_run", False, True, True)]
    assert found["rows"] == []


def test_whose_address_is_none_any_more_stays_and_is_found_by_their_customer_id(told: World) -> None:
    found = explain(told, "eve@example.com")
    assert why(found) == [("stays_without_address", False, True, True)]
    (row,) = found["rows"]
    assert (row["customer_id"], row["by_address"], row["reason"]) == ("c5", False, "email_invalid")


def test_of_two_rows_of_one_address_it_says_which_one_speaks_and_what_both_come_to(told: World) -> None:
    found = explain(told, "fay@example.com")
    assert {(row["customer_id"], row["speaks"]) for row in found["rows"]} == {("c0", True), ("c6", False)}
    assert found["contact"] == {"Email": "fay@example.com", "FirstName": "Fay", "custom": {"float--Spent": 6.0}}
    assert found["record"]["is_current"] is True  # what was delivered is what the two rows come to


def test_who_is_new_is_delivered_by_the_next_run(told: World) -> None:
    found = explain(told, "gus@example.com")
    assert why(found) == [("not_delivered_yet", True, False, False)]


def test_who_is_nowhere_is_not_in_the_segment(told: World) -> None:
    found = explain(told, "nobody-we-know@example.com")
    assert why(found) == [("not_in_segment", False, False, False)]
    assert (found["rows"], found["record"], found["rejected_since"]) == ([], None, None)


def test_a_destination_that_gives_no_answer_is_unknown_not_empty(told: World) -> None:
    told.turn(key="another")
    try:
        found = explain(told, "ann@example.com")
    finally:
        told.turn(key="sandbox-key")
    assert (found["destination"]["exists"], found["destination"]["code"]) == (None, "key_refused")
    assert why(found) == [("member", True, True, None)]


def test_a_segment_that_is_gone_is_unknown_and_the_others_are_told(told: World) -> None:
    named = [{"segment": "Team", "list": "Second"}, {"segment": "Gone", "list": "Gone"}]
    told.publish({"Team": segment(("c1", "ann@example.com", "Ann", "1")), "Gone": people("ann@example.com")})
    told.save("second", segments=named, mapping=SIMPLE, schedule={"on": "off"})
    told.publish({"Team": segment(("c1", "ann@example.com", "Ann", "1"))})
    found = explain(told, "ann@example.com", "second")
    assert [item["why"] for item in found["lists"]] == ["not_delivered_yet", "segment_unreadable"]
    assert [item["code"] for item in found["segments"]] == ["", "segment_missing"]


def test_what_is_no_address_is_refused_without_being_repeated(told: World) -> None:
    refused = told.refused("POST", "exports/team/explain", {"email": "mary at home"})
    assert (refused.status, refused.code) == (422, "body_invalid")
    assert "mary" not in str(refused.content)


def test_no_address_is_left_in_a_log_or_the_trail_which_says_who_looked(told: World) -> None:
    explain(told, "looked-for@example.com")
    (newest, *_) = told.api.get("audit")["items"]
    assert (newest["what"], newest["of"]) == ("explain_person", "export=team")
    logs = [path for path in told.stack.logs.iterdir() if "sandbox" not in path.name]  # Autopilot's own is its business
    assert logs
    assert all("looked-for" not in path.read_text() for path in logs)


def test_who_was_erased_is_not_delivered_again(told: World) -> None:
    told.publish({"Team": segment(("c1", "ann@example.com", "Ann", "1.5"), ("c8", "hal@example.com", "Hal", "1"))})
    told.run("team")
    assert why(explain(told, "hal@example.com"))[0][0] == "member"
    assert told.api.post("erasure", {"email": "hal@example.com"})["erased"]
    found = explain(told, "hal@example.com")
    assert why(found) == [("erased", True, False, False)]
    assert found["erased_at"]
