"""Exports and runs at a glance: what the first screen shows, in a handful of calls however many there are."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from export_trigger.http.access import Caller, Role
from export_trigger.http.exports import list_exports
from export_trigger.http.overview import ALL, may
from export_trigger.http.request import Answer, Call, Problem
from export_trigger.http.routes import ROUTES
from export_trigger.http.runs import list_all_runs
from export_trigger.http.views import Action
from shared.azure.tables import Change
from shared.composition.app import App
from shared.reasons.codes import Reason, Status
from shared.runs.head import Head, LastRun
from shared.runs.ledger import _run_key
from shared.runs.run import Run
from shared.runs.run_id import new_run_id
from tests.conftest import publish
from tests.export_trigger.http.past import a_run
from tests.runs.bulk import write_past

STORAGE_CALLS = "azure.core.pipeline.policies.http_logging_policy"


EXPORTS, RUNS = 40, 25


def ask(query: Mapping[str, str], role: Role = Role.ADMIN) -> Call:
    return Call(params={}, query=query, headers={}, body=b"", caller=Caller("me", role))


def told(answer: Answer) -> Any:
    return json.loads(answer.content())


def calls_in(caplog: pytest.LogCaptureFixture) -> int:
    return sum(record.getMessage().startswith("Request URL") for record in caplog.records)


@pytest.fixture
def many(app: App) -> tuple[App, str]:
    """Return an app with many exports, each with many runs, one of which is going; and what their names begin with."""
    prefix = f"o{secrets.token_hex(4)}-"
    for number in range(EXPORTS):
        name = f"{prefix}{number:03d}"
        publish(app, name)
        runs = [a_run(app, name, 60 * turn + number) for turn in range(1, RUNS)]
        head = Head().ended(runs[0])
        if number == 0:
            going = Run(export=name, id=new_run_id(app.now()), trigger="refresh", requested_by="x", queued_at=app.now())
            runs, head = [going, *runs], head.started(going)
        write_past(app.ledger._table, name, runs, head)
    return app, prefix


def test_exports_come_with_their_runs_in_a_handful_of_calls(
    many: tuple[App, str], caplog: pytest.LogCaptureFixture
) -> None:
    app, prefix = many
    query = {"limit": str(EXPORTS), "after": prefix}
    first = told(list_exports(app, ask(query)))["items"]
    with caplog.at_level(logging.INFO, logger=STORAGE_CALLS):
        again = told(list_exports(app, ask(query)))["items"]
    assert len(first) == EXPORTS
    assert again == first
    # the documents' versions, all heads, runs that are queued or processing, the one connection that all exports name
    assert calls_in(caplog) == 5
    shown = first[1]
    assert (shown["last_run"]["status"], shown["last_run"]["counts"]["delivered"]) == ("Successful", 3)
    assert shown["last_delivered"]["as_of"] == shown["last_run"]["as_of"]
    assert shown["last_delivery"] == shown["last_run"]
    assert (shown["active_run"], shown["current_run"], shown["next_run"]["on"]) == (None, None, "refresh")
    assert first[0]["current_run"]["status"] == "Queued"
    assert first[0]["current_run"]["id"] == first[0]["active_run"]


def test_an_export_that_was_saved_or_removed_meanwhile_is_shown_so(many: tuple[App, str]) -> None:
    app, prefix = many
    query = {"limit": str(EXPORTS), "after": prefix}
    list_exports(app, ask(query))
    name = f"{prefix}003"
    found = app.registry.export(name)
    assert found is not None
    app.registry.save_export(name, found[0].model_copy(update={"display_name": "another"}))
    app.registry.delete_export(f"{prefix}004")
    items = {item["name"]: item for item in told(list_exports(app, ask(query)))["items"]}
    assert items[name]["display_name"] == "another"
    assert f"{prefix}004" not in items


def test_runs_of_all_exports_come_newest_first_page_by_page_in_few_calls(
    many: tuple[App, str], caplog: pytest.LogCaptureFixture
) -> None:
    app, _ = many
    seen: list[tuple[str, str]] = []
    after = ""
    while True:
        caplog.clear()
        with caplog.at_level(logging.INFO, logger=STORAGE_CALLS):
            page = told(list_all_runs(app, ask({"limit": "200", **({"after": after} if after else {})})))
        assert calls_in(caplog) <= 4 + 2  # a query for each span at most, and a second answer of what holds over 1,000
        seen += [(item["id"], item["export"]) for item in page["items"]]
        after = page["next"]
        if not after:
            break
    assert len(seen) == len(set(seen)) == EXPORTS * (RUNS - 1) + 1
    assert [item[0] for item in seen] == sorted((item[0] for item in seen), reverse=True)


def test_the_newest_runs_are_found_by_one_query(many: tuple[App, str], caplog: pytest.LogCaptureFixture) -> None:
    app, _ = many
    with caplog.at_level(logging.INFO, logger=STORAGE_CALLS):
        page = told(list_all_runs(app, ask({"limit": "50"})))
    assert len(page["items"]) == 50
    assert calls_in(caplog) == 1


def test_runs_are_found_by_status_and_by_export(many: tuple[App, str]) -> None:
    app, prefix = many
    failed = a_run(app, f"{prefix}007", 100_000, Reason.KEY_REFUSED)  # ten weeks ago
    app.ledger._table.write(failed.export, [Change(_run_key(failed.id), failed, None)])
    found = told(list_all_runs(app, ask({"status": "Failed"})))
    assert [item["id"] for item in found["items"]] == [failed.id]
    own = told(list_all_runs(app, ask({"export": failed.export, "limit": "10"})))
    assert {item["export"] for item in own["items"]} == {failed.export}
    rest = told(list_all_runs(app, ask({"export": failed.export, "limit": "200", "after": own["next"]})))
    assert len(own["items"] + rest["items"]) == RUNS
    both = told(list_all_runs(app, ask({"export": failed.export, "status": "Failed"})))
    assert [item["id"] for item in both["items"]] == [failed.id]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"status": "Lost"}, "status_invalid"),
        ({"export": "No Name"}, "name_invalid"),
        ({"after": "nothing"}, "after_invalid"),
        ({"after": "never.team"}, "after_invalid"),
        ({"after": "never.team", "export": "team"}, "after_invalid"),
    ],
)
def test_what_is_no_filter_is_refused_by_name(app: App, query: dict[str, str], code: str) -> None:
    with pytest.raises(Problem) as refused:
        list_all_runs(app, ask(query))
    assert refused.value.code == code


def test_a_head_that_an_older_version_wrote_still_has_a_last_run(app: App) -> None:
    """It names none: then the export's newest runs tell, and only its own, not those of a deleted one of its name."""
    name = f"o{secrets.token_hex(4)}"
    publish(app, name)
    older, newer = a_run(app, name, 90), a_run(app, name, 30, Reason.KEY_REFUSED)
    unnamed = {"last": None, "last_delivery": None, "last_delivered": None}
    head = Head().ended(older).ended(newer).model_copy(update=unnamed)
    write_past(app.ledger._table, name, [newer, older], head)
    (item,) = told(list_exports(app, ask({"limit": "1", "after": name[:-1]})))["items"]
    assert (item["last_run"]["id"], item["last_run"]["reason"]) == (newer.id, "key_refused")
    assert (item["last_delivery"]["id"], item["last_delivered"]["id"]) == (newer.id, older.id)
    began = newer.queued_at - timedelta(minutes=1)
    app.ledger.change_head(name, lambda head: head.model_copy(update={"began_at": began}))
    (item,) = told(list_exports(app, ask({"limit": "1", "after": name[:-1]})))["items"]
    assert (item["last_run"]["id"], item["last_delivered"]) == (newer.id, None)


