"""Keys, lists and accounts under attack: what is refused changes nothing, and what two share is known to be one.

That accounts are told apart by `instanceId` is a third-party report of Autopilot's answer to GET /account, not recorded by us.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from export_trigger.http.route import Route
from export_trigger.http.routes import ROUTES
from export_trigger.steps.keys import sweep_keys
from export_trigger.steps.plan_run import plan_run
from export_trigger.steps.tick import tick
from shared.azure.storage import Conflict, Container
from shared.delivery.account import Identity
from shared.destinations.autopilot.client import Autopilot
from shared.exports.registry import Registry
from shared.lifecycle.start import start_run
from shared.lifecycle.window import open_account
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.state.digest_key import DIGEST_SECRET
from shared.state.digests import DigestKey
from tests.hostile.conftest import Installation, told

ROUNDS = 12


def at_once[T](first: Callable[[], T], second: Callable[[], T]) -> list[T]:
    """Do both at once and return what came of them."""
    barrier = threading.Barrier(2)

    def act(what: Callable[[], T]) -> T:
        barrier.wait(30)
        return what()

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(act, (first, second)))


# Keys


def test_of_two_that_save_a_connection_at_once_one_wins_with_its_own_key(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have read the connection before either saves: they meet while Autopilot is asked."""
    installation.connect("main", "key-0")
    for turn in range(ROUNDS):
        keys = [f"key-{turn}-a", f"key-{turn}-b"]
        meeting = threading.Barrier(2)

        def identity(api: Autopilot, meeting: threading.Barrier = meeting) -> Identity:
            meeting.wait(30)
            return installation.keys[api._key.current()]

        with monkeypatch.context() as patch:
            patch.setattr(Autopilot, "identity", identity)
            first, second = (lambda key=key: installation.connect("main", key) for key in keys)
            results = at_once(first, second)
        statuses = [status for status, _ in results]
        assert sorted(statuses) == [200, 412]
        assert installation.key_of("main") == keys[statuses.index(200)]
        assert len([name for name in installation.secrets() if name.startswith("autopilot-main")]) == 1


