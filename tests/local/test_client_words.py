"""How the client says what the API answers: durations, calls, roles, changes, and commands that can be pasted."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.client import Address, Client
from cli.preview import show_preview
from cli.words import about, command, done_to, may, took
from export_trigger.http.access import ROLES

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s"), (59.4, "59 s"), (60, "1 min 00 s"), (754, "12 min 34 s"), (90_000, "25 h 00 min")]
)
def test_how_long_a_run_took_is_said(seconds: float, said: str) -> None:
    ended = BEGAN + timedelta(seconds=seconds)
    assert took({"started_at": BEGAN.isoformat(), "ended_at": ended.isoformat()}) == said


@pytest.mark.parametrize(
    "run", [{"started_at": None, "ended_at": None}, {"started_at": "2026-01-01T00:00:00Z", "ended_at": None}]
)
def test_a_run_that_goes_on_took_nothing_yet(run: dict[str, str | None]) -> None:
    assert took(run) == ""


@pytest.mark.parametrize(
    ("calls", "minutes", "said"),
    [
        (0, 0.0, "No calls."),
        (1, 0.1, "About 1 call, in less than a minute."),
        (100_000, 83.4, "About 100,000 calls, in about 83 minutes."),
        (1_000_000, 833.0, "About 1,000,000 calls, in about 13.9 hours."),
    ],
)
def test_what_a_run_would_take_is_said_in_words(calls: int, minutes: float, said: str) -> None:
    assert about(calls, minutes) == said


@pytest.mark.parametrize("role", ROLES.values())
def test_what_a_role_may_do_is_a_sentence(role: object) -> None:
    assert may(role.word).startswith("You may ")  # type: ignore[attr-defined]  # a role of the API


@pytest.mark.parametrize(
    ("of", "said"),
    [
        ("export=a changed=all", "export=a created"),
        ("export=a changed=", "export=a nothing changed"),
        ("export=a changed=mapping,segments", "export=a changed=mapping,segments"),
        ("export=a run=b", "export=a run=b"),
        ("", ""),
    ],
)
def test_what_was_changed_is_said_also_where_it_was_all_or_nothing(of: str, said: str) -> None:
    assert done_to(of) == said


def test_a_command_that_is_hinted_at_can_be_pasted() -> None:
    asked = [*command("run --help").split()]
    assert "Start a run" in subprocess.run(asked, capture_output=True, text=True, check=True).stdout


@given(st.integers(1, 450), st.integers(1, 700))
def test_the_newest_are_read_page_by_page_and_older_ones_are_not_forgotten(there: int, asked: int) -> None:
    class Pages(Client):
        def get(self, path: str, **query: str) -> object:
            assert path == "runs"
            begin, size = int(query.get("after", "0")), int(query["limit"])
            assert 1 <= size <= 200
            items = [{"n": n} for n in range(begin, min(there, begin + size))]
            return {"items": items, "next": str(begin + size) if begin + size < there else None}

    found, are_older = Pages(Address("http://127.0.0.1:1", None)).newest("runs", asked)
    assert [item["n"] for item in found] == list(range(min(there, asked)))
    assert are_older == (there > asked)


def test_a_preview_says_who_of_the_leavers_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr("cli.preview.say", lambda text, **_: said.append(text))
    monkeypatch.setattr("cli.preview.print_whole", lambda _: None)
    numbers = dict.fromkeys(("rows_read", "profiles", "duplicates", "joiners", "changed", "unchanged", "leavers"), 12)
    found: dict[str, object] = {
        "rejected": {},
        "omitted": {},
        "placeholders": {},
        "would_be_skipped": None,
        "examples": [],
    }
    show_preview({**numbers, **found, "calls": 0, "minutes": 0.0, "held_back": 10})
    assert said == [
        "10 of the leavers stay: too many rows of their segment cannot be read",
        "No calls. Nothing was sent.",
    ]
