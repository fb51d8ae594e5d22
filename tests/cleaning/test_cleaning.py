"""From a segment's rows to contacts."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.cleaning.clean import Cleaned, Recipe, clean, clean_batch
from shared.cleaning.notation import Notations
from shared.destinations.ortto.mapping import FIELDS as ORTTO_FIELDS
from tests.cleaning.recipes import recipe_for
from tests.sources.batches import batch

MAPPING = {"Email": "Mail", "FirstName": "Given", "integer--Loyalty--Points": "Points"}


def rows(*values: tuple[str | None, str | None, str | None], malformed: bool = False) -> pl.DataFrame:
    table = pl.DataFrame(values, schema={"Mail": pl.String, "Given": pl.String, "Points": pl.String}, orient="row")
    return batch(table.with_columns(pl.format("c{}", pl.int_range(pl.len())).alias("CustomerId")), malformed=malformed)


def test_a_contact_holds_the_mapped_fields_trimmed_and_typed() -> None:
    contact = clean(rows((" Ann@Example.com ", ' "Ann" }', "12.0")), recipe_for(MAPPING)).row(0, named=True)
    assert contact["email"] == "ann@example.com"
    assert json.loads(contact["fields"]) == {
        "Email": "ann@example.com",
        "FirstName": '"Ann" }',
        "custom": {"integer--Loyalty--Points": 12},
    }


def test_an_empty_value_is_left_out_since_null_would_erase_autopilots() -> None:
    contact = clean(rows(("ann@example.com", "  ", None)), recipe_for(MAPPING)).row(0, named=True)
    assert json.loads(contact["fields"]) == {"Email": "ann@example.com"}


def test_an_empty_value_is_null_where_the_export_asks_to_clear() -> None:
    contact = clean(rows(("ann@example.com", "", None)), recipe_for(MAPPING, clear_empty=True)).row(0, named=True)
    assert json.loads(contact["fields"]) == {
        "Email": "ann@example.com",
        "FirstName": None,
        "custom": {"integer--Loyalty--Points": None},
    }


def test_a_row_that_cannot_be_delivered_says_why_and_which_fields() -> None:
    cleaned = clean(
        rows((None, "a", "1"), (" \u200b", "b", "1"), ("nobody", "c", "1"), ("d@example.com", "d", "many")),
        recipe_for({**MAPPING, "date--Born": "Given"}, on_bad_value="reject"),
    )
    assert cleaned.select("customer", "reason", "field").rows() == [
        ("c0", "email_missing", "Email"),
        ("c1", "email_missing", "Email"),
        ("c2", "email_invalid", "Email"),
        ("c3", "value_not_convertible", "date--Born, integer--Loyalty--Points"),
    ]
    assert cleaned["fields"].null_count() == 4


def test_a_row_with_a_bad_value_still_names_its_person() -> None:
    cleaned = clean(rows(("d@example.com", "d", "many")), recipe_for(MAPPING, on_bad_value="reject"))
    assert cleaned["email"].to_list() == ["d@example.com"]


def cleaned(table: pl.DataFrame, recipe: Recipe) -> Cleaned:
    return clean_batch(table, recipe, Notations())


def test_a_bad_value_is_left_out_and_each_one_is_named() -> None:
    mapping = {**MAPPING, "date--Born": "Given"}
    for clear_empty in (False, True):
        found = cleaned(
            rows(("ann@example.com", "1.2.64", "12 %"), ("nobody", "x", "x")),
            recipe_for(mapping, clear_empty=clear_empty),
        )
        assert json.loads(found.contacts["fields"][0]) == {"Email": "ann@example.com", "FirstName": "1.2.64"}
        assert found.omitted.select("customer", "field", "hint").rows() == [
            ("c0", "date--Born", "two_digit_year"),
            ("c0", "integer--Loyalty--Points", "percent"),
        ]


@pytest.mark.parametrize("text", ["N/A", "NULL", "-", "NaN", "null", "#N/A", "\\N"])
def test_a_text_that_means_no_value_is_none_and_is_counted_but_never_erases(text: str) -> None:
    for clear_empty in (False, True):
        recipe = recipe_for({"Email": "Mail", "date--Born": "Given", "float--Spent": "Points"}, clear_empty=clear_empty)
        found = cleaned(rows(("ann@example.com", text, text)), recipe)
        assert json.loads(found.contacts["fields"][0]) == {"Email": "ann@example.com"}
        assert found.placeholders == {"date--Born": 1, "float--Spent": 1}
        assert found.omitted.is_empty()


@pytest.mark.parametrize("text", ["N/A", "NULL", "\\N", "-", "none"])
def test_what_means_no_value_is_no_address_and_not_a_wrong_one(text: str) -> None:
    found = cleaned(rows(("ann@example.com", "Ann", "1"), (text, "Ben", "2")), recipe_for(MAPPING))
    assert found.contacts["reason"].to_list() == [None, "email_missing"]


def test_a_text_field_takes_null_as_it_is_since_it_may_be_a_name_but_counts_it() -> None:
    found = cleaned(rows(("ann@example.com", "Null", "1")), recipe_for(MAPPING))
    assert json.loads(found.contacts["fields"][0])["FirstName"] == "Null"
    assert found.placeholders == {"FirstName": 1}


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00", "1/1/0001 12:00:00 AM", "0000-00-00", "00/00/0000", "0001-01-01"]
)
def test_the_first_day_of_a_calendar_is_no_date(text: str) -> None:
    found = cleaned(rows(("ann@example.com", text, "1")), recipe_for({"Email": "Mail", "date--Visit": "Given"}))
    assert json.loads(found.contacts["fields"][0]) == {"Email": "ann@example.com"}
    assert found.placeholders == {"date--Visit": 1}


@pytest.mark.parametrize(
    ("text", "resubscribe", "sent"),
    [
        ("true", False, {"unsubscribed": True}),
        ("1.0", False, {"unsubscribed": True}),
        ("False", False, {}),
        ("No", False, {}),
        ("0", False, {}),
        ("", False, {}),
        ("False", True, {"unsubscribed": False}),
        ("true", True, {"unsubscribed": True}),
        ("", True, {}),
        ("N/A", True, {}),
    ],
)
@pytest.mark.parametrize("clear_empty", [False, True])
def test_a_permission_is_only_given_if_the_owner_says_so_and_never_by_an_empty_cell(
    text: str, resubscribe: bool, sent: dict[str, bool], clear_empty: bool
) -> None:
    recipe = recipe_for({"Email": "Mail", "unsubscribed": "Given"}, clear_empty=clear_empty, resubscribe=resubscribe)
    assert json.loads(clean(rows(("ann@example.com", text, "1")), recipe)["fields"][0]) == {
        "Email": "ann@example.com",
        **sent,
    }


@pytest.mark.parametrize("text", ["opted out", "X", "Unsubscribed", "perhaps"])
@pytest.mark.parametrize("settings", [{}, {"resubscribe": True}, {"clear_empty": True}, {"on_bad_value": "reject"}])
def test_a_permission_that_cannot_be_read_rejects_its_row_since_nobody_may_be_mailed_by_mistake(
    text: str, settings: dict[str, Any]
) -> None:
    recipe = recipe_for({"Email": "Mail", "unsubscribed": "Given", "integer--Points": "Points"}, **settings)
    found = cleaned(rows(("ann@example.com", text, "many"), ("ben@example.com", "no", "1")), recipe)
    bad = "integer--Points, unsubscribed" if "on_bad_value" in settings else "unsubscribed"
    assert found.contacts.select("email", "reason", "field", "hint").rows() == [
        ("ann@example.com", "value_not_convertible", bad, "flag" if "," not in bad else None),
        ("ben@example.com", None, None, None),
    ]
    assert found.contacts["fields"][0] is None
    assert found.omitted.is_empty()


def test_two_addresses_in_a_cell_are_rejected_with_their_own_advice() -> None:
    found = clean(rows(("ann@example.com; ben@example.com", "a", "1"), ("nobody", "a", "1")), recipe_for(MAPPING))
    assert found.select("reason", "hint").rows() == [("email_invalid", "several_addresses"), ("email_invalid", None)]


def test_a_malformed_row_names_nobody_whatever_it_holds() -> None:
    cleaned = clean(rows(("ann@example.com", "Ann", "1"), malformed=True), recipe_for(MAPPING))
    assert cleaned.select("email", "reason", "field").row(0) == (None, "row_malformed", None)


def test_a_malformed_row_shows_nothing_of_how_a_column_is_written() -> None:
    table = pl.concat([rows(("a@example.com", "05/01/1980", "1")), rows(("b", "25/12/1980", "1"), malformed=True)])
    assert "custom" not in json.loads(clean(table, recipe_for({"Email": "Mail", "date--Born": "Given"}))["fields"][0])


def test_only_mapped_columns_are_asked_for() -> None:
    assert recipe_for(MAPPING).columns == ["Mail", "Given", "Points"]


def test_a_field_may_come_from_a_column_of_any_name() -> None:
    table = rows(("ann@example.com", "Ann", "1")).rename({"Given": "reason"})
    cleaned = clean(table, recipe_for({"Email": "Mail", "FirstName": "reason", "string--row": "reason"}))
    assert json.loads(cleaned["fields"].item())["custom"] == {"string--row": "Ann"}


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_a_contact_is_the_same_text_whatever_stands_beside_it(name: str) -> None:
    """Its digest tells whether it changed, and a batch without anything to escape is composed in a quicker way."""
    alone = clean(rows(("ann@example.com", name, "1")), recipe_for(MAPPING))["fields"][0]
    beside = clean(rows(("ann@example.com", name, "1"), ("ben@example.com", 'a "quote"', "2")), recipe_for(MAPPING))
    assert alone == beside["fields"][0]


def test_texts_that_a_field_of_text_cannot_take_are_left_out_row_by_row() -> None:
    """No text is too long for Autopilot's fields; Ortto's are bounded, and no hint is known for them."""
    table = rows(*((f"p{n}@example.com", "x" * 256, "1") for n in range(3)))
    recipe = Recipe({"str::email": "Mail", "str::first": "Given"}, ORTTO_FIELDS)
    cleaned = clean_batch(table, recipe, Notations())
    assert cleaned.omitted.select("field", "hint").rows() == [("str::first", None)] * 3
