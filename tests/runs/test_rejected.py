"""The rejected-rows file, as its owner opens it."""

from __future__ import annotations

import csv
import io
import re
import unicodedata

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.planning.survey import REJECTED
from shared.runs.rejected import escape_formulas, rejected_customers, write_rejected


def test_a_row_says_whose_where_what_why_and_what_to_do() -> None:
    table = pl.DataFrame([("c1", 0, "Email", "email_invalid", None, None)], schema=REJECTED, orient="row")
    lines = list(csv.reader(io.StringIO(write_rejected(table, ["VIP"]).decode("utf-8-sig"))))
    assert lines[0] == ["CustomerId", "Segment", "Field", "Reason", "What to do", "Where"]
    assert lines[1] == ["c1", "VIP", "Email", "email_invalid", "Correct the e-mail address in its source.", ""]


@pytest.mark.parametrize(
    "customer",
    ["ann@example.com", "Ann Lee <ann@example.com>", "c1;ann@example.com", "ünna@bücher.example", "ann＠example．com"],
)
def test_no_address_stands_where_a_customer_id_should(customer: str) -> None:
    """The cells of a row may have moved: then its first one is an address, and no CustomerId."""
    table = pl.DataFrame([(customer, 0, "Email", "email_invalid", None, None)], schema=REJECTED, orient="row")
    text = write_rejected(table, ["VIP"]).decode("utf-8-sig")
    row = list(csv.reader(io.StringIO(text)))[1]
    assert not {"@", "＠"} & set(text)
    assert (row[0], row[5]) == ("", "a row whose CustomerId is an e-mail address")


FORMULA = set("=+-@")
SEPARATORS = (",", ";", "\t", "|")

cells = st.text(
    st.one_of(st.sampled_from("=+-@＝＋－＠﹦'\"; ,|\t\r\n\u200b\ufeffxé1"), st.characters(codec="utf-8")), max_size=30
)


def begins_formula(cell: str) -> bool:
    """Whether a spreadsheet may calculate a cell: judged by Unicode's own compatible forms, not by the code's list."""
    begins = unicodedata.normalize("NFKC", cell.lstrip('\u200b\u2060\ufeff"\u00a0 '))[:1]
    return begins in FORMULA


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "＝1+1", "＠SUM(A1)", ' "=1', "\ufeff=1"]
)
def test_a_cell_is_never_a_formula(text: str) -> None:
    assert escape_formulas(text) == "'" + text


@pytest.mark.parametrize(
    ("text", "shown"),
    [("x;=cmd", "x;'=cmd"), ("x; +1", "x;' +1"), ("a|@x", "a|'@x"), ("a\n=1", "a\n'=1"), ("x;'=1", "x;''=1")],
)
def test_nor_is_what_another_separator_would_make_a_cell(text: str, shown: str) -> None:
    assert escape_formulas(text) == shown


def test_what_is_no_formula_stays_as_it_is() -> None:
    for text in ("c1", "a-b", "a;b", "1;2", "O'Brien", "x=y", ""):
        assert escape_formulas(text) == text


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=5))
def test_no_program_finds_a_formula_in_the_file_and_it_reads_back(rows: list[tuple[str, str]]) -> None:
    """Whatever the program parts cells at; the file itself is parted by commas, and the CustomerIds come back."""
    table = pl.DataFrame(
        [(customer, 0, field, "email_invalid", customer, None) for customer, field in rows],
        schema=REJECTED,
        orient="row",
    )
    text = write_rejected(table, ["=Segment;=x"]).decode("utf-8-sig")
    for separator in SEPARATORS:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            assert not [cell for cell in row if begins_formula(cell)], (separator, row)
    storage = StoredFile(text.encode())
    named = {"" if re.search(r"[^@＠\s][@＠][^@＠\s]+[.．。][^@＠\s]", customer) else customer for customer, _ in rows}
    assert rejected_customers(storage, "any") == named  # type: ignore[arg-type]


class StoredFile:
    """Storage that holds one file."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def get(self, *_: object) -> tuple[bytes, str]:
        return self._data, "etag"


def test_a_long_cell_of_separators_is_written_at_once() -> None:
    assert len(escape_formulas("\t" * 500_000)) == 1_000_000
