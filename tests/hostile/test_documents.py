"""Documents: damaged, deleted or saved by two at once, they harm nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from export_trigger.steps.plan_run import plan_run
from export_trigger.steps.tick import tick
from shared.exports.registry import Registry
from shared.lifecycle.start import start_run
from shared.reasons.codes import Reason
from tests.hostile.attacks import ROUNDS, at_once, damage
from tests.hostile.conftest import Installation, told


@pytest.mark.parametrize(
    "data", [b"", b'{"cut sh', b"\xff\xfe", b'{"of": "a newer version"}', b"[]", b"null"], ids=repr
)
def test_a_damaged_export_is_named_harms_nothing_else_and_can_be_removed(
    installation: Installation, data: bytes
) -> None:
    installation.connect("main", "key-1")
    installation.save("well", "main", "Well")
    damage(installation, "exports/broken.json", data)
    status, listed = installation.ask("list_exports")
    assert status == 200
    assert {item["name"]: item.get("damaged", False) for item in listed["items"]} == {"broken": True, "well": False}
    assert told(installation.ask("get_export", "broken")[1]) == "document_damaged"
    status, started = installation.ask("start_all_runs")
    assert [item["export"] for item in started["started"]] == ["well"]
    assert [(item["export"], item["code"]) for item in started["skipped"]] == [("broken", "document_damaged")]
    assert installation.save("another", "main", "Another")[0] == 201
    assert installation.ask("delete_connection", "main")[0] == 409
    assert installation.ask("delete_export", "broken")[0] == 204
    assert installation.ask("get_export", "broken")[0] == 404


def test_a_damaged_export_keeps_no_other_from_its_tick_and_its_own_run_ends_by_name(installation: Installation) -> None:
    app = installation.app
    installation.connect("main", "key-1")
    for name in ("broken", "well"):
        installation.save(name, "main", f"List of {name}")
        app.ledger.change_head(name, lambda head: head.refresh_seen("an earlier one"))
    run = start_run(app, "broken", trigger="on_demand", requested_by="me")
    damage(installation, "exports/broken.json")
    plan_run(app, "broken", run.id)
    ended = app.ledger.run("broken", run.id)
    assert (ended.reason, ended.status.is_final) == (Reason.DOCUMENT_DAMAGED, True)
    tick(app)
    assert app.ledger.head("broken").active is None
    assert app.ledger.head("broken").refresh == "an earlier one"  # it is not forgotten either
    started = app.ledger.head("well").active
    assert started is not None
    assert app.ledger.run("well", started).trigger == "refresh"
    app.ledger.release("well", started)


def test_a_damaged_document_can_be_saved_again(installation: Installation) -> None:
    installation.connect("main", "key-1")
    damage(installation, "exports/broken.json")
    damage(installation, "connections/torn.json")
    assert installation.save("broken", "main")[0] == 200
    assert installation.connect("torn", "key-2")[0] == 200
    assert installation.ask("get_connection", "torn")[0] == 200


def test_a_damaged_connection_is_named_harms_nothing_else_and_can_be_removed(installation: Installation) -> None:
    installation.connect("main", "key-1")
    installation.save("well", "main")
    damage(installation, "connections/broken.json")
    status, listed = installation.ask("list_connections")
    assert status == 200
    assert [item["name"] for item in listed["items"] if item.get("damaged")] == ["broken"]
    assert installation.save("well", "main")[0] == 200
    assert told(installation.save("other", "broken", "Other")[1]) == "document_damaged"
    assert installation.ask("delete_connection", "broken")[0] == 204


def test_an_export_saved_while_its_connection_is_deleted_can_be_mended(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.connect("main", "key-1")
    save_export = Registry.save_export

    def slow(registry: Registry, *asked: Any, **how: Any) -> str:
        if not how.get("if_match"):
            installation.app.registry.delete_connection("main")
        return save_export(registry, *asked, **how)

    with monkeypatch.context() as patch:
        patch.setattr(Registry, "save_export", slow)
        status, content = installation.save("team", "main")
    assert (status, told(content)) == (409, "connection_gone")
    assert installation.ask("get_export", "team")[1]["connection"] is None
    assert installation.save("team", None)[0] == 200


def test_an_export_whose_connection_is_gone_can_be_changed_and_deleted(installation: Installation) -> None:
    installation.connect("main", "key-1")
    installation.save("team", "main")
    installation.app.registry.delete_connection("main")
    assert told(installation.save("team", "main")[1]) == "body_invalid"
    assert installation.save("team", None)[0] == 200
    installation.connect("main", "key-1")
    installation.save("team", "main")
    installation.app.registry.delete_connection("main")
    assert installation.ask("delete_export", "team")[0] == 204


def test_a_connection_is_deleted_and_its_exports_saved_at_once(installation: Installation) -> None:
    for turn in range(ROUNDS):
        installation.connect("main", "key-1")
        installation.save("team", "main")
        saved, deleted = at_once(
            lambda: installation.save("team", "main"),
            lambda: installation.ask("delete_connection", "main", detach="yes"),
        )
        assert saved[0] in {200, 409, 412, 422}, turn
        assert deleted[0] in {204, 409, 412}, turn
        assert installation.ask("get_export", "team")[0] == 200
        assert installation.ask("delete_export", "team")[0] == 204


@pytest.mark.parametrize("route", ["put_export", "delete_export", "delete_connection"])
def test_whatever_there_is_is_not_what_is_not_there(installation: Installation, route: str) -> None:
    body = {"display_name": "x", "connection": None, "mapping": {"Email": "Email"}, "segments": ["Team"]}
    status, content = installation.ask(route, "nothing", body=body, if_match="*")
    assert status == (412 if route == "put_export" else 404)
    assert content["code"]


@pytest.mark.parametrize("route", ["list_exports", "list_connections", "list_audit", "list_segments"])
@pytest.mark.parametrize("after", ["a" * 20_000, "a\nb", "\0"])
def test_a_page_that_begins_nowhere_is_refused(installation: Installation, route: str, after: str) -> None:
    status, content = installation.ask(route, after=after)
    assert (status, told(content)) == (422, "after_invalid")
