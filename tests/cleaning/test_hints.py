"""Hints at columns that may have been meant: helpful, and bounded whatever is sent."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import pytest

from export_trigger.http.mapping import MOST_HINTS, Hints
from shared.destinations.autopilot.fields import FIELDS
from shared.sources.source import Table


def table(columns: Sequence[str]) -> Table:
    return Table(name="VIP", columns=tuple(columns), key="CustomerId")


def test_a_column_that_is_nearly_right_is_named() -> None:
    vip = table(["CustomerId", "E-mail", "First Name", "Surname"])
    assert "'First Name'" in Hints(FIELDS).of(vip, "FirstName", "first_name")
    assert "'Surname'" in Hints(FIELDS).of(vip, "LastName", "Surnames")


def test_199_wrong_columns_are_searched_for_a_few_times_only(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[int] = []
    search = difflib.get_close_matches

    def watched(word: str, possibilities: Sequence[str], n: int) -> list[str]:
        searched.append(len(word) * sum(map(len, possibilities)))
        return search(word, possibilities, n=n)

    monkeypatch.setattr(difflib, "get_close_matches", watched)
    wide = table([f"Column_{number:05d}_{'x' * 400}" for number in range(5000)])
    hints = Hints(FIELDS)
    found = [hints.of(wide, f"string--F{number}", f"colum_{number}_{'x' * 400}") for number in range(199)]
    assert len(searched) == MOST_HINTS
    assert max(searched) <= 100 * 500 * 100
    assert all("has no column" in hint for hint in found)