def test_a_head_without_its_last_delivery_is_told_it_by_the_runs(app: App) -> None:
    """An older version kept what ended last alone, verifications included."""
    name = f"o{secrets.token_hex(4)}"
    publish(app, name)
    held = a_run(app, name, 60, Reason.MASS_REMOVAL)
    verified = a_run(app, name, 30, Reason.LISTS_EQUAL).model_copy(
        update={"verification": "report", "trigger": "verify"}
    )
    head = Head().ended(held).ended(verified).model_copy(update={"last_delivery": None})
    write_past(app.ledger._table, name, [verified, held], head)
    (item,) = told(list_exports(app, ask({"limit": "1", "after": name[:-1]})))["items"]
    assert (item["last_run"]["id"], item["last_delivery"]["id"]) == (verified.id, held.id)
    app.ledger.change_head(
        name, lambda found: found.model_copy(update={"last": found.last_delivered or LastRun.of(held)})
    )
    (item,) = told(list_exports(app, ask({"limit": "1", "after": name[:-1]})))["items"]
    assert (item["last_run"]["id"], item["last_delivery"]["id"]) == (held.id, held.id)


def test_what_ended_last_is_not_what_delivered_last(app: App) -> None:
    well, skipped = a_run(app, "e", 60), a_run(app, "e", 10, Reason.MASS_REMOVAL)
    again = a_run(app, "e", 5).model_copy(update={"rejected_of": well.id})
    head = Head().ended(well).ended(skipped).ended(again)
    assert head.last is not None
    assert head.last_delivered is not None
    assert (head.last.id, head.last_delivered.id) == (again.id, well.id)
    assert Head.starting_over(datetime.now(UTC)).last is None


