"""The rejected-rows file, as its owner opens it."""

from __future__ import annotations

import csv
import io

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.plan import REJECTED
from shared.steps.rejected import harmless, write_rejected


def test_a_row_says_whose_where_what_why_and_what_to_do() -> None:
    table = pl.DataFrame([("c1", 0, "Email", "email_invalid", None, None)], schema=REJECTED, orient="row")
    lines = list(csv.reader(io.StringIO(write_rejected(table, ["VIP"]).decode("utf-8-sig"))))
    assert lines[0] == ["CustomerId", "Segment", "Field", "Reason", "What to do", "Where"]
    assert lines[1] == ["c1", "VIP", "Email", "email_invalid", "Correct the e-mail address in its source.", ""]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\n=x"])
def test_a_cell_is_never_a_formula(text: str) -> None:
    assert harmless(text) == "'" + text


@given(st.text())
def test_any_cell_is_itself_or_marked_as_text(text: str) -> None:
    assert harmless(text) in {text, "'" + text}
    assert not harmless(text).startswith(("=", "+", "-", "@", "\t", "\r"))
