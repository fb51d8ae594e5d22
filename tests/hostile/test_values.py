"""Any text as a value of any field: a contact that is JSON, or a reason; never an exception, always the same person."""

from __future__ import annotations

import json
import re

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.cleaning.addresses import normalise, normalised
from shared.cleaning.clean import clean
from shared.cleaning.dates import dates
from shared.cleaning.notation import Notations
from shared.cleaning.text import normalised_keys
from shared.delivery.chunks import Cutter, decode, lines
from shared.destinations.autopilot.fields import CUSTOM_TYPES
from shared.reasons.rows import RowReason
from shared.runs.rejected import escape_formulas, unescape_formulas
from tests.cleaning.recipes import recipe_for
from tests.sources.batches import batch

_text = st.text(st.characters(codec="utf-8"), max_size=60)
_sign = st.sampled_from(["", "+", "-"])
_number = st.builds("{}{}".format, _sign, st.text("0123456789.٣eE,_ ", min_size=1, max_size=30))


def _of(signs: str, least: int, most: int) -> st.SearchStrategy[str]:
    """Draw so many of these signs: `from_regex` would take several times as long to draw the same texts."""
    return st.text(signs, min_size=least, max_size=most)


_digits = "0123456789"
_mark = st.sampled_from("-/")
_offset = st.sampled_from(["", "Z", " AM", " PM"]) | st.builds(
    "{}{}".format, st.sampled_from("+-"), _of(_digits + ":", 2, 6)
)
_time = st.builds("{}{}:{}{}".format, st.sampled_from("T "), _of(_digits, 1, 3), _of(_digits + ":.", 1, 12), _offset)
_day = st.builds("{}{}{}{}{}{}".format, _sign, _of(_digits, 1, 7), _mark, _of(_digits, 1, 3), _mark, _of(_digits, 1, 7))
_around = st.just("") | _text
_date = st.builds("{}{}{}{}".format, _around, _day, st.just("") | _time, _around)
_address = st.emails() | st.builds("{}@{}".format, _text, _text)
_value = st.none() | _text | _number | _date | _address

FIELDS = ["FirstName", "unsubscribed", *(f"{kind}--Some--Field" for kind in CUSTOM_TYPES), 'string--"quoted"\\']
MAPPING = {"Email": "Email"} | dict(zip(FIELDS, FIELDS, strict=True))


def table(rows: list[dict[str, str | None]]) -> pl.DataFrame:
    """Make a batch as the reader gives it."""
    schema = dict.fromkeys(["CustomerId", "Email", *FIELDS], pl.String)
    return batch(pl.DataFrame(rows, schema=schema))


@settings(max_examples=150)
@given(
    st.lists(st.fixed_dictionaries(dict.fromkeys(["CustomerId", "Email", *FIELDS], _value)), min_size=1, max_size=5),
    st.booleans(),
)
def test_any_row_is_a_contact_or_has_a_reason(rows: list[dict[str, str | None]], clear_empty: bool) -> None:
    cleaned = clean(table(rows), recipe_for(MAPPING, clear_empty=clear_empty))
    assert cleaned.height == len(rows)
    for row in cleaned.iter_rows(named=True):
        assert (row["fields"] is None) is (row["reason"] in set(RowReason))
        if row["fields"] is not None:
            contact = json.loads(row["fields"])
            assert contact["Email"] == row["email"]
            assert set(contact) | set(contact.get("custom", {})) <= {*MAPPING, "custom"}


@given(st.lists(st.tuples(_value, _value), min_size=1, max_size=5))
def test_any_contact_survives_its_chunk(values: list[tuple[str | None, str | None]]) -> None:
    rows: list[dict[str, str | None]] = [
        {"CustomerId": customer, "Email": f"a{place}@example.com", "FirstName": name}
        for place, (customer, name) in enumerate(values)
    ]
    contacts = clean(table(rows), recipe_for({"Email": "Email", "FirstName": "FirstName"}))
    whole = contacts.select("customer", "fields").with_columns(
        person=pl.lit(1, pl.Int128), segment=pl.lit(0), contact_id=pl.lit(None, pl.String), content=pl.lit(1),
        upsert=pl.lit(value=True), add=pl.lit(1), remove=pl.lit(0),
    )  # fmt: skip
    cutter = Cutter()
    operations = [found for part in (*cutter.feed(lines(whole)), *cutter.rest()) for found in decode(part)]
    keys = normalised_keys(pl.Series([customer for customer, _ in values], dtype=pl.String))
    assert [operation.customer for operation in operations] == keys.to_list()
    assert [operation.fields for operation in operations] == [json.loads(text) for text in contacts["fields"]]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("12/31/99999", "five digits"),
        ("+262142-12-31", "six digits"),
        ("-0001-01-01", "before our era"),
        ("262144-01-01", "beyond any calendar"),
        ("99999999999999999999-01-01T00:00:00Z", "twenty digits"),
        ("2014-05-25T01:02:03+99:99", "an offset of days"),
        ("0000-00-00", "no day"),
        ("2014-02-30", "no day of that month"),
    ],
)
def test_a_date_that_no_calendar_has_is_none(text: str, why: str) -> None:
    assert dates(pl.Series([text]), "Born", Notations()).item() is None, why


@given(_date | _text)
def test_any_date_is_written_in_the_one_form_or_not_at_all(text: str) -> None:
    written = dates(pl.Series([text]), "Born", Notations()).item()
    assert written is None or re.fullmatch(r"[1-9]\d{3}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z", written)


@settings(max_examples=200)
@given(_address | _text)
@example("İ@example.com")
@example("\u212a@example.com")
@example("a@" + "ü" * 70_000 + ".com")
@example('"' + "\\a" * 70_000 + '"@example.com')
@example("a" * 70_000 + "@example.com")
def test_an_address_normalised_twice_is_the_same_person(text: str) -> None:
    address = normalise(text)
    assert address is None or normalise(address) == address
    assert normalised(pl.Series([text])).to_list() == [address]


@given(_text | st.text(st.sampled_from("'=+-@\t\r\n"), max_size=4))
def test_any_cell_comes_back_from_the_rejected_rows(text: str) -> None:
    assert unescape_formulas(escape_formulas(text)) == text
