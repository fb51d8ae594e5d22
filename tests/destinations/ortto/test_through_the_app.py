"""Ortto through the whole app: connected, mapped, exported to, verified, erased from, and nobody's permission changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from azure.storage.blob import BlobServiceClient

import shared.composition.app
from export_trigger.steps.plan_run import plan_run
from export_worker.deliver_chunk import deliver_chunk
from local.environment import publish
from local.stack import Stack
from local.warm import Shared
from local.world import people
from shared.delivery.contacts import Contact
from shared.destinations.ortto.limits import TAGS
from shared.http.transport import session
from tests.destinations.ortto.bench import KEY, OrttoBench, serving
from tests.hostile.conftest import QUICK, Installation

MAPPING = {"str::email": "Email", "str::first": "FirstName"}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("ortto")) as found:
        yield found


@pytest.fixture
def ortto(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[OrttoBench]:
    with session() as http:
        made = OrttoBench(url, http)
        monkeypatch.setenv("ORTTO_URL", f"{url}/v1")
        yield made


@pytest.fixture
def installation(
    ortto: OrttoBench, tmp_path_factory: pytest.TempPathFactory, shared_parts: Shared
) -> Iterator[Installation]:
    with (
        Stack(
            tmp_path_factory.mktemp("stack"), instances=0, settings=QUICK, in_memory=True, shared=shared_parts
        ) as stack,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in stack.environment.items():
            patch.setenv(name, value)
        made = Installation(shared.composition.app.app.__wrapped__(), stack)
        refresh(stack, "a@example.com", "b@example.com", "c@example.com")
        connect(made)
        yield made
        made.app.http.close()
        made.app.vault._client.close()


def refresh(stack: Stack, *addresses: str, first_name: str | None = None) -> None:
    rows = people(*addresses)
    if first_name:
        rows = rows.with_columns(FirstName=pl.lit(first_name))
    with BlobServiceClient.from_connection_string(stack.source_storage) as source:
        publish(source, stack.source_path, {"Team": rows}, datetime.now(UTC))


def connect(installation: Installation) -> None:
    body = {"display_name": "Ortto", "kind": "ortto", "region": "eu", "api_key": KEY, "agree_to_privacy": True}
    status, wrong = installation.ask("put_connection", "main", body={**body, "region": "mars"})
    assert (status, "region is one of: us, au, eu" in str(wrong)) == (422, True)
    status, shown = installation.ask("put_connection", "main", body=body)
    assert (status, shown["account"], shown["rate_limit"]) == (201, "sandbox-instance", 5)


def save(installation: Installation, **more: Any) -> tuple[int, Any]:
    export = {
        "display_name": "Team",
        "connection": "main",
        "mapping": MAPPING,
        "segments": ["Team"],
        "new_people": "subscribed",
    }
    found: tuple[int, Any] = installation.ask(
        "put_export", "team", body={**export, "guards": {"max_removed_percent": 100}, **more}
    )
    return found


def run(installation: Installation, route: str = "start_run", *, fails: bool = False) -> dict[str, Any]:
    """Start a run and carry it out, as the queues' handlers do."""
    status, started = installation.ask(route, "team")
    assert status == 202, started
    plan_run(installation.app, "team", started["run"])
    planned = installation.app.ledger.run("team", started["run"])
    for number in range(planned.chunks):
        deliver_chunk(installation.app, "team", started["run"], f"{number + 1:06d}")
    ended: dict[str, Any] = installation.ask("get_run", "team", started["run"])[1]
    assert (ended["status"] == "Failed") is fails, ended
    return ended


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
    assert installation.ask("preview_export", "team")[1]["calls"] == 3  # one more creates them, unsubscribed
    assert run(installation)["counts"]["delivered"] == 3
    assert {permission(ortto, address) for address in ortto.members("Team")} == {False}


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
