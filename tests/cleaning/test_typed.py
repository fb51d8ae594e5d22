"""Values that a source types itself make the contact that their plain text makes."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.cleaning.clean import clean
from shared.destinations.autopilot.fields import CUSTOM_TYPES
from tests.cleaning.recipes import recipe_for
from tests.sources.batches import batch

FIELDS = {f"{kind}--Field": "V" for kind in CUSTOM_TYPES}


def sent(values: pl.Series, mapping: dict[str, str] | None = None, **more: Any) -> list[dict[str, Any]]:
    """Return the custom fields of a contact for each value of one column."""
    table = pl.DataFrame({"Email": [f"p{n}@example.com" for n in range(len(values))], "V": values})
    found = clean(batch(table), recipe_for({"Email": "Email", **(mapping or FIELDS)}, **more))
    return [json.loads(fields).get("custom", {}) for fields in found["fields"]]


_numbers = st.integers(-(2**63), 2**63 - 1) | st.integers(-(2**53) - 2, 2**53 + 2) | st.sampled_from([0, 1, 2**53])


@given(st.lists(st.none() | _numbers, min_size=1, max_size=5))
def test_whole_numbers_are_taken_as_their_digits_are(numbers: list[int | None]) -> None:
    texts = [None if number is None else str(number) for number in numbers]
    # Eight digits may be a date as text; and what a text says beyond 15 digits is noise, an integer's digits are not.
    long = any(number is not None and abs(number) >= 10**15 for number in numbers)
    fields = {f"{kind}--Field": "V" for kind in CUSTOM_TYPES if kind != "date" and not (kind == "float" and long)}
    assert sent(pl.Series(numbers, dtype=pl.Int64), fields) == sent(pl.Series(texts, dtype=pl.String), fields)


@given(st.lists(st.none() | st.floats(-1e12, 1e12).map(lambda number: round(number, 4) + 0.0), min_size=1, max_size=5))
def test_decimals_are_taken_as_their_text_is(numbers: list[float | None]) -> None:
    texts = [None if number is None else f"{number:.4f}".rstrip("0").rstrip(".") for number in numbers]
    fields = {f"{kind}--Field": "V" for kind in ("integer", "float", "boolean")}
    typed, read = sent(pl.Series(numbers, dtype=pl.Float64), fields), sent(pl.Series(texts, dtype=pl.String), fields)
    assert typed == read


@pytest.mark.parametrize("kind", [pl.Int8, pl.UInt16, pl.UInt64, pl.Float32])
def test_numbers_of_any_width_are_numbers(kind: type[pl.DataType]) -> None:
    assert sent(pl.Series([1, 7, None], dtype=kind), {"integer--Field": "V", "string--Field": "V"}) == [
        {"integer--Field": 1, "string--Field": "1"},
        {"integer--Field": 7, "string--Field": "7"},
        {},
    ]


def test_flags_are_flags_and_no_numbers() -> None:
    true, false, none = sent(pl.Series([True, False, None]))
    assert true == {"boolean--Field": True, "string--Field": "true"}
    assert false == {"boolean--Field": False, "string--Field": "false"}
    assert none == {}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (date(2016, 11, 22), "2016-11-22T00:00:00.000Z"),
        (
            datetime(2016, 11, 22, 10, 30, 1, 250_000),  # noqa: DTZ001 - a moment without a zone
            "2016-11-22T10:30:01.250Z",
        ),
        (datetime(2016, 11, 22, 10, 30, tzinfo=UTC), "2016-11-22T10:30:00.000Z"),
        (datetime(2016, 11, 22, 10, 30, tzinfo=ZoneInfo("Europe/Vienna")), "2016-11-22T09:30:00.000Z"),
        (datetime(2016, 11, 22, tzinfo=ZoneInfo("Europe/Vienna")), "2016-11-22T00:00:00.000Z"),
        (date(999, 12, 31), None),
    ],
)
def test_a_date_is_a_day_and_a_moment_becomes_utc(value: date, written: str | None) -> None:
    (found,) = sent(pl.Series([value]), {"date--Field": "V"})
    assert found == ({} if written is None else {"date--Field": written})


def test_a_date_is_no_number_and_no_flag() -> None:
    (found,) = sent(pl.Series([date(2016, 11, 22)]))
    assert found == {"date--Field": "2016-11-22T00:00:00.000Z", "string--Field": "2016-11-22"}


def test_what_is_no_number_is_no_value_and_erases_only_where_it_is_asked_to() -> None:
    values = pl.Series([float("nan"), 1.5])
    assert sent(values, {"float--Field": "V"}) == [{}, {"float--Field": 1.5}]
    assert sent(values, {"float--Field": "V"}, clear_empty=True) == [{"float--Field": None}, {"float--Field": 1.5}]


def test_a_value_that_its_field_cannot_take_costs_the_value_or_the_contact() -> None:
    table = pl.DataFrame({"Email": ["a@example.com", "b@example.com"], "V": [1.5, 2.0]})
    mapping = {"Email": "Email", "integer--Field": "V"}
    found = clean(batch(table), recipe_for(mapping, on_bad_value="reject"))
    assert found["reason"].to_list() == ["value_not_convertible", None]
    assert found["hint"].to_list() == ["fraction", None]
    assert clean(batch(table), recipe_for(mapping))["reason"].to_list() == [None, None]


def test_a_permission_that_is_typed_is_taken_back_and_given_back_only_where_it_is_asked_to() -> None:
    table = pl.DataFrame({"Email": ["a@example.com", "b@example.com"], "V": [True, False]})
    mapping = {"Email": "Email", "unsubscribed": "V"}
    fields = [json.loads(text) for text in clean(batch(table), recipe_for(mapping))["fields"]]
    assert [row.get("unsubscribed") for row in fields] == [True, None]
    fields = [json.loads(text) for text in clean(batch(table), recipe_for(mapping, resubscribe=True))["fields"]]
    assert [row.get("unsubscribed") for row in fields] == [True, False]


def test_a_moment_with_a_fixed_offset_is_that_moment() -> None:
    zone = timezone(timedelta(hours=2))
    moments = pl.Series([datetime(2016, 11, 22, 1, 0, tzinfo=zone)])
    assert sent(moments, {"date--Field": "V"}) == [{"date--Field": "2016-11-21T23:00:00.000Z"}]
