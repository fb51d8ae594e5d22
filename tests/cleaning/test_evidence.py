"""What a column shows of how it is written, in values that cannot be read too: an ambiguous one beside them is not guessed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.cleaning.dates import dates
from shared.cleaning.notation import Notations
from shared.sources.source import Declared
from tests.cleaning.recipes import recipe_for
from tests.cleaning.tables import column, sent, values

US = {"V": Declared(usual_order="month_first")}
"""What is said of a column that the model calls dates."""

MAY, JANUARY = "1980-05-01T00:00:00.000Z", "1980-01-05T00:00:00.000Z"


def born(*cells: str, **settings: object) -> list[object]:
    """Return what is sent of a column of dates, and hold that the order of its rows tells nothing."""
    found = values(column(*cells, **settings), "date--Born")
    assert values(column(*reversed(cells), **settings), "date--Born") == found[::-1]
    return found


@pytest.mark.parametrize(
    "other",
    [
        "25/12/1980 14:00 CET",
        "25/12/1980 ca.",
        "25/12/1980 14.30",
        "25 / 12 / 1980",
        "Fri 25/12/1980",
        "(25/12/1980)",
        "05/01/1980 or 25/12/1980",
        "25-12-80",
    ],
)
def test_a_date_among_other_signs_shows_how_its_column_is_written(other: str) -> None:
    assert born("05/01/1980", other, declared=US) == [JANUARY, None]


@pytest.mark.parametrize("other", ["25.12.1980", "25.12.1980 ca.", "05.02.1980", "25-12-10"])
def test_a_date_that_is_not_written_as_its_source_does_leaves_the_others_in_doubt(other: str) -> None:
    assert born("05/01/1980", other, declared=US)[0] is None


def test_a_date_among_other_signs_that_contradicts_the_others_leaves_an_ambiguous_one_in_doubt() -> None:
    assert born("05/01/1980", "12/25/1980", "25/12/1980 ca.") == [None, "1980-12-25T00:00:00.000Z", None]


@pytest.mark.parametrize(
    "other", ["room 12/5", "room 25/12", "25", "1.25.12.1980.7", "call 555-25-12", "unknown", "12/25/1980", "12/25/80"]
)
def test_a_text_without_a_date_raises_no_doubt_and_one_in_us_format_neither(other: str) -> None:
    assert born("05/01/1980", other, declared=US)[0] == MAY


def test_a_date_with_dots_is_no_doubt_where_the_others_show_their_order() -> None:
    assert born("05/01/1980", "12/25/1980", "25.12.1980")[0] == MAY


@pytest.mark.parametrize(
    ("cells", "days"),
    [
        (["1980-05-01", "1980-25-12"], [None, None]),
        (["1980-05-01", "1980-25-12 ca."], [None, None]),
        (["1980/05/01", "1980-25-12"], [None, None]),
        (["1980-05-05", "1980-25-12"], ["1980-05-05", None]),
        (["1980-05-01", "1980-12-25", "1980-25-12"], ["1980-05-01", "1980-12-25", None]),
        (["1980-05-01", "never"], ["1980-05-01", None]),
    ],
)
def test_a_column_that_only_shows_the_day_between_year_and_month_is_not_read_by_iso(
    cells: list[str], days: list[str | None]
) -> None:
    assert born(*cells) == [day and f"{day}T00:00:00.000Z" for day in days]


@pytest.mark.parametrize("cell", ["1980-05-01", "1980/05/01", "1980-05-01 00:00", "1980-5-1", "19800501"])
def test_told_that_the_day_comes_between_year_and_month_it_is_read_so(cell: str) -> None:
    told = {"V": Declared(year_day_month=True)}
    assert born(cell, declared=told) == [JANUARY]
    assert born("1980-25-12", "1980-12-25", declared=told) == ["1980-12-25T00:00:00.000Z", None]


@pytest.mark.parametrize(
    ("here", "there", "other"),
    [
        (Declared(order="day_first"), Declared(order="month_first"), "12/25/1980"),
        (Declared(order="day_first"), Declared(usual_order="month_first"), "12/25/1980"),
        (Declared(order="day_first"), Declared(), "12/25/1980"),
        (Declared(order="month_first"), Declared(), "25/12/1980"),
    ],
)
def test_what_a_segment_is_told_is_not_overruled_by_another(here: Declared, there: Declared, other: str) -> None:
    right = JANUARY if here.order == "day_first" else MAY
    first = column("05/01/1980", name="A", declared={"V": here})
    second = column("03/03/1981", "07/08/1981", other, name="B", declared={"V": there})
    second = replace(second, rows=second.rows[1:])
    for tables in ([first, second], [second, first]):
        _, contacts = sent(tables, recipe_for({"Email": "Email", "date--Born": "V"}))
        assert contacts["p0@example.com"]["custom"]["date--Born"] == right


def test_segments_that_are_told_no_order_show_it_together_whatever_their_types() -> None:
    second = column("03/03/1980", "25/12/1980", name="B")
    tables = [column("05/01/1980", name="A", declared=US), replace(second, rows=second.rows[1:])]
    _, contacts = sent(tables, recipe_for({"Email": "Email", "date--Born": "V"}))
    assert contacts["p0@example.com"]["custom"]["date--Born"] == JANUARY


@pytest.mark.parametrize("other", ["12,50 €", "(12,50)", "12,5%", "1.234.567 €", "EUR 1.234,50", "1'234,50"])
@pytest.mark.parametrize("field", ["float--Spent", "integer--Points"])
def test_a_point_is_not_guessed_beside_a_number_whose_signs_mean_something_else(field: str, other: str) -> None:
    assert values(column("1.000", other), field) == [None, None]
    assert values(column(other, "1.000"), field) == [None, None]


@pytest.mark.parametrize("other", ["€ 1,5", "1,5 kg"])
@pytest.mark.parametrize("cell", ["1,234", "$1,234"])
def test_a_comma_is_not_guessed_beside_a_decimal_comma(cell: str, other: str) -> None:
    assert values(column(cell, other), "integer--Points") == [None, None]
    assert values(column(cell, cell, other), "float--Spent") == [None, None, None]


def test_a_whole_number_with_a_point_is_not_guessed_beside_one_that_parts_thousands() -> None:
    assert values(column("1.000", "2.500 €"), "integer--Points") == [None, None]


@pytest.mark.parametrize("other", ["many", "room 12/5", "3, 4", "1.234E7", "5", "v1.2.3", "12.50 kg", "10,20,30"])
def test_a_text_without_such_a_number_raises_no_doubt(other: str) -> None:
    assert values(column("1.000", "1,234", other), "integer--Points")[:2] == [1, 1234]
    assert values(column("1.234", "1,234", other), "float--Spent")[:2] == [1.234, 1234]


@given(st.dates(min_value=date(1000, 1, 1), max_value=date(9999, 1, 1)), st.sampled_from(["", " ca.", " 14:00 CET"]))
def test_a_day_beside_any_other_of_its_column_is_that_day_or_none(day: date, tail: str) -> None:
    """What is written day first is never read month first, whatever the source assumes of dates."""
    notations = Notations(None, US)
    cells = pl.Series([f"{day:%d/%m/%Y}", f"25/12/1980{tail}"])
    dates(cells, "V", notations)
    assert dates(cells, "V", notations)[0] in {f"{day.isoformat()}T00:00:00.000Z", None}
