"""A segment's way to Autopilot and back into state, on the whole stack."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from local.environment import SEGMENTS, Company
from local.world import SIMPLE, World, adds_up, people
from tests.stack.conftest import MakeWorld
from tests.stack.customers import customers

REAL = Path(__file__).parents[3] / "shared/data/customer.csv"
"""A real table of the shape that `customers` makes up; it may lie beside the project."""


def test_the_lists_equal_the_segments_through_a_first_load_no_change_and_a_refresh(make_world: MakeWorld) -> None:
    world = make_world(instances=2)
    company = Company.found(1500)
    world.publish_company(company)
    world.connect()
    world.save("loyalty")

    first = world.run("loyalty")
    assert first["status"] == "Completed with warnings"
    assert first["reason"] == "rows_rejected"
    assert adds_up(first)
    for name in SEGMENTS:
        assert world.members(name) == company.expected_members(name)

    world.reset_statistics()
    second = world.run("loyalty")
    assert world.look("stats")["writes"] == 0
    assert (second["counts"]["delivered"], second["counts"]["joiners"]) == (0, 0)
    assert adds_up(second)

    later = company.next_refresh(0.05)
    world.publish_company(later)
    third = world.run("loyalty")
    assert adds_up(third)
    assert 0 < third["counts"]["delivered"] < first["counts"]["delivered"] / 2
    assert third["counts"]["removed"] == third["counts"]["leavers"] > 0
    for name in SEGMENTS:
        assert world.members(name) == later.expected_members(name)


@pytest.mark.parametrize("real", [False, True] if REAL.exists() else [False])
def test_rows_of_a_real_tables_shape_arrive_exactly(make_world: MakeWorld, real: bool) -> None:
    world = make_world()
    table = pl.read_csv(REAL, infer_schema=False) if real else customers()
    segments = {"Women": table.filter(pl.col("Gender") == "Female"), "Arizona": table.filter(pl.col("State") == "AZ")}
    world.publish(segments)
    world.connect()
    world.save("real", segments=list(segments), mapping={**SIMPLE, "date--Date--Of--Birth": "DateOfBirth"})
    run = world.run("real")
    assert run["reason"] == "rows_rejected"
    assert adds_up(run)
    broken = pl.col("Email").str.contains("..", literal=True)  # five addresses hold two dots in a row
    assert run["counts"]["rejected"] == sum(rows.filter(broken).height for rows in segments.values()) > 0
    for name, rows in segments.items():
        assert world.members(name) == set(rows.filter(~broken)["Email"].str.to_lowercase())
    world.reset_statistics()
    assert world.run("real")["counts"]["unchanged"] == run["counts"]["delivered"]
    assert world.look("stats")["writes"] == 0


def test_a_contact_arrives_with_its_fields_typed_and_nothing_that_is_not_mapped(world: World) -> None:
    world.publish({"VIP": people("Ann@Example.com", Points="12.0", Secret="not mapped")})
    world.connect()
    world.save(
        "vip", segments=[{"segment": "VIP", "list": "Very important"}], mapping={**SIMPLE, "integer--Points": "Points"}
    )
    assert world.run("vip")["status"] == "Successful"
    contact = world.look("contacts/ann@example.com")
    assert (contact["Email"], contact["FirstName"]) == ("ann@example.com", "Name0")
    assert contact["custom_fields"] == [{"kind": "Points", "value": 12, "fieldType": "integer", "deleted": False}]
    assert "not mapped" not in str(contact)
    assert world.members("Very important") == {"ann@example.com"}


@pytest.mark.parametrize(
    ("knobs", "profiles", "most"),
    [
        ({"bulk_lists": "honoured"}, 10_000, 100 + 20),
        ({"contact_lists": "honoured"}, 2_500, 2_500 + 20),
        ({"contact_lists": "ignored"}, 2_500, 2_500 + 25 + 20),
    ],
)
def test_many_profiles_take_few_calls(make_world: MakeWorld, knobs: dict[str, str], profiles: int, most: int) -> None:
    world = make_world(knobs=knobs, instances=2)
    world.publish({"All": people(*(f"p{n}@example.com" for n in range(profiles)))})
    world.connect()
    world.save("all", segments=["All"], mapping=SIMPLE)
    world.reset_statistics()
    run = world.run("all")
    assert run["status"] == "Successful"
    assert len(world.members("All")) == profiles
    assert world.look("stats")["requests"] <= most


@pytest.mark.parametrize("contact_lists", ["honoured", "new_only", "ignored"])
def test_an_account_that_fills_lists_for_new_contacts_only_is_not_believed(
    make_world: MakeWorld, contact_lists: str
) -> None:
    world = make_world(knobs={"bulk_lists": "new_only", "contact_lists": contact_lists})
    world.publish({"All": people(*(f"p{n}@example.com" for n in range(300)))})
    world.connect()
    world.save("all", segments=["All"], mapping=SIMPLE)
    assert world.run("all")["status"] == "Successful"
    assert len(world.members("All")) == 300


def test_which_call_fills_lists_is_proved_anew_for_another_key(make_world: MakeWorld) -> None:
    world = make_world(knobs={"bulk_lists": "honoured"})
    world.publish({"All": people("a@example.com")})
    world.connect()
    world.save("all", segments=["All"], mapping=SIMPLE)
    world.run("all")
    world.turn(bulk_lists="ignored", contact_lists="ignored")
    world.turn(key="another-key")
    world.connect(api_key="another-key")
    everybody = ["a@example.com", *(f"p{n}@example.com" for n in range(20))]
    world.publish({"All": people(*everybody)})
    assert world.run("all")["status"] == "Successful"
    assert world.members("All") == set(everybody)


def test_racing_workers_create_each_list_once(make_world: MakeWorld) -> None:
    world = make_world(instances=3)
    segments = {f"Segment{n}": people(*(f"p{n}-{m}@example.com" for m in range(600))) for n in range(4)}
    world.publish(segments)
    world.connect()
    world.save("race", segments=list(segments), mapping=SIMPLE)
    assert world.run("race")["status"] == "Successful"
    titles = [item["title"] for item in world.look("lists")["lists"]]
    assert sorted(titles) == sorted(segments)


def test_a_list_that_is_there_already_is_used(world: World) -> None:
    world.publish({"Known": people("a@example.com")})
    world.connect()
    world.save("known", segments=["Known"], mapping=SIMPLE)
    world.run("known")
    before = world.list_ids()["Known"]
    world.publish({"Known": people("a@example.com", "b@example.com")})
    world.run("known")
    assert world.list_ids()["Known"] == before
    assert world.members("Known") == {"a@example.com", "b@example.com"}


def test_rejected_rows_are_named_and_the_rest_goes_through(world: World) -> None:
    world.publish({"Mixed": people("good@example.com", None, "nobody", "poison1@example.com", "also.good@example.com")})
    world.connect()
    world.save("mixed", segments=["Mixed"], mapping=SIMPLE)
    run = world.run("mixed")
    assert (run["status"], run["counts"]["rejected"], run["counts"]["delivered"]) == ("Completed with warnings", 3, 2)
    assert adds_up(run)
    lines = world.api.text(f"exports/mixed/runs/{run['id']}/rejected").splitlines()
    assert [line.split(",")[3] for line in lines[1:]] == ["email_missing", "email_invalid", "refused_by_autopilot"]
    assert "@" not in "".join(lines)
    again = world.run("mixed")
    assert again["counts"]["rejected"] == 3
    assert world.members("Mixed") == {"good@example.com", "also.good@example.com"}


def test_leavers_stay_where_the_export_keeps_them(world: World) -> None:
    world.publish({"Keep": people("a@example.com", "b@example.com")})
    world.connect()
    world.save("keep", segments=["Keep"], mapping=SIMPLE, leavers="keep")
    world.run("keep")
    world.publish({"Keep": people("a@example.com")})
    assert world.run("keep")["reason"] == "nothing_to_do"
    assert world.members("Keep") == {"a@example.com", "b@example.com"}


def test_members_whom_others_put_on_the_list_are_left_alone(world: World) -> None:
    world.publish({"Ours": people("a@example.com", "b@example.com", "c@example.com")})
    world.connect()
    world.save("ours", segments=["Ours"], mapping=SIMPLE)
    world.run("ours")
    world.publish(
        {"Theirs": people("guest@example.com"), "Ours": people("a@example.com", "b@example.com", "c@example.com")}
    )
    world.save("theirs", segments=["Theirs"], mapping=SIMPLE)
    world.run("theirs")
    import requests

    by_hand = f"{world.stack.sandbox_url}/v1/list/{world.list_ids()['Ours']}/contact/guest@example.com"
    requests.post(by_hand, headers={"autopilotapikey": "sandbox-key"}, timeout=60)
    world.publish({"Ours": people("a@example.com", "b@example.com")})
    run = world.run("ours")
    assert run["counts"]["removed"] == 1
    assert world.members("Ours") == {"a@example.com", "b@example.com", "guest@example.com"}
