"""How the client shows a person: each sentence names its list, and a column says which row decides."""

from __future__ import annotations

from typing import Any

import pytest

from cli.person import show_person


def row(customer: str, *, decides: bool, reason: str | None = None) -> dict[str, Any]:
    """Return a row as the API tells it."""
    told = {"segment": "Team", "customer_id": customer, "speaks": decides, "reason": reason}
    return {**told, "field": "", "advice": "", "omitted": []}


def shown(capsys: pytest.CaptureFixture[str], *rows: dict[str, Any], erased_at: str | None = None) -> list[str]:
    """Return the lines that a terminal shows of a person on two lists, without their blanks."""
    stands = {
        "in_segment": True,
        "delivered": True,
        "on_list": True,
        "why": "member",
        "advice": "They are in the segment.",
    }
    nothing: dict[str, Any] = {"segments": [], "rejected_since": None, "record": None, "destination": {"code": ""}}
    lists = [{"list": name, **stands} for name in ("Gold", "News")]
    show_person({**nothing, "lists": lists, "rows": list(rows), "erased_at": erased_at}, "list")
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_each_sentence_names_its_list(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys)
    assert "Gold: They are in the segment." in lines
    assert "News: They are in the segment." in lines


def test_the_row_that_decides_is_marked_and_what_it_came_to_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, row("c1", decides=True), row("c2", decides=False, reason="email_invalid"))
    assert "Segment CustomerId Decides Row Field What to do" in lines
    assert "Team c1 yes can be delivered" in lines
    assert "Team c2 email_invalid" in lines


def test_no_row_of_an_erased_person_decides_or_can_be_delivered(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, row("c1", decides=True), erased_at="2026-01-01T00:00:00Z")
    assert "Team c1 erased" in lines