def test_a_new_connection_is_made_once(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    meeting = threading.Barrier(2)

    def identity(api: Autopilot) -> Identity:
        meeting.wait(30)
        return installation.keys[api._key.current()]

    with monkeypatch.context() as patch:
        patch.setattr(Autopilot, "identity", identity)
        results = at_once(lambda: installation.connect("new", "one"), lambda: installation.connect("new", "two"))
    statuses = [status for status, _ in results]
    assert sorted(statuses) == [201, 412]
    assert installation.key_of("new") == ("one", "two")[statuses.index(201)]


@pytest.mark.parametrize("if_match", ['"another"', "*"])
def test_a_save_that_is_refused_touches_no_key(installation: Installation, if_match: str) -> None:
    """`*` means "whatever there is": where there is nothing it cannot hold (RFC 9110)."""
    if if_match != "*":
        installation.connect("main", "kept")
    before, trail = installation.secrets(), installation.audit()
    body = {"display_name": "x", "api_key": "refused", "agree_to_privacy": True}
    installation.keys["refused"] = Identity("x", "x")
    status, content = installation.ask("put_connection", "main", body=body, if_match=if_match)
    assert (status, told(content)) == (412, "changed_meanwhile")
    assert (installation.secrets(), installation.audit()) == (before, trail)


def test_a_save_that_fails_leaves_the_key_that_was(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    installation.connect("main", "kept")

    def fail(*_: object, **__: object) -> str:
        raise Conflict

    with monkeypatch.context() as patch:
        patch.setattr(Registry, "save_connection", fail)
        assert installation.connect("main", "lost")[0] == 412
    assert installation.key_of("main") == "kept"


def test_a_key_whose_connection_was_never_saved_is_swept(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.connect("main", "kept")

    def die(*_: object, **__: object) -> str:
        raise MemoryError  # as if the process died there

    with monkeypatch.context() as patch:
        patch.setattr(Registry, "save_connection", die)
        with pytest.raises(MemoryError):
            installation.connect("main", "orphan")
    assert len(installation.secrets() - {installation.secret("main")}) >= 1
    sweep_keys(installation.app)
    orphans = {name for name in installation.secrets() if name.startswith("autopilot-main")} - {
        installation.secret("main")
    }
    assert len(orphans) == 1  # a save may still be going
    monkeypatch.setattr("export_trigger.steps.keys.SAVING", -installation.app.settings.grace)
    sweep_keys(installation.app)
    assert orphans.isdisjoint(installation.secrets())
    assert installation.key_of("main") == "kept"


def test_keys_that_nothing_names_any_more_are_removed_and_the_trail_says_so(installation: Installation) -> None:
    installation.connect("main", "first")
    first = installation.secret("main")
    installation.connect("main", "second")
    second = installation.secret("main")
    assert first not in installation.secrets()
    assert f"key removed connection=main secret={first}" in installation.audit()
    assert installation.ask("delete_connection", "main")[0] == 204
    assert second not in installation.secrets()
    assert f"key removed connection=main secret={second}" in installation.audit()


def test_the_trail_says_what_a_save_changed_and_no_key(installation: Installation) -> None:
    installation.connect("main", "first")
    installation.connect("main", "second", rate_limit=7)
    assert "put_connection connection=main changed=key,rate_limit,account" in installation.audit()
    installation.connect("main", "second", rate_limit=8)
    assert installation.audit()[0] == "put_connection connection=main changed=rate_limit"
    assert not [line for line in installation.audit() if "first" in line or "second" in line]


@pytest.mark.parametrize("name", ["autopilot-own", "teams-own"])
def test_a_secret_that_somebody_else_stored_is_never_removed(installation: Installation, name: str) -> None:
    installation.app.vault.write(name, "own-key")
    installation.keys["own-key"] = Identity("x", "x")
    body = {"display_name": "x", "secret_name": name, "agree_to_privacy": True}
    assert installation.ask("put_connection", "main", body=body)[0] == 201
    installation.connect("main", "another")
    assert installation.app.vault.read(name) == "own-key"
    installation.ask("put_connection", "main", body=body)
    installation.ask("delete_connection", "main")
    assert installation.app.vault.read(name) == "own-key"
    assert f"delete_connection connection=main secret_kept={name}" in installation.audit()


@pytest.mark.parametrize("name", [DIGEST_SECRET, DIGEST_SECRET.upper(), "another-teams-secret", "Autopilo", "own"])
def test_a_secret_that_is_no_accounts_key_is_not_sent_to_autopilot(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    asked: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(Autopilot, "identity", lambda api: asked.append(api._key.current()))
        body = {"display_name": "x", "secret_name": name, "agree_to_privacy": True}
        status, content = installation.ask("put_connection", "main", body=body)
    assert (status, content["errors"][0]["field"], asked) == (422, "secret_name", [])


def test_a_document_that_names_the_digest_key_opens_nothing(installation: Installation) -> None:
    installation.connect("main", "first")
    found = installation.app.registry.connection("main")
    assert found is not None
    with pytest.raises(ExportError, match="no account's key"):
        installation.app.open("main", found[0].model_copy(update={"secret_name": DIGEST_SECRET}))


# Lists


def test_one_list_of_an_account_has_one_export_whichever_connection_leads_there(installation: Installation) -> None:
    installation.connect("admins", "key-1", account="shared")
    installation.connect("others", "key-2", account="shared", access="administrators_and_contributors")
    installation.connect("elsewhere", "key-3", account="another")
    assert installation.save("first", "admins")[0] == 201
    status, content = installation.save("second", "others")
    assert (status, told(content), content["export"]) == (409, "list_in_use", "first")
    assert installation.save("second", "elsewhere")[0] == 201
    assert installation.save("third", "others", "Another list")[0] == 201


def test_of_two_exports_saved_at_once_with_one_list_one_is(installation: Installation) -> None:
    installation.connect("main", "key-1", account="shared")
    installation.connect("twin", "key-2", account="shared")
    for turn in range(ROUNDS):
        results = at_once(
            lambda turn=turn: installation.save(f"a-{turn}", "main", f"List {turn}"),  # type: ignore[misc]
            lambda turn=turn: installation.save(f"b-{turn}", "twin", f"List {turn}"),  # type: ignore[misc]
        )
        assert sorted(status for status, _ in results) == [201, 409]


def test_a_list_is_free_again_once_its_export_is_changed_detached_or_deleted(installation: Installation) -> None:
    installation.connect("main", "key-1")
    installation.connect("gone", "key-2")
    installation.save("first", "main", "One")
    installation.save("first", "main", "Two")
    assert installation.save("second", "main", "One")[0] == 201
    assert installation.save("third", "main", "Two")[0] == 409
    installation.save("first", None, "Two")
    assert installation.save("third", "main", "Two")[0] == 201
    installation.ask("delete_export", "third")
    assert installation.save("fourth", "main", "Two")[0] == 201
    installation.save("fifth", "gone", "Five")
    assert installation.ask("delete_connection", "gone", detach="yes")[0] == 204
    installation.connect("gone", "key-2")
    assert installation.save("sixth", "gone", "Five")[0] == 201


def test_a_claim_whose_maker_died_is_nobodys(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    installation.connect("main", "key-1")
    account = installation.app.account("main").id
    installation.app.accounts.claims.make(account, "died", ["Team"], lambda *_: False)
    assert installation.save("alive", "main")[0] == 409  # it may be being saved just now
    monkeypatch.setattr("shared.accounts.claims.SAVING", 0.0)
    assert installation.save("alive", "main")[0] == 201


def test_a_save_that_is_refused_keeps_no_list(installation: Installation) -> None:
    installation.connect("main", "key-1")
    installation.save("first", "main", "One")
    segments = [{"segment": "Team", "list": "Two"}]
    body = {"display_name": "x", "connection": "main", "mapping": {"Email": "Email"}, "segments": segments}
    assert installation.ask("put_export", "first", body=body, if_match='"old"')[0] == 412
    assert installation.save("second", "main", "Two")[0] == 201


def test_two_exports_of_before_that_fill_one_list_end_in_one_that_does(installation: Installation) -> None:
    """Saved by a version that compared connections: whoever is planned first has the list, the other ends by name."""
    installation.connect("main", "key-1", account="shared")
    installation.connect("twin", "key-2", account="shared")
    for name, connection in (("first", "main"), ("second", "twin")):
        installation.save(name, connection, f"List of {name}")
        found = installation.app.registry.export(name)
        assert found is not None
        segments = tuple(target.model_copy(update={"list": "Same"}) for target in found[0].segments)
        installation.app.registry.save_export(name, found[0].model_copy(update={"segments": segments}))
    ends = []
    for name in ("first", "second"):
        run = start_run(installation.app, name, trigger="on_demand", requested_by="me")
        plan_run(installation.app, name, run.id)
        ends.append(installation.app.ledger.run(name, run.id).reason)
    assert ends[1] is Reason.LIST_IN_USE
    assert ends[0] is not Reason.LIST_IN_USE


# What an account's connections share


def test_two_connections_to_one_account_share_its_pace_at_the_lower_rate(installation: Installation) -> None:
    installation.connect("fast", "key-1", account="shared", rate_limit=50)
    installation.connect("slow", "key-2", account="shared", rate_limit=20)
    installation.connect("other", "key-3", account="another", rate_limit=70)
    opened = {name: installation.app.account(name) for name in ("fast", "slow", "other")}
    assert {name: account.rate for name, account in opened.items()} == {"fast": 20, "slow": 20, "other": 70}
    assert opened["fast"].slots is opened["slow"].slots
    assert opened["fast"].slots is not opened["other"].slots
    installation.ask("delete_connection", "slow")
    assert installation.app.account("fast").rate == 50


def test_what_is_known_of_an_accounts_lists_is_known_to_all_its_connections(installation: Installation) -> None:
    installation.connect("one", "key-1", account="shared")
    installation.connect("two", "key-2", account="shared")
    one, two = installation.app.account("one"), installation.app.account("two")
    installation.app.accounts.remember_list(one.id, "Team", "contactlist_1")
    assert installation.app.accounts.list_id(two.id, "Team") == "contactlist_1"


def test_accounts_that_tell_no_id_are_told_apart_by_their_keys(installation: Installation) -> None:
    for name, key in (("one", "key-1"), ("two", "key-1"), ("three", "key-3")):
        installation.keys[key] = Identity("Same name", None)
        installation.ask("put_connection", name, body={"display_name": name, "api_key": key, "agree_to_privacy": True})
    ids = [installation.app.account(name).id for name in ("one", "two", "three")]
    assert ids[0] == ids[1] != ids[2]


def test_what_a_connection_knew_before_accounts_were_told_apart_goes_to_its_account(
    installation: Installation,
) -> None:
    installation.connect("main", "key-1", account="old")
    app = installation.app
    app.accounts.identities.forget("main")
    app.accounts.remember_list("main", "Team", "contactlist_before")  # as 8dd6ca5 kept it: by the connection's name
    assert app.accounts.list_id(app.account("main").id, "Team") == "contactlist_before"


def test_a_run_does_not_go_on_at_another_account(installation: Installation) -> None:
    installation.connect("main", "key-1", account="one")
    installation.save("team", "main")
    run = start_run(installation.app, "team", trigger="on_demand", requested_by="me")
    account = installation.app.account("main")
    run = installation.app.ledger.change(
        "team", run.id, lambda run: run.planning(installation.app.now(), "main", account.id)
    )
    assert open_account(installation.app, run).id == account.id
    installation.connect("main", "key-2", account="two")
    with pytest.raises(ExportError) as end:
        open_account(installation.app, run)
    assert end.value.reason is Reason.ACCOUNT_CHANGED


def test_another_key_of_the_same_account_is_taken_up_in_the_middle_of_a_run(installation: Installation) -> None:
    """A worker that has opened the account finds its secret removed, and its key refused: it reads the new one."""
    installation.connect("main", "key-1", account="one")
    key = installation.app.account("main").key
    assert key.current() == "key-1"
    installation.connect("main", "key-2", account="one")
    assert key.renewed("key-1") == "key-2"
    installation.connect("main", "key-3", account="another")
    assert key.renewed("key-2") is None  # not another account's


# The key of our digests


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, Reason.DIGEST_KEY_MISSING),
        ("", Reason.DIGEST_KEY_WRONG),
        ("ab", Reason.DIGEST_KEY_WRONG),
        ("g" * 64, Reason.DIGEST_KEY_WRONG),
        (DigestKey.new().to_text(), Reason.DIGEST_KEY_WRONG),
    ],
    ids=["deleted", "empty", "short", "no hexadecimal", "another"],
)
def test_a_digest_key_that_is_not_the_one_of_before_stops_everything_by_name(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, text: str | None, reason: Reason
) -> None:
    installation.connect("main", "key-1")
    installation.save("team", "main")
    app = installation.app
    kept = app.vault.read(DIGEST_SECRET)
    assert kept is not None
    monkeypatch.setattr("shared.state.digest_key.FRESH", 0.0)
    if text is None:
        app.vault.delete(DIGEST_SECRET)
    else:
        app.vault.write(DIGEST_SECRET, text)
    try:
        run = start_run(app, "team", trigger="on_demand", requested_by="me")
        plan_run(app, "team", run.id)
        assert app.ledger.run("team", run.id).reason is reason
        status, content = installation.ask("post_erasure", body={"email": "a@example.com"})
        assert (status, told(content)) == (409, str(reason))
        assert installation.ask("get_health")[1]["digest_key"]["code"] == reason
        assert app.vault.read(DIGEST_SECRET) == text  # never made again in silence
    finally:
        app.vault.write(DIGEST_SECRET, kept)
    assert app.digest_key() == DigestKey.from_text(kept)


# Documents


def damage(installation: Installation, path: str, data: bytes = b'{"display_name": "cut sh') -> None:
    installation.app.storage.put(Container.CONFIGURATION, path, data)


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


# Who may call


def principal(*roles: str) -> str:
    claims = [{"typ": "roles", "val": role} for role in roles]
    return base64.b64encode(json.dumps({"claims": claims}).encode()).decode()


def with_entra(installation: Installation) -> Installation:
    """Return the installation where the platform's authentication stands in front."""
    update = {"auth_mode": "entra", "website_auth_enabled": True}
    settings = installation.app.settings.model_copy(update=update)
    return dataclasses.replace(installation, app=dataclasses.replace(installation.app, settings=settings))


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_without_the_platforms_authentication_nobody_is_served_where_principals_are_believed(
    installation: Installation, route: Route
) -> None:
    """Then nobody takes away a header that a caller made up."""
    settings = installation.app.settings.model_copy(update={"auth_mode": "entra"})
    unprotected = dataclasses.replace(installation, app=dataclasses.replace(installation.app, settings=settings))
    names = ["main" for part in route.path.split("/") if part.startswith("{")]
    headers = {"x-ms-client-principal": principal("Exports.Admin")}
    status, content = unprotected.ask(route.name, *names, body={}, **headers)
    assert (status, told(content)) == (503, "authentication_off")
    assert "WEBSITE_AUTH_ENABLED" in content["detail"]


def test_with_the_platforms_authentication_principals_are_believed(installation: Installation) -> None:
    protected = with_entra(installation)
    assert protected.ask("list_exports", x_ms_client_principal=principal("Exports.Viewer"))[0] == 200
    assert protected.ask("list_exports")[0] == 401


FORGED: tuple[dict[str, str], ...] = (
    {},  # a form of another site's page, in a browser that tells nothing
    {"sec_fetch_site": "same-origin"},
    {"sec_fetch_site": "cross-site"},
    {"sec_fetch_site": "same-site", "x_segment_export": "1"},
    {"sec_fetch_site": "cross-site", "authorization": "Bearer token"},
    {"sec_fetch_site": "none", "x_segment_export": "1"},
    {"x_segment_export": "0"},
    {"authorization": "Basic dXNlcjpwYXNz"},
)


@pytest.mark.parametrize("route", [route for route in ROUTES if route.method != "GET"], ids=lambda route: route.name)
def test_no_other_site_changes_anything_by_a_browsers_session(installation: Installation, route: Route) -> None:
    """Whether the call has a body or not."""
    protected = with_entra(installation)
    names = ["main" for part in route.path.split("/") if part.startswith("{")]
    session = {"x_ms_client_principal": principal("Exports.Admin")}
    for forged in FORGED:
        status, content = protected.ask(route.name, *names, body={}, **session, **forged)
        assert (status, told(content)) == (403, "other_site")
    for meant in ({"x_segment_export": "1", "sec_fetch_site": "same-origin"}, {"authorization": "Bearer token"}):
        status, content = protected.ask(route.name, *names, body={}, **session, **meant)
        assert not isinstance(content, dict) or content.get("code") != "other_site"


def test_reading_by_a_browsers_session_needs_nothing_more(installation: Installation) -> None:
    """What is read changes nothing, and no other site's page sees the answer."""
    reader = {"x_ms_client_principal": principal("Exports.Viewer"), "sec_fetch_site": "cross-site"}
    assert with_entra(installation).ask("list_exports", **reader)[0] == 200


def test_a_contributor_touches_no_damaged_export(installation: Installation) -> None:
    """Whose connection it uses cannot be read: it may be an administrators' one."""
    damage(installation, "exports/broken.json")
    entra = with_entra(installation)
    contributor = {"x_ms_client_principal": principal("Exports.Contributor"), "x_segment_export": "1"}
    assert told(entra.ask("delete_export", "broken", **contributor)[1]) == "document_damaged"
    admin = {"x_ms_client_principal": principal("Exports.Admin"), "x_segment_export": "1"}
    assert entra.ask("delete_export", "broken", **admin)[0] == 204
