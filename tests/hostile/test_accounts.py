"""Accounts: what several connections and exports share there, lists and pace, under races and deaths."""

from __future__ import annotations

from hashlib import sha256

import pytest

from export_trigger.steps.claim import claim_found
from export_trigger.steps.plan_run import plan_run
from shared.accounts.claims import ClaimRecord
from shared.delivery.account import Identity
from shared.destinations.autopilot.client import Autopilot
from shared.lifecycle.start import start_run
from shared.lifecycle.window import open_account
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError, TryLater
from tests.hostile.attacks import ROUNDS, at_once
from tests.hostile.conftest import Installation, told


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


@pytest.mark.parametrize("title", ["TEAM", "team", "Te\u0061m", "Team "])
def test_titles_that_look_the_same_are_one_list(installation: Installation, title: str) -> None:
    installation.connect("main", "key-1", account="shared")
    installation.connect("twin", "key-2", account="shared")
    assert installation.save("first", "main", "Team")[0] == 201
    for name in ("first", "second"):
        status, content = installation.save(name, "twin", title)
        if name == "second":
            assert (status, told(content), content["export"]) == (409, "list_in_use", "first")
    assert installation.save("first", "main", "Another")[0] == 200
    assert installation.save("second", "twin", title)[0] == 201


def former_claim(installation: Installation, export: str, title: str) -> None:
    """Claim a list as 7d63e07 did: by its exact title."""
    account = installation.app.account("main").id
    key = "claim-" + sha256(title.encode()).hexdigest()[:32]
    record = ClaimRecord(title=title, export=export, attempt="former", at=installation.app.clock.now() - 3600)
    installation.app.accounts._table.put(account, key, record)


def retitle(installation: Installation, export: str, title: str) -> None:
    found = installation.app.registry.export(export)
    assert found is not None
    segments = tuple(target.model_copy(update={"list": title}) for target in found[0].segments)
    installation.app.registry.save_export(export, found[0].model_copy(update={"segments": segments}))


def planned(installation: Installation, export: str) -> Reason | None:
    run = start_run(installation.app, export, trigger="on_demand", requested_by="me")
    plan_run(installation.app, export, run.id)
    return installation.app.ledger.run(export, run.id).reason


def test_a_claim_of_before_keeps_titles_away_that_look_the_same(installation: Installation) -> None:
    installation.connect("main", "key-1")
    account = installation.app.account("main").id
    installation.save("first", "main", "Team")
    installation.app.accounts.claims.release(account, "first")
    former_claim(installation, "first", "Team")
    assert installation.save("second", "main", "TEAM")[0] == 409
    assert installation.app.accounts.claims.holds(account, "first", ["Team"])
    assert planned(installation, "first") is not Reason.LIST_IN_USE
    installation.ask("delete_export", "first")
    assert installation.save("second", "main", "TEAM")[0] == 201


def test_of_two_exports_of_before_whose_titles_differ_in_case_one_fills_the_list(installation: Installation) -> None:
    installation.connect("main", "key-1")
    for export, title in (("first", "Team"), ("second", "TEAM")):
        installation.save(export, "main", f"List of {export}")
        installation.app.accounts.claims.release(installation.app.account("main").id, export)
        former_claim(installation, export, title)
        retitle(installation, export, title)
    for _ in range(2):
        ends = [planned(installation, export) for export in ("second", "first")]
        assert [end is Reason.LIST_IN_USE for end in ends].count(True) == 1
        assert len({tuple(ends)}) == 1


def test_a_list_that_two_titles_lead_to_has_one_export(installation: Installation) -> None:
    """A list of the first export is renamed at the destination to a title of the second one."""
    installation.connect("main", "key-1")
    app = installation.app
    account = app.account("main").id
    for export in ("first", "second"):
        installation.save(export, "main", f"List of {export}")
    documents = {name: found[0] for name in ("first", "second") if (found := app.registry.export(name))}
    claim_found(app, "first", documents["first"], account, ["contactlist_1"])
    claim_found(app, "first", documents["first"], account, ["contactlist_1"])
    with pytest.raises(ExportError) as end:
        claim_found(app, "second", documents["second"], account, ["contactlist_1"])
    assert end.value.reason is Reason.LIST_IN_USE
    claim_found(app, "second", documents["second"], account, [""])
    claim_found(app, "first", documents["first"], account, ["contactlist_2"])  # another bears its title since
    claim_found(app, "second", documents["second"], account, ["contactlist_1"])


@pytest.mark.parametrize("told", [{}, {"Another": ["contactlist_another"]}], ids=["empty", "cut off"])
def test_a_run_and_a_preview_believe_no_answer_that_leaves_out_a_list_of_ours(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, told: dict[str, list[str]]
) -> None:
    app = installation.app
    installation.connect("main", "sandbox-key", list_strategy="single")
    installation.save("team", "main", f"List of {len(told)}")
    assert installation.run("team")["counts"]["delivered"] == 1
    made: list[str] = []
    run = start_run(app, "team", trigger="on_demand", requested_by="me")
    with monkeypatch.context() as patch:
        patch.setattr(Autopilot, "lists", lambda _: told)
        patch.setattr(Autopilot, "create_list", lambda _, title: made.append(title))
        with pytest.raises(TryLater):
            plan_run(app, "team", run.id)
        app.lists_asked.clear()
        previewed = installation.ask("preview_export", "team")[1]
    assert (previewed["joiners"], previewed["unchanged"]) == (0, 1)
    plan_run(app, "team", run.id)
    assert app.ledger.run("team", run.id).reason is Reason.NOTHING_TO_DO
    assert not made


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
    for name, key in (("one", "silent-1"), ("two", "silent-1"), ("three", "silent-3")):
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
