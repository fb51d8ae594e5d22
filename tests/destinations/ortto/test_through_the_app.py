"""Ortto through the whole app: connected, mapped, exported to, verified, erased from, and nobody's permission changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl
import pytest

from local.world import people
from shared.delivery.contacts import Contact
from shared.destinations.ortto.limits import TAGS
from tests.destinations.ortto.bench import OrttoBench
from tests.destinations.ortto.installed import MAPPING, refresh, run, save, write
from tests.hostile.conftest import Installation


def test_a_segment_becomes_a_tag_that_follows_it_is_verified_repaired_and_erased_from(
    ortto: OrttoBench, installation: Installation
) -> None:
    status, saved = save(installation)
    assert (status, saved["list_word"]) == (201, "tag")
    status, preview = installation.ask("preview_export", "team")
    assert (status, preview["calls"]) == (200, 2)  # one that sends, one that reads back
    assert run(installation)["counts"]["delivered"] == 3
    assert ortto.members("Team") == {"a@example.com", "b@example.com", "c@example.com"}

    ortto.calls()
    ended = run(installation)
    assert (ended["counts"]["unchanged"], ortto.calls().get("POST /person/merge", 0)) == (3, 0)

    ortto.by_hand("PUT", "tags/Team", {"name": "Team of ours"})
    refresh(installation.stack, "b@example.com", "d@example.com")
    ended = run(installation)
    assert (ended["counts"]["removed"], ended["counts"]["joiners"]) == (2, 1)
    assert ortto.members("Team of ours") == {"b@example.com", "d@example.com"}
    assert not ortto.members("Team")

    ortto.delete_contact("d@example.com")
    ortto.by_hand("PUT", "people/b@example.com", {"str::first": "by hand"})
    (finding,) = run(installation, "verify_export")["findings"]
    assert (finding["missing"], finding["drifted"], finding["extra"]) == (1, 1, 0)

    ortto.by_hand("DELETE", "tags/Team of ours")
    gone = run(installation, "verify_export")
    assert "The tag 'Team' is gone at Ortto" in gone["advice"]
    assert "Autopilot" not in gone["advice"]

    status, erased = installation.ask("post_erasure", body={"email": "b@example.com"})
    assert (status, erased["progress"]) == (200, "erased")
    assert ortto.first_name("b@example.com") is None
    assert ortto.look("archive") == []


def test_a_field_that_the_account_has_not_is_refused_when_the_export_is_saved(
    ortto: OrttoBench, installation: Installation
) -> None:
    status, wrong = save(installation, mapping={**MAPPING, "str:cm:tier": "FirstName"})
    assert status == 422
    assert [error["field"] for error in wrong["errors"]] == ["mapping.str:cm:tier"]
    assert save(installation, mapping={"Email": "Email"})[0] == 422


def test_an_export_says_whether_new_people_may_be_mailed(ortto: OrttoBench, installation: Installation) -> None:
    status, wrong = save(installation, new_people=None)
    assert (status, [error["field"] for error in wrong["errors"]]) == (422, ["new_people"])
    assert save(installation, new_people="not_subscribed")[0] == 201
    assert installation.ask("preview_export", "team")[1]["calls"] == 4  # one creates them, unsubscribed, one reads that
    assert run(installation)["counts"]["delivered"] == 3
    assert {permission(ortto, address) for address in ortto.members("Team")} == {False}


@pytest.mark.parametrize("new_people", ["subscribed", "not_subscribed"])
def test_the_calls_of_a_preview_are_those_that_a_run_makes(
    ortto: OrttoBench, installation: Installation, new_people: str
) -> None:
    """Of joiners to one tag or two, changed people and leavers; what a first run proves was proved before."""
    steps: list[Mapping[str, Sequence[int]]] = [
        {"Team": [1], "Second": [1]},
        {"Team": range(1, 731), "Second": range(600, 941)},
        {"Team": range(100, 800), "Second": range(500, 700)},
    ]
    for number, members in enumerate(steps):
        tables = {name: people(*(f"p{n}@example.com" for n in who)) for name, who in members.items()}
        changes = pl.when(pl.int_range(pl.len()) % 3 == 0).then(pl.lit(f"Name {number}")).otherwise(pl.lit("Name"))
        write(installation.stack, {name: table.with_columns(FirstName=changes) for name, table in tables.items()})
        save(installation, segments=["Team", "Second"], new_people=new_people)
        expected = installation.ask("preview_export", "team")[1]["calls"]
        ortto.calls()
        ended = run(installation)
        made = ortto.calls()
        delivering = made["POST /person/merge"] + made["POST /person/get-by-ids"]
        if number:
            assert delivering == expected
            assert ended["counts"]["requests"] == sum(made.values())
        assert {name: ortto.members(name) for name in members} == {
            name: {f"p{n}@example.com" for n in who} for name, who in members.items()
        }


def test_new_people_are_subscribed_where_the_export_says_so(ortto: OrttoBench, installation: Installation) -> None:
    save(installation)
    run(installation)
    assert {permission(ortto, address) for address in ortto.members("Team")} == {True}


@pytest.mark.parametrize("new_people", ["subscribed", "not_subscribed"])
def test_who_unsubscribed_stays_so_which_is_tried_on_one_first(
    ortto: OrttoBench, installation: Installation, new_people: str
) -> None:
    save(installation, new_people=new_people)
    unsubscribe(ortto, "b@example.com", "c@example.com")
    ended = run(installation)
    assert ended["counts"]["delivered"] == 3
    assert [permission(ortto, address) for address in ("b@example.com", "c@example.com")] == [False, False]
    assert changes(ortto, "b@example.com") == changes(ortto, "c@example.com") == [True, False]


@pytest.mark.parametrize("new_people", ["subscribed", "not_subscribed"])
def test_an_account_that_would_subscribe_people_again_stops_the_run_before_a_second_one(
    ortto: OrttoBench, installation: Installation, new_people: str
) -> None:
    ortto.turn(permission_on_update="resubscribes")
    save(installation, new_people=new_people)
    unsubscribe(ortto, "b@example.com", "c@example.com")
    for _ in range(2):
        ended = run(installation, fails=True)
        assert (ended["status"], ended["reason"]) == ("Failed", "permissions_would_change")
        assert ended["counts"]["undelivered"] == 3
    everybody = [item["fields"]["str::email"] for item in ortto.look("people")]
    again = [
        True
        for address in everybody
        if changes(ortto, address)[-2:] == [True, False] and len(changes(ortto, address)) > 2
    ]
    assert len(again) == 1  # the one it was tried on, once, whose permission was set back
    assert [permission(ortto, address) for address in ("b@example.com", "c@example.com")] == [False, False]
    assert ortto.members("Team") == set()


def test_an_account_that_would_subscribe_new_people_again_stops_the_run_although_nobody_was_there(
    ortto: OrttoBench, installation: Installation
) -> None:
    ortto.turn(permission_on_update="resubscribes")
    save(installation, new_people="not_subscribed")
    assert run(installation, fails=True)["reason"] == "permissions_would_change"
    assert [item["fields"]["bol::p"] for item in ortto.look("people")] == [False]


def test_suppressed_people_have_a_count_of_their_own_and_are_sent_once(
    ortto: OrttoBench, installation: Installation
) -> None:
    save(installation)
    ortto.by_hand("POST", "suppressed/b@example.com")
    ended = run(installation)
    assert (ended["status"], ended["counts"]["suppressed"], ended["counts"]["delivered"]) == ("Successful", 1, 2)
    assert ortto.members("Team") == {"a@example.com", "c@example.com"}

    ortto.calls()
    ended = run(installation)
    assert (ended["counts"]["unchanged"], ended["counts"]["rejected"]) == (3, 0)
    assert ortto.calls().get("POST /person/merge", 0) == 0
    assert run(installation, "verify_export")["reason"] == "lists_equal"

    ortto.by_hand("DELETE", "suppressed/b@example.com")
    refresh(installation.stack, "a@example.com", "b@example.com", "c@example.com", first_name="Another")
    assert run(installation)["counts"]["delivered"] == 3  # with new values it is tried again
    assert ortto.members("Team") == {"a@example.com", "b@example.com", "c@example.com"}


def test_suppressed_people_are_created_where_the_export_says_so_those_left_out_before_too(
    ortto: OrttoBench, installation: Installation
) -> None:
    save(installation)
    ortto.by_hand("POST", "suppressed/a@example.com")
    ortto.by_hand("POST", "suppressed/b@example.com")
    assert run(installation)["counts"]["suppressed"] == 2

    assert save(installation, create_suppressed=True, new_people="not_subscribed")[0] == 200
    refresh(installation.stack, "a@example.com", "b@example.com", "c@example.com", "d@example.com")
    ortto.by_hand("POST", "suppressed/d@example.com")
    ended = run(installation)
    assert (ended["counts"]["suppressed"], ended["counts"]["delivered"], ended["counts"]["unchanged"]) == (0, 3, 1)
    assert ortto.members("Team") == {"a@example.com", "b@example.com", "c@example.com", "d@example.com"}
    assert permission(ortto, "d@example.com") is False
    assert run(installation, "verify_export")["reason"] == "lists_equal"

    ended = run(installation)
    assert (ended["counts"]["unchanged"], ended["counts"]["suppressed"]) == (4, 0)


def test_a_suppressed_person_is_explained_as_what_they_are(ortto: OrttoBench, installation: Installation) -> None:
    save(installation)
    ortto.by_hand("POST", "suppressed/b@example.com")
    run(installation)
    status, found = installation.ask("explain_person", "team", body={"email": "b@example.com"})
    (told,) = found["lists"]
    assert (status, told["why"], told["delivered"], told["on_list"]) == (200, "suppressed", False, False)
    assert "suppression list" in told["advice"]
    assert found["destination"] == {"exists": False, "code": "", "detail": ""}
    assert save(installation, create_suppressed=True)[0] == 200
    found = installation.ask("explain_person", "team", body={"email": "b@example.com"})[1]
    assert found["lists"][0]["why"] == "not_delivered_yet"


def test_the_accounts_own_fields_are_offered(ortto: OrttoBench, installation: Installation) -> None:
    status, shown = installation.ask("list_fields", "main", segment="Team")
    names = {field["name"] for field in shown["fields"]}
    assert (status, shown["kind"], shown["asks_new_people"]) == (200, "ortto", True)
    assert {"str::email", "str::first", "bol::p"} <= names
    assert "u4s::t" not in names
    assert shown["suggested_mapping"]["str::email"] == "Email"
    assert shown["suggested_mapping"]["str::first"] == "FirstName"


def unsubscribe(ortto: OrttoBench, *addresses: str) -> None:
    """Have people in the account already, who unsubscribed."""
    ortto.account().send([Contact(address, ortto.contact(address, "Old")) for address in addresses], TAGS)
    for address in addresses:
        ortto.by_hand("POST", f"people/{address}/unsubscribe")


def permission(ortto: OrttoBench, address: str) -> bool:
    """Return whether somebody may be mailed."""
    return bool(ortto.look(f"people/{address}")["fields"]["bol::p"])


def changes(ortto: OrttoBench, address: str) -> list[bool]:
    """Return what somebody's permission was, from the beginning."""
    return [change["permitted"] for change in ortto.look(f"people/{address}")["permissions"]]


def test_what_updates_do_is_tried_anew_once_another_key_is_stored(
    ortto: OrttoBench, installation: Installation
) -> None:
    ortto.turn(permission_on_update="resubscribes")
    save(installation)
    unsubscribe(ortto, "b@example.com")
    assert run(installation, fails=True)["reason"] == "permissions_would_change"
    ortto.turn(key="another-key")
    body = {
        "display_name": "Ortto",
        "kind": "ortto",
        "region": "eu",
        "api_key": "another-key",
        "agree_to_privacy": True,
    }
    assert installation.ask("put_connection", "main", body=body)[0] == 200
    assert run(installation)["counts"]["delivered"] == 3
    assert permission(ortto, "b@example.com") is False
