"""The command-line client walks the same flow."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import requests
import yaml
from typer.testing import CliRunner

from cli.__main__ import app
from local.environment import Company
from local.world import SIMPLE, World, people
from tests.stack.terminal import Terminal

EXPORT = {
    "name": "team",
    "display_name": "Team",
    "connection": "main",
    "mapping": SIMPLE,
    "segments": ["Team"],
    "schedule": {"on": "off"},
}


@pytest.fixture
def terminal(world: World) -> Terminal:
    return Terminal(world)


def test_the_whole_flow_from_a_terminal(world: World, terminal: Terminal, tmp_path: Path) -> None:
    world.publish({"Team": people("a@example.com", "b@example.com", "nobody")})
    file = tmp_path / "team.yaml"
    file.write_text(yaml.safe_dump(EXPORT))

    assert "Sandbox Account" in terminal.run("connect", "main", "--agree", typed="sandbox-key\n")
    assert "Team" in terminal.run("segments")
    assert "+display_name: Team" in terminal.run("export", "diff", "-f", str(file), code=1)
    assert "Nothing was sent" in terminal.run("export", "preview", "-f", str(file))
    assert world.api.get("exports")["items"] == []
    assert "Saved team" in terminal.run("export", "save", "-f", str(file))
    assert "About" in terminal.run("preview", "team")
    assert world.members("Team") == set()

    ended = terminal.run("run", "team", "--watch", code=1)  # one row is rejected
    assert "Completed with warnings" in ended
    assert "2    delivered" in " ".join(ended.split("\n"))
    assert world.members("Team") == {"a@example.com", "b@example.com"}
    assert "email_invalid" in terminal.run("rejected", "team")
    assert "on_demand" in (runs := terminal.run("runs", "team"))
    assert re.search(r"Started \(UTC\) +Took", runs)
    assert "There are older ones: add --limit" in terminal.run("audit", "--limit", "1")
    assert "older" not in runs
    assert "put_export" in terminal.run("audit")
    assert "put_export" in (of_it := terminal.run("audit", "--export", "team"))
    assert "put_connection" not in of_it
    assert "email_invalid" in terminal.run("rejected", "team", "--summary")
    assert "Completed with warnings" in terminal.run("runs")
    assert "Completed with warnings" in terminal.run("export", "list")
    assert "function-key, admin" in (who := terminal.run("me"))
    assert world.stack.api_url in who
    assert "member" in terminal.run("explain", "team", typed="a@example.com\n")
    assert "not_in_segment" in terminal.run("explain", "team", "c@example.com", code=1)
    assert "1 accounts" in terminal.run("erase", "a@example.com")
    assert world.members("Team") == {"b@example.com"}


def test_lists_are_verified_from_a_terminal(world: World, terminal: Terminal) -> None:
    world.publish({"Readers": people("reader1@example.com", "reader2@example.com")})
    world.connect()
    world.save("readers", segments=["Readers"], mapping=SIMPLE, schedule={"on": "off"})
    world.run("readers")
    assert "lists_equal" in terminal.run("verify", "readers")
    world.save("readers", segments=["Readers"], mapping=SIMPLE, schedule={"on": "off"}, max_profiles=1)
    world.run("readers")
    terminal.run("verify", "readers")
    assert re.search(r"readers .*Skipped +over_limit +\d", terminal.run("export", "list"))
    world.save("readers", segments=["Readers"], mapping=SIMPLE, schedule={"on": "off"})
    url = f"{world.stack.sandbox_url}/v1/list/{world.list_ids()['Readers']}/contact/reader1@example.com"
    assert requests.delete(url, headers={"autopilotapikey": "sandbox-key"}, timeout=60).ok
    shown = terminal.run("verify", "readers", "--repair", code=1)
    assert "lists_differ" in shown
    assert "Readers" in shown
    assert "Missing" in shown
    repair = world.api.get("exports/readers/runs", limit="1")["items"][0]
    assert f"The repair is run {repair['id']}" in shown
    assert "Successful" in terminal.run("status", "readers", repair["id"], "--watch")

    requests.delete(f"{world.stack.sandbox_url}/sandbox/lists/{world.list_ids()['Readers']}", timeout=60)
    shown = terminal.run("verify", "readers", code=1)
    assert "'Readers' is gone" in shown
    assert "lists_differ" in terminal.run("export", "list")
    assert "the list is gone" in shown


def test_a_verification_is_no_run_with_rejected_rows(world: World, terminal: Terminal) -> None:
    """Where no run is named, the newest that delivers is meant, whatever was verified since."""
    world.publish({"Mixed": people("fine@example.com", "nobody")})
    world.connect()
    world.save("mixed", segments=["Mixed"], mapping=SIMPLE, schedule={"on": "off"})
    assert "No run" in terminal.run("rejected", "mixed", code=2)
    delivered = world.run("mixed")["id"]
    terminal.run("verify", "mixed")
    assert "email_invalid" in terminal.run("rejected", "mixed")
    assert "rows_rejected" in terminal.run("status", "mixed", delivered)
    assert "rows_rejected" in terminal.run("status", "mixed", delivered, "--watch", code=1)
    assert "[]" not in terminal.run("preview", "mixed")
    assert delivered in terminal.run("rerun", "mixed")


def test_a_run_that_is_going_is_named_and_can_be_canceled(world: World, terminal: Terminal) -> None:
    world.publish({"Slow": people(*(f"slow{number}@example.com" for number in range(200)))})
    world.connect(rate_limit=2)
    world.save("slow", segments=["Slow"], mapping=SIMPLE, schedule={"on": "off"})
    assert "No run" in terminal.run("cancel", "slow", code=2)
    going = world.start("slow")
    assert f"run: {going}" in terminal.run("run", "slow", code=2)
    assert going in terminal.run("cancel", "slow")
    assert world.wait("slow", going)["status"] == "Canceled"
    world.connect()


def test_a_run_that_a_guard_held_is_told_once_and_counts_no_rows(world: World, terminal: Terminal) -> None:
    world.publish({"Team": people(*(f"p{number}@example.com" for number in range(1234)))})
    world.connect()
    world.save("held", segments=[{"segment": "Team", "list": "Held"}], mapping=SIMPLE, max_profiles=1000)
    said = terminal.run("run", "held", "--watch", code=1)
    assert "Skipped (over_limit). The segments hold 1,234 profiles; the export allows 1,000. Nothing was sent" in said
    assert [words for words in ("more profiles than", "rows read") if words in said] == []


def test_nothing_is_cut_in_a_pipe(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    world.publish({"Team": people("a@example.com")})
    world.connect()
    world.save(
        "piped", display_name="A very long name " * 10, segments=[{"segment": "Team", "list": "Piped"}], mapping=SIMPLE
    )
    run = world.run("piped")["id"]
    environment = {"SEGMENT_EXPORT_URL": world.stack.api_url, "SEGMENT_EXPORT_KEY": world.stack.function_key}
    runs = CliRunner().invoke(app, ["runs", "piped"], env=environment).output
    assert [line for line in runs.splitlines() if line.startswith(run)]
    exports = CliRunner().invoke(app, ["export", "list"], env=environment).output
    assert "A very long name " * 9 in exports


def test_what_is_not_given_of_a_connection_stays(world: World, terminal: Terminal) -> None:
    key = "sandbox-key\n"
    first = ("--display-name", "Main account", "--rate-limit", "50", "--list-strategy", "single", "--share")
    terminal.run("connect", "kept", *first, "--agree", typed=key)
    before = world.api.get("connections/kept")
    terminal.run("connect", "kept", "--agree", typed=key)  # a key is rotated as docs/operate.md says
    kept = ("display_name", "rate_limit", "list_strategy", "access")
    assert {name: world.api.get("connections/kept")[name] for name in kept} == {name: before[name] for name in kept}
    assert before["rate_limit"] == 50

    terminal.run("connect", "kept", "--rate-limit", "60", "--no-share", "--agree")  # and no key is given
    after = world.api.get("connections/kept")
    assert (after["rate_limit"], after["access"], after["list_strategy"]) == (60, "administrators", "single")
    assert "accepted" in terminal.run("connection", "test", "kept")


def test_a_connections_own_secret_stays_its_secret(world: World, terminal: Terminal) -> None:
    world.stack.store_secret("autopilot-of-the-team", "sandbox-key")
    terminal.run("connect", "vaulted", "--secret-name", "autopilot-of-the-team", "--agree")
    terminal.run("connect", "vaulted", "--rate-limit", "30", "--agree", typed="sandbox-key\n")
    assert world.api.get("connections/vaulted")["secret_name"] == "autopilot-of-the-team"


def test_a_connection_is_shown_tested_detached_and_removed(world: World, terminal: Terminal) -> None:
    world.publish({"Team": people("a@example.com")})
    terminal.run("connect", "old", "--agree", typed="sandbox-key\n")
    world.save("user", connection="old", segments=[{"segment": "Team", "list": "User"}], mapping=SIMPLE)
    assert "readable" in terminal.run("connection", "show", "old")
    assert "exports: user" in terminal.run("connection", "delete", "old", code=2)
    assert "Without a connection now: user" in terminal.run("connection", "delete", "old", "--detach")
    assert world.api.get("exports/user")["connection"] is None


def test_when_an_export_runs_is_said_only_where_it_is_true(world: World, terminal: Terminal, tmp_path: Path) -> None:
    world.publish({"Team": people("a@example.com")})
    world.connect()
    file = tmp_path / "when.yaml"
    base = {**EXPORT, "name": "when", "segments": [{"segment": "Team", "list": "When"}]}
    for changes, said in (
        ({"schedule": {"on": "refresh"}}, "runs with the next refresh"),
        (
            {"schedule": {"on": "cron", "cron": "30 6 * * 1-5", "time_zone": "Asia/Kathmandu"}},
            "30 6 * * 1-5 (Asia/Kathmandu)",
        ),
        ({"schedule": {"on": "off"}}, "schedule is off"),
        ({"schedule": {"on": "refresh"}, "connection": None}, "no connection"),
    ):
        file.write_text(yaml.safe_dump({**base, **changes}))
        shown = terminal.run("export", "save", "-f", str(file))
        assert said in shown
        assert ("next refresh" in shown) == (said == "runs with the next refresh")
    terminal.run("export", "delete", "when")


def test_health_and_all_runs_from_a_terminal(world: World, terminal: Terminal) -> None:
    world.publish({"Team": people("a@example.com")})
    world.connect()
    world.save("everyone", segments=[{"segment": "Team", "list": "Everyone"}], mapping=SIMPLE)
    shown = terminal.run("health")
    assert f"The app at {world.stack.api_url}, version {world.api.get('health')['version']}." in shown
    assert [part for part in ("storage", "vault", "source") if not re.search(rf"^{part} +reachable", shown, re.M)] == []
    started = terminal.run("run-all")
    runs = world.api.get("exports/everyone/runs")["items"]
    assert runs[0]["id"] in started
    world.wait("everyone", runs[0]["id"])
    terminal.run("export", "delete", "everyone")


def test_names_with_markup_and_escape_sequences_are_shown_as_text(world: World, terminal: Terminal) -> None:
    world.connect("odd", display_name="[/]\x1b]0;owned\x07[bold")
    shown = terminal.run("connections")
    assert "[/]\\x1b]0;owned\\x07[bold" in shown
    assert "\x1b" not in shown


def test_configuration_as_code_round_trips(world: World, terminal: Terminal, tmp_path: Path) -> None:
    world.publish({"Team": people("a@example.com")})
    world.connect()
    file = tmp_path / "code.yaml"
    file.write_text(yaml.safe_dump({**EXPORT, "name": "code", "segments": [{"segment": "Team", "list": "Code"}]}))
    terminal.run("export", "save", "-f", str(file))
    shown = tmp_path / "shown.yaml"
    shown.write_text(terminal.run("export", "show", "code"))
    assert terminal.run("export", "diff", "-f", str(shown)) == ""


def test_the_example_in_the_documents_works_as_it_stands(world: World, terminal: Terminal) -> None:
    world.publish_company(Company.found(200))
    world.connect()
    assert "Saved loyalty" in terminal.run("export", "save", "-f", "docs/example.yaml")
    saved = world.api.get("exports/loyalty")
    assert saved["schedule"] == {"on": "refresh"}
    assert {"segment": "LoyaltyGold", "list": "Gold members"} in saved["segments"]
    assert terminal.run("export", "diff", "-f", "docs/example.yaml") == ""


def test_a_move_to_ortto_is_proposed_only_for_ortto_and_with_words_that_it_knows(
    world: World, terminal: Terminal
) -> None:
    world.publish({"Team": people("a@example.com")})
    world.connect()
    world.save("moving", segments=[{"segment": "Team", "list": "Moving"}], mapping=SIMPLE)
    assert "is not one of" in terminal.run("export", "migrate", "moving", "--to", "main", "--new-people", "foo", code=2)
    assert "name a connection to Ortto" in terminal.run("export", "migrate", "moving", "--to", "main", code=2)


def test_json_is_what_the_api_said(world: World, terminal: Terminal) -> None:
    world.connect()
    assert "main" in [found["name"] for found in json.loads(terminal.run("connections", "--json"))]


def test_a_no_is_a_sentence_and_an_exit_code(world: World, terminal: Terminal) -> None:
    assert "There is no export" in terminal.run("run", "nowhere", code=2)


def test_a_no_speaks_of_the_commands_own_options(world: World, terminal: Terminal, tmp_path: Path) -> None:
    said = terminal.run("connect", "mine", "--kind", "ortto", "--region", "mars", typed="sandbox-key\n", code=2)
    assert "  --agree: must be given. By agreeing you allow" in said
    assert "  --region: is one of: us, au, eu" in said
    assert "--secret-name" in terminal.run("connect", "mine", "--agree", typed="\n", code=2)
    world.publish({"Team": people("a@example.com")})
    terminal.run("connect", "used", "--agree", typed="sandbox-key\n")
    world.save("by", connection="used", segments=[{"segment": "Team", "list": "By"}], mapping=SIMPLE)
    said += terminal.run("connection", "delete", "used", code=2)
    assert "repeat with --detach" in said
    file = tmp_path / "wrong.yaml"
    file.write_text(yaml.safe_dump({**EXPORT, "connection": "A B", "schedule": {"on": "cron", "cron": "daily"}}))
    said += terminal.run("export", "save", "-f", str(file), code=2)
    assert "  connection: must be like a-name-1, at most 63 long" in said
    assert "  schedule.cron: " in said
    assert [word for word in ("body", "agree_to_privacy", "pattern", "detach=", "cron.cron") if word in said] == []
    terminal.run("export", "delete", "by")


def test_without_an_app_it_says_how_to_name_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["segments"])
    assert result.exit_code == 3
    assert "SEGMENT_EXPORT_URL" in result.output
