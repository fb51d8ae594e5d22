"""What is wrong at Ortto is named, loses nobody, and is told in no words of Ortto's, which quote what was sent to it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from local.world import people
from shared.destinations.ortto import limits
from tests.destinations.ortto.bench import KEY, OrttoBench
from tests.destinations.ortto.installed import MAPPING, refresh, run, save, write
from tests.hostile.conftest import Installation

EVERYBODY = {"a@example.com", "b@example.com", "c@example.com"}


@pytest.fixture(autouse=True)
def _no_words_of_orttos_are_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Hold every log line of each test here against addresses, the long value, and the texts of Ortto's errors."""
    caplog.set_level(logging.INFO)
    yield
    for quoted in (
        "@example.com",
        "x" * 20,
        "No valid contacts",
        "failed to validate",
        "Unauthorized",
        "Object not found",
    ):
        assert quoted not in caplog.text


@pytest.fixture(autouse=True)
def _bad_calls_are_forgotten_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test wait for what the one before did wrong."""
    monkeypatch.setattr(limits, "BAN_SECONDS", 0.0)


@pytest.mark.parametrize(
    ("knobs", "connecting", "reason"),
    [
        ({"key": "another"}, (422, "key_refused"), "key_refused"),
        ({"wrong_region": True}, (422, "key_refused"), "key_refused"),
        ({"wrong_region": True, "wrong_region_answer": "404"}, (502, "autopilot_unavailable"), "autopilot_refused"),
    ],
    ids=["dead key", "wrong region", "wrong region, not found"],
)
def test_a_dead_key_or_another_region_is_named_when_it_is_saved_and_when_it_is_used(
    ortto: OrttoBench, installation: Installation, knobs: dict[str, Any], connecting: tuple[int, str], reason: str
) -> None:
    save(installation)
    ortto.turn(**knobs)
    body = {"display_name": "Other", "kind": "ortto", "region": "us", "api_key": KEY, "agree_to_privacy": True}
    status, wrong = installation.ask("put_connection", "other", body=body)
    assert (status, wrong["code"]) == connecting
    assert "A key of Ortto works in its own region only." in wrong["detail"]
    ended = run(installation, fails=True)
    assert (ended["reason"], ended["counts"]["delivered"]) == (reason, 0)
    assert ortto.members("Team") == set()
    ortto.turn()
    assert run(installation)["counts"]["delivered"] == 3
    assert ortto.members("Team") == EVERYBODY


def test_values_that_a_field_cannot_take_are_left_out_and_named_and_the_person_is_not(
    ortto: OrttoBench, installation: Installation, url: str
) -> None:
    custom = {"Tier": "text", "Points": "integer", "Spent": "decimal", "Since": "date", "Mobile": "phone"}
    fields = {kind: make_field(url, kind, name) for name, kind in custom.items()}
    bad = {"Tier": "x" * 256, "Points": "many", "Spent": "1.2345", "Since": "never", "Mobile": "1"}
    write(installation.stack, {"Team": people(*sorted(EVERYBODY), **bad)})
    mapping = {**MAPPING, **{fields[kind]: name for name, kind in custom.items()}}
    assert save(installation, mapping=mapping)[0] == 201
    preview = installation.ask("preview_export", "team")[1]
    assert preview["omitted"] == dict.fromkeys(fields.values(), 3)
    ended = run(installation)
    assert (ended["counts"]["delivered"], ended["counts"]["values_omitted"]) == (3, 15)
    assert ortto.members("Team") == EVERYBODY
    assert not set(fields.values()) & ortto.look("people/a@example.com")["fields"].keys()

    assert save(installation, mapping=mapping, on_bad_value="reject")[0] == 200
    assert installation.ask("preview_export", "team")[1]["rejected"] == {"value_not_convertible": 3}


@pytest.mark.parametrize("count", [3, 30])
@pytest.mark.parametrize("shape", ["in_place", "whole_400"])
def test_a_field_that_is_deleted_there_stops_the_run_by_name_and_blames_nobody(
    ortto: OrttoBench, installation: Installation, url: str, count: int, shape: str
) -> None:
    addresses = [f"p{n}@example.com" for n in range(count)]
    write(installation.stack, {"Team": people(*addresses, Tier="Gold")})
    save(installation, mapping={**MAPPING, make_field(url, "text", "Tier"): "Tier"})
    ortto.by_hand("POST", "empty")
    ortto.turn(mixed_batch=shape)
    ended = run(installation, fails=True)
    assert (ended["reason"], ended["counts"]["undelivered"], ended["counts"]["rejected"]) == ("field_unknown", count, 0)
    make_field(url, "text", "Tier")
    assert run(installation)["counts"]["delivered"] == count
    assert ortto.members("Team") == set(addresses)


@pytest.mark.parametrize("shape", ["in_place", "whole_400"])
def test_a_field_that_is_deleted_there_leaves_the_books_of_removals_right(
    ortto: OrttoBench, installation: Installation, url: str, shape: str
) -> None:
    tier = make_field(url, "text", "Tier")
    write(installation.stack, {"Team": people(*sorted(EVERYBODY), Tier="Gold")})
    save(installation, mapping={**MAPPING, tier: "Tier"})
    run(installation)
    ortto.by_hand("DELETE", f"fields/{tier}")
    ortto.turn(mixed_batch=shape)
    write(installation.stack, {"Team": people("a@example.com", "d@example.com", Tier="Lead")})
    counts = run(installation, fails=True)["counts"]
    assert (counts["undelivered"], counts["rejected"]) == (2, 0)
    assert len(EVERYBODY - ortto.members("Team")) == counts["removed"]
    make_field(url, "text", "Tier")
    again = run(installation)["counts"]
    assert (again["delivered"], again["removed"]) == (2, 2 - counts["removed"])
    assert ortto.members("Team") == {"a@example.com", "d@example.com"}


def test_who_has_no_address_is_rejected_by_name_and_two_rows_with_one_are_one_person(
    ortto: OrttoBench, installation: Installation
) -> None:
    rows = people("a@example.com", None, "nobody", "d@example.com", " D@Example.com")
    write(installation.stack, {"Team": rows})
    save(installation)
    assert installation.ask("preview_export", "team")[1]["rejected"] == {"email_invalid": 1, "email_missing": 1}
    counts = run(installation)["counts"]
    assert (counts["rows_read"], counts["delivered"], counts["duplicates"], counts["rejected"]) == (5, 2, 1, 2)
    assert ortto.members("Team") == {"a@example.com", "d@example.com"}
    assert len(ortto.look("people")) == 2


def test_two_people_at_ortto_with_one_address_are_both_left_and_one_of_them_is_kept_up(
    ortto: OrttoBench, installation: Installation
) -> None:
    save(installation)
    run(installation)
    ortto.by_hand("POST", "people/a@example.com/duplicate")
    refresh(installation.stack, *sorted(EVERYBODY), first_name="Another")
    assert run(installation)["counts"]["delivered"] == 3
    assert len(ortto.look("people")) == 4
    assert ortto.first_name("a@example.com") == "Another"
    assert run(installation, "verify_export")["reason"] == "lists_equal"
    refresh(installation.stack, "b@example.com", "c@example.com", first_name="Another")
    assert run(installation)["counts"]["removed"] == 1
    assert ortto.members("Team") == {"b@example.com", "c@example.com"}


def test_a_tags_name_is_neither_too_long_nor_twice_nor_unprintable(
    ortto: OrttoBench, installation: Installation
) -> None:
    write(installation.stack, {"Team": people("a@example.com"), "Second": people("b@example.com")})
    status, wrong = save(installation, segments=[{"segment": "Team", "list": "x" * 201}])
    assert (status, wrong["errors"][0]["field"], wrong["errors"][0]["code"]) == (
        422,
        "segments.0.list",
        "string_too_long",
    )
    twice = [{"segment": "Team", "list": "Team"}, {"segment": "Second", "list": "TEAM"}]
    status, wrong = save(installation, segments=twice)
    assert (status, "differ only in case" in str(wrong["errors"])) == (422, True)
    status, saved = save(installation, segments=[{"segment": "Team", "list": "two\nlines"}])
    assert (status, saved["warnings"]) == (
        201,
        ["'two\\nlines' cannot be a tag's name in Ortto. Give the segment another list."],
    )
    assert run(installation, fails=True)["counts"]["delivered"] == 0
    assert [tag["name"] for tag in ortto.look("tags")["tags"]] == ["My team"]
    assert save(installation)[0] == 200
    assert run(installation)["counts"]["delivered"] == 1


def test_a_tag_that_differs_only_in_case_is_the_one_that_is_filled(
    ortto: OrttoBench, installation: Installation
) -> None:
    save(installation, segments=[{"segment": "Team", "list": "MY TEAM"}])
    assert run(installation)["counts"]["delivered"] == 3
    assert [tag["name"] for tag in ortto.look("tags")["tags"]] == ["My team"]
    assert ortto.members("My team") == EVERYBODY


def test_an_audience_given_for_a_tag_is_warned_of_until_there_is_a_tag_of_its_name(
    ortto: OrttoBench, installation: Installation
) -> None:
    audience = [{"segment": "Team", "list": "Subscribers"}]
    _, saved = save(installation, segments=audience)
    (warning,) = saved["warnings"]
    assert "'Subscribers' is an audience in Ortto, which no API can fill." in warning
    assert run(installation)["counts"]["delivered"] == 3
    assert ortto.members("Subscribers") == EVERYBODY
    assert save(installation, segments=audience)[1]["warnings"] == []


def make_field(url: str, kind: str, name: str) -> str:
    """Make a custom field, as a person does in the product; return its id."""
    body, headers = {"name": name, "type": kind}, {"X-Api-Key": KEY}
    made = requests.post(f"{url}/v1/person/custom-field/create", json=body, headers=headers, timeout=60)
    return str(made.json()["field_id"])
