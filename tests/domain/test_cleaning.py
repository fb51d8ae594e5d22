"""From a segment's rows to contacts."""

from __future__ import annotations

import json

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.cleaning import MALFORMED, ROW, Recipe, clean

MAPPING = {"Email": "Mail", "FirstName": "Given", "integer--Loyalty--Points": "Points"}


def rows(*values: tuple[str | None, str | None, str | None], malformed: bool = False) -> pl.DataFrame:
    table = pl.DataFrame(values, schema={"Mail": pl.String, "Given": pl.String, "Points": pl.String}, orient="row")
    return table.with_row_index(ROW).with_columns(
        pl.lit(malformed).alias(MALFORMED), pl.format("c{}", ROW).alias("CustomerId")
    )


def test_a_contact_holds_the_mapped_fields_trimmed_and_typed() -> None:
    contact = clean(rows((" Ann@Example.com ", ' "Ann" }', "12.0")), Recipe(MAPPING)).row(0, named=True)
    assert contact["email"] == "ann@example.com"
    assert json.loads(contact["fields"]) == {
        "Email": "ann@example.com",
        "FirstName": '"Ann" }',
        "custom": {"integer--Loyalty--Points": 12},
    }


def test_an_empty_value_is_left_out_since_null_would_erase_autopilots() -> None:
    contact = clean(rows(("ann@example.com", "  ", None)), Recipe(MAPPING)).row(0, named=True)
    assert json.loads(contact["fields"]) == {"Email": "ann@example.com"}


def test_an_empty_value_is_null_where_the_export_asks_to_clear() -> None:
    contact = clean(rows(("ann@example.com", "", None)), Recipe(MAPPING, clear_empty=True)).row(0, named=True)
    assert json.loads(contact["fields"]) == {
        "Email": "ann@example.com",
        "FirstName": None,
        "custom": {"integer--Loyalty--Points": None},
    }


def test_a_row_that_cannot_be_delivered_says_why_and_which_field() -> None:
    cleaned = clean(
        rows((None, "a", "1"), ("  ", "b", "1"), ("nobody", "c", "1"), ("d@example.com", "d", "many")), Recipe(MAPPING)
    )
    assert cleaned.select("customer", "reason", "field").rows() == [
        ("c0", "email_missing", "Email"),
        ("c1", "email_missing", "Email"),
        ("c2", "email_invalid", "Email"),
        ("c3", "value_not_convertible", "integer--Loyalty--Points"),
    ]
    assert cleaned["fields"].null_count() == 4


def test_a_row_with_a_bad_value_still_names_its_person() -> None:
    assert clean(rows(("d@example.com", "d", "many")), Recipe(MAPPING))["email"].to_list() == ["d@example.com"]


def test_a_malformed_row_names_nobody_whatever_it_holds() -> None:
    cleaned = clean(rows(("ann@example.com", "Ann", "1"), malformed=True), Recipe(MAPPING))
    assert cleaned.select("email", "reason", "field").row(0) == (None, "row_malformed", None)


def test_only_mapped_columns_are_asked_for() -> None:
    assert Recipe(MAPPING).columns == ["CustomerId", "Mail", "Given", "Points"]


def test_a_field_may_come_from_a_column_of_any_name() -> None:
    table = rows(("ann@example.com", "Ann", "1")).rename({"Given": "reason"})
    cleaned = clean(table, Recipe({"Email": "Mail", "FirstName": "reason", "string--row": "reason"}))
    assert json.loads(cleaned["fields"].item())["custom"] == {"string--row": "Ann"}


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_a_contact_is_the_same_text_whatever_stands_beside_it(name: str) -> None:
    """Its digest tells whether it changed, and a batch without anything to escape is composed in a quicker way."""
    alone = clean(rows(("ann@example.com", name, "1")), Recipe(MAPPING))["fields"][0]
    beside = clean(rows(("ann@example.com", name, "1"), ("ben@example.com", 'a "quote"', "2")), Recipe(MAPPING))
    assert alone == beside["fields"][0]
