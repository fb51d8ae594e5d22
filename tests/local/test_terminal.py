"""What the client prints: nothing is cut that one must copy, and nothing from outside commands the terminal."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from cli.show import _stage, headline, table_of
from cli.terminal import harmless, print_whole, say

RUN = "20261128t223549123-ab12"
LONG = "A name that is a good deal longer than a terminal would like it to be, and goes on"


def printed(width: int, *, terminal: bool, rows: list[tuple[object, ...]]) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=terminal, color_system=None)
    print_whole(
        table_of(("Run", "Status", "Reason", "Trigger", "Delivered", "Other run"), rows, whole=("Other run",)), console
    )
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("width", [20, 80, 200])
def test_a_run_id_is_whole_at_any_width_and_in_a_pipe(width: int, terminal: bool) -> None:
    text = printed(width, terminal=terminal, rows=[(RUN, LONG, LONG, "on_demand", "1,234", RUN)])
    assert text.count(RUN) == 2


def test_what_is_piped_is_a_line_a_row() -> None:
    text = printed(80, terminal=False, rows=[(RUN, LONG, LONG, "x", "1", RUN)] * 3)
    assert len(text.splitlines()) == 4
    assert text.count(LONG) == 6


def test_what_folds_on_a_terminal_is_not_lost() -> None:
    text = printed(80, terminal=True, rows=[(RUN, "x" * 500, "", "", "", "")])
    assert text.count("x") == 500


@given(st.text())
def test_no_text_commands_the_terminal(text: str) -> None:
    shown = harmless(text)
    assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in shown)
    assert "\u202e" not in shown


@pytest.mark.parametrize(
    "name", ["[/]", "[bold red]x[/red]", "[link=file:///x]y", "\x1b]0;owned\x07", "a\nb", "[@click=x]"]
)
def test_markup_and_escape_sequences_are_shown_as_text(name: str) -> None:
    spelled = name.encode("unicode_escape").decode()
    assert spelled in printed(200, terminal=False, rows=[(RUN, name, "", "", "", "")])
    console = Console(file=io.StringIO(), width=200, color_system=None)
    say(name, to=console)
    console.print(headline({"status": "Failed", "reason": "x", "advice": f"Segment {name} is missing."}))
    file = console.file
    assert isinstance(file, io.StringIO)
    assert file.getvalue().count(spelled) == 2


def test_a_run_that_succeeded_still_says_what_it_has_to_say() -> None:
    run = {"status": "Successful", "reason": None, "advice": "", "detail": "2 removals are held back."}
    assert str(headline(run)) == "Successful. 2 removals are held back."


def test_a_run_that_waits_says_for_what() -> None:
    run = {"status": "Processing", "unreachable_since": "2026-01-01T00:00:00Z", "detail": "Waiting until [it] answers."}
    assert _stage(run) == "Waiting until \\[it] answers."


@pytest.mark.parametrize(("waits_for", "said"), [("pace", "the account's pace"), ("autopilot", "the destination")])
def test_what_a_run_waits_for_names_no_destination_that_may_be_another(waits_for: str, said: str) -> None:
    run = {
        "status": "Processing",
        "unreachable_since": None,
        "waits_for": waits_for,
        "waits_until": "2026-01-01T00:00:00Z",
    }
    assert _stage(run).startswith(f"Waiting for {said} until ")


def test_a_status_with_its_reason_is_a_sentence_of_its_own() -> None:
    run = {"status": "Skipped", "reason": "over_limit", "advice": "Nothing was sent."}
    assert str(headline(run)) == "Skipped (over_limit). Nothing was sent."
