"""The command-line client walks the same flow."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import requests
import yaml
from typer.testing import CliRunner, Result

from cli.__main__ import app
from local.environment import Company
from local.world import SIMPLE, World, people

EXPORT = {
    "name": "team",
    "display_name": "Team",
    "connection": "main",
    "mapping": SIMPLE,
    "segments": ["Team"],
    "schedule": {"on": "off"},
}


class Terminal:
    """Runs commands as a person would."""

    def __init__(self, world: World) -> None:
        self._environment = {
            "SEGMENT_EXPORT_URL": world.stack.api_url,
            "SEGMENT_EXPORT_KEY": world.stack.function_key,
            "COLUMNS": "160",
        }

    def run(self, *words: str, code: int = 0, typed: str = "") -> str:
        result: Result = CliRunner().invoke(app, list(words), env=self._environment, input=typed)
        assert result.exit_code == code, result.output
        return result.output


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
    assert "Saved team" in terminal.run("export", "save", "-f", str(file))
    assert "About" in terminal.run("preview", "team")
    assert world.members("Team") == set()

    ended = terminal.run("run", "team", "--watch", code=1)  # one row is rejected
    assert "Completed with warnings" in ended
    assert "2    delivered" in " ".join(ended.split("\n"))
    assert world.members("Team") == {"a@example.com", "b@example.com"}
    assert "email_invalid" in terminal.run("rejected", "team")
    assert "on_demand" in terminal.run("runs", "team")
    assert "put_export" in terminal.run("audit")
    assert "1 accounts" in terminal.run("erase", "a@example.com")
    assert world.members("Team") == {"b@example.com"}


def test_lists_are_verified_from_a_terminal(world: World, terminal: Terminal) -> None:
    world.publish({"Readers": people("reader1@example.com", "reader2@example.com")})
    world.connect()
    world.save("readers", segments=["Readers"], mapping=SIMPLE, schedule={"on": "off"})
    world.run("readers")
    assert "lists_equal" in terminal.run("verify", "readers")
    url = f"{world.stack.sandbox_url}/v1/list/{world.list_ids()['Readers']}/contact/reader1@example.com"
    assert requests.delete(url, headers={"autopilotapikey": "sandbox-key"}, timeout=10).ok
    shown = terminal.run("verify", "readers", "--repair", code=1)
    assert "lists_differ" in shown
    assert "Readers" in shown
    assert "Missing" in shown


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


def test_json_is_what_the_api_said(world: World, terminal: Terminal) -> None:
    world.connect()
    assert json.loads(terminal.run("connections", "--json"))[0]["name"] == "main"


def test_a_no_is_a_sentence_and_an_exit_code(world: World, terminal: Terminal) -> None:
    assert "There is no export" in terminal.run("run", "nowhere", code=2)


def test_without_an_app_it_says_how_to_name_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["segments"])
    assert result.exit_code == 3
    assert "SEGMENT_EXPORT_URL" in result.output
