"""Keys: of accounts and of our digests, whoever saves, fails or stores a secret meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import pytest

from export_trigger.steps.keys import sweep_keys
from export_trigger.steps.plan_run import plan_run
from export_worker.deliver_chunk import deliver_chunk
from shared.azure.storage import Conflict
from shared.composition.app import Account, App
from shared.delivery.account import Identity
from shared.delivery.errors import KeyRefused
from shared.destinations.autopilot.answers import Call
from shared.destinations.autopilot.client import Autopilot
from shared.exports.registry import Registry
from shared.lifecycle.start import start_run
from shared.lifecycle.window import open_account
from shared.reasons.codes import Reason, Status
from shared.reasons.errors import ExportError
from shared.runs.run import Run
from shared.state.digest_key import DIGEST_SECRET, InstallationKey
from shared.state.digests import DigestKey
from tests.hostile.attacks import ROUNDS, at_once
from tests.hostile.conftest import Installation, told


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
        raise SystemExit  # as if the process died there

    with monkeypatch.context() as patch:
        patch.setattr(Registry, "save_connection", die)
        with pytest.raises(SystemExit):
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


@pytest.mark.parametrize(
    ("account", "how"), [("two", "refused"), ("two", "read again"), ("one", "refused"), ("one", "read again")]
)
def test_a_key_that_is_replaced_in_the_vault_in_the_middle_of_a_run_sends_nobody_to_another_account(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, account: str, how: str
) -> None:
    send, used = Autopilot._send, list[tuple[str, Call]]()
    old, new = (f"{number}-key-of-{account}-{how[:4]}" for number in ("first", "second"))

    def sent(api: Autopilot, key: str, call: Call, body: object, parts: Mapping[str, str]) -> object:
        used.append((key, call))
        if key == old and call is Call.UPSERT and how == "refused":
            raise KeyRefused("POST /contacts was answered 401")
        return send(api, "sandbox-key", call, body, parts)

    monkeypatch.setattr(Autopilot, "_send", sent)
    installation.connect("main", old, account="one", list_strategy="single")
    installation.save("team", "main", f"List {account} {how}")
    run = start_run(installation.app, "team", trigger="on_demand", requested_by="me")
    plan_run(installation.app, "team", run.id)
    account_id = installation.app.account("main").id
    installation.keys[new] = Identity("Account", account)
    installation.app.vault.write(installation.secret("main"), new)
    used.clear()
    if how == "read again":

        def opened(app: App, run: Run) -> Account:
            found = open_account(app, run)
            monkeypatch.setattr("shared.azure.vault.FRESH", 0.0)
            return found

        monkeypatch.setattr("export_worker.deliver_chunk.open_account", opened)
    deliver_chunk(installation.app, "team", run.id, "000001")
    monkeypatch.undo()
    ended = installation.app.ledger.run("team", run.id)
    if account == "one":
        assert (ended.status, ended.counts.delivered) == (Status.SUCCESSFUL, 1)
        assert (new, Call.UPSERT) in used
    else:
        assert (ended.reason, ended.counts.delivered) == (Reason.ACCOUNT_CHANGED, 0)
        assert {key for key, _ in used} <= {old}
    assert ended.account == account_id


def test_a_save_whose_account_tells_less_than_before_leaves_the_connection_at_its_account(
    installation: Installation,
) -> None:
    installation.connect("main", "telling", account="one")
    before = installation.app.account("main").id
    installation.keys["telling"] = Identity("Account one", None)
    body = {"display_name": "Renamed", "api_key": "telling", "agree_to_privacy": True}
    assert installation.ask("put_connection", "main", body=body)[0] == 200
    assert installation.app.account("main").id == before
    installation.keys["silent"] = Identity("Account one", None)
    status, content = installation.ask("put_connection", "main", body={**body, "api_key": "silent"})
    assert (status, told(content)) == (502, "autopilot_unavailable")
    assert installation.key_of("main") == "telling"


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
        if text is None:
            app.vault._client.begin_recover_deleted_secret(DIGEST_SECRET)
        else:
            app.vault.write(DIGEST_SECRET, kept)
    assert app.digest_key() == DigestKey.from_text(kept)


def test_a_digest_key_is_not_made_where_a_deleted_one_keeps_its_name_and_that_is_said(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Soft delete keeps the name for 90 days, and purge protection lets nobody shorten that: 'unavailable' would never pass."""
    app = installation.app
    kept = app.digest_key()
    app.vault.delete(DIGEST_SECRET)
    app.tombstones._table.delete("installation", ["digest-key"])
    monkeypatch.setattr(InstallationKey, "_is_needed", lambda _: False)
    try:
        with pytest.raises(ExportError, match="az keyvault secret recover") as end:
            app.digest_key()
        assert end.value.reason is Reason.DIGEST_KEY_MISSING
    finally:
        app.vault._client.begin_recover_deleted_secret(DIGEST_SECRET)
    assert app.digest_key() == kept