_ROUTES: Mapping[Action, str] = {
    "preview": "preview_export",
    "run": "start_run",
    "verify": "verify_export",
    "explain": "explain_person",
    "edit": "put_export",
    "delete": "delete_export",
    "duplicate": "duplicate_export",
    "cancel": "cancel_run",
}


@pytest.mark.parametrize("role", list(Role))
def test_what_may_be_done_is_what_the_routes_allow(role: Role) -> None:
    least = {route.name: route.role for route in ROUTES}
    assert set(_ROUTES) == set(ALL)
    assert set(may(role, "allowed")) == {action for action in ALL if least[_ROUTES[action]] <= role}


def test_a_connection_that_is_not_shared_leaves_a_contributor_little() -> None:
    assert set(may(Role.CONTRIBUTOR, "not_shared")) == {"preview", "duplicate"}
    assert "run" not in may(Role.CONTRIBUTOR, "gone")
    assert {"edit", "delete"} <= set(may(Role.CONTRIBUTOR, "gone"))
    assert {"edit", "delete"} <= set(may(Role.ADMIN, "damaged"))
    assert set(may(Role.CONTRIBUTOR, "damaged")) == {"preview", "duplicate"}


def test_the_next_time_of_a_schedule_is_told_in_utc(app: App) -> None:
    name = f"o{secrets.token_hex(4)}"
    publish(app, name)
    found = app.registry.export(name)
    assert found is not None
    body = found[0].model_dump() | {"schedule": {"on": "cron", "cron": "0 6 * * *", "time_zone": "Europe/Berlin"}}
    app.registry.save_export(name, type(found[0]).model_validate(body))
    (item,) = told(list_exports(app, ask({"limit": "1", "after": name[:-1]})))["items"]
    at = datetime.fromisoformat(item["next_run"]["at"])
    assert at > app.now()
    assert (at.hour, at.minute) in {(4, 0), (5, 0)}


def test_all_statuses_can_be_asked_for() -> None:
    (route,) = (route for route in ROUTES if route.name == "list_all_runs")
    (schema,) = (query.schema for query in route.query if query.name == "status")
    assert schema["enum"] == [status.value for status in Status]
