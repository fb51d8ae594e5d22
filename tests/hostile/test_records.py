"""Records of a table that are damaged, or say what this code does not know: they harm nothing else, and can be removed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from export_trigger.steps.plan_run import plan_run
from export_trigger.steps.retain import retain
from export_trigger.steps.tick import tick
from shared.azure.records import RecordDamaged
from shared.lifecycle.start import start_run
from shared.reasons.codes import Reason
from shared.runs.ledger import Ledger, _run_key
from tests.hostile.attacks import at_once
from tests.hostile.conftest import Installation, told

ODD: dict[str, dict[str, Any]] = {
    "a reason that is not known": {"last_json": '{"id": "x", "reason": "of_another_age"}', "reason": "of_another_age"},
    "cut short": {"states_json": '{"main": "2026', "targets_json": '[{"segm'},
    "deep": {"states_json": "[" * 30_000, "targets_json": "[" * 30_000},
    "another kind": {"states": 7, "status": 7},
    "a part without a whole": {"zebra__2": "x"},
}


@pytest.fixture(params=ODD, ids=str)
def odd(request: pytest.FixtureRequest) -> dict[str, Any]:
    return dict(ODD[str(request.param)])


@pytest.fixture
def saved(installation: Installation) -> Iterator[Installation]:
    """Return an installation with two exports, of which `broken` ran and runs again."""
    installation.connect("main", "key-1")
    for name in ("broken", "well"):
        assert installation.save(name, "main", f"List of {name}")[0] == 201
    yield installation
    ledger = installation.app.ledger
    for name in ("broken", "well"):
        for run_id, _ in list(ledger.each_row(name)):
            ledger.forget(name, run_id)
        ledger._table.delete(name, ["head"])


def damage(ledger: Ledger, export: str, key: str, odd: dict[str, Any]) -> None:
    client: Any = ledger._table._client
    client.upsert_entity({"PartitionKey": export, "RowKey": key, **odd})


def key_of(ledger: Ledger, export: str) -> str:
    (key,) = ledger._table.keys(export, "run-", "run-~")
    return key


def test_a_damaged_head_harms_its_own_export_only_which_can_be_deleted_and_saved_again(
    saved: Installation, odd: dict[str, Any]
) -> None:
    ledger = saved.app.ledger
    run = start_run(saved.app, "broken", trigger="on_demand", requested_by="me")
    damage(ledger, "broken", "head", odd)
    status, listed = saved.ask("list_exports")
    assert (status, {item["name"]: item.get("damaged", False) for item in listed["items"]}) == (
        200,
        {"broken": True, "well": False},
    )
    for route in ("get_export", "start_run", "list_runs"):
        status, problem = saved.ask(route, "broken")
        assert (status, told(problem)) == (409, "document_damaged"), route
        assert "restore the table" in problem["detail"]
    assert saved.save("broken", "main", "List of broken")[0] == 409
    status, started = saved.ask("start_all_runs")
    assert [item["export"] for item in started["started"]] == ["well"]
    assert [(item["export"], item["code"]) for item in started["skipped"]] == [("broken", "document_damaged")]
    with pytest.raises(ExceptionGroup):  # the tick says so, and looks after the others
        tick(saved.app)
    assert saved.ask("delete_export", "broken")[0] == 204
    assert ledger.head("broken").deleted
    ended = ledger.run("broken", run.id)
    assert ended.reason is Reason.CANCELED_BY_USER
    assert saved.save("broken", "main", "List of broken")[0] == 201
    assert not ledger.head("broken").deleted


def test_a_damaged_head_of_an_export_that_is_gone_keeps_nobody_from_saving_one_of_its_name(
    saved: Installation, odd: dict[str, Any]
) -> None:
    assert saved.ask("delete_export", "broken")[0] == 204
    damage(saved.app.ledger, "broken", "head", odd)
    assert saved.save("broken", "main", "List of broken")[0] == 201


def test_a_damaged_run_harms_nothing_else_is_no_reason_to_refuse_an_erasure_and_goes_with_its_export(
    saved: Installation, odd: dict[str, Any]
) -> None:
    ledger = saved.app.ledger
    run = start_run(saved.app, "broken", trigger="on_demand", requested_by="me")
    damage(ledger, "broken", key_of(ledger, "broken"), odd)
    going = start_run(saved.app, "well", trigger="on_demand", requested_by="me")
    status, runs = saved.ask("list_all_runs")
    assert (status, [item["id"] for item in runs["items"]]) == (200, [going.id])
    assert saved.ask("list_runs", "broken") == (200, {"items": [], "next": None})
    status, problem = saved.ask("get_run", "broken", run.id)
    assert (status, told(problem)) == (409, "document_damaged")
    saved.ask("cancel_run", "well", going.id)

    status, erasure = saved.ask("post_erasure", body={"email": "x@example.com"})
    assert status in {200, 202}
    assert {"export": "broken", "run": run.id} in erasure["waiting_for"]
    assert saved.ask("delete_export", "broken")[0] == 204
    assert ledger.head("broken").active is None
    assert list(ledger.each_row("broken")) == []


def test_a_damaged_run_goes_when_its_history_is_over(saved: Installation, odd: dict[str, Any]) -> None:
    ledger = saved.app.ledger
    damage(ledger, "broken", _run_key("20190101t000000000-abcd"), odd)
    ((run_id, row),) = list(ledger.each_row("broken"))
    assert (run_id, isinstance(row, RecordDamaged)) == ("20190101t000000000-abcd", True)
    retain(saved.app, "broken")
    assert list(ledger.each_row("broken")) == []


def test_a_fault_of_the_app_is_answered_as_a_problem_that_holds_nothing_of_it(
    saved: Installation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("x@example.com")

    monkeypatch.setattr(Ledger, "latest", fail)
    status, problem = saved.ask("list_all_runs")
    assert (status, told(problem)) == (500, "internal_error")
    assert "GET /api/health" in problem["detail"]
    assert "RuntimeError" in caplog.text
    assert "x@example.com" not in caplog.text + str(problem)


@pytest.mark.parametrize("after", ["00010101t000000000-aaaa.team", "99991231t235959999-aaaa.team"])
def test_a_page_after_a_run_of_another_age_is_refused(saved: Installation, after: str) -> None:
    status, problem = saved.ask("list_all_runs", after=after)
    assert (status, told(problem)) == (422, "after_invalid")
    assert saved.ask("get_run", "well", after.partition(".")[0])[0] == 404


def test_an_export_that_is_deleted_and_saved_at_once_is_marked_as_what_it_is(saved: Installation) -> None:
    for turn in range(12):
        saved.save("broken", "main", "List of broken")
        at_once(
            lambda: saved.save("broken", "main", "List of broken"),
            lambda: saved.ask("delete_export", "broken"),
        )
        is_there = saved.ask("get_export", "broken")[0] == 200
        assert saved.app.ledger.head("broken").deleted is not is_there, turn


def test_a_damaged_claim_keeps_no_other_list_from_being_saved(saved: Installation, odd: dict[str, Any]) -> None:
    table: Any = saved.app.accounts.claims._table
    (account, key, *_), *_ = [
        (entity["PartitionKey"], entity["RowKey"])
        for entity in table._client.query_entities("title eq 'List of broken'")
    ]
    entity = {"PartitionKey": account, "RowKey": key, **odd, "at": "no moment"}
    table._client.upsert_entity(entity)
    assert saved.save("well", "main", "Another list")[0] == 200
    status, problem = saved.save("broken", "main", "List of broken")
    assert (status, told(problem)) == (409, "document_damaged")
    run = start_run(saved.app, "broken", trigger="on_demand", requested_by="me")
    plan_run(saved.app, "broken", run.id)
    assert saved.app.ledger.run("broken", run.id).reason is Reason.DOCUMENT_DAMAGED
    assert saved.ask("delete_export", "broken")[0] == 204
    table._client.delete_entity(account, key)
