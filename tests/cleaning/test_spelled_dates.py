"""Dates that name their month, or begin with their year: they have one meaning, and show nothing of any other date."""

from __future__ import annotations

import pytest

from tests.cleaning.tables import column, values


@pytest.mark.parametrize(
    "text",
    [
        "25-May-1984",
        "25/MAY/1984",
        "25 May 1984",
        "1984-May-25",
        "May 25 1984 12:00AM",
        "May 25, 1984",
        "Friday, May 25, 1984 12:00:00 AM",
        "Fri, 25 May 1984 00:00:00 GMT",
        "5/25/1984, 12:00:00 AM",
        "1984.05.25",
        "1984.5.25 00:00",
    ],
)
def test_a_date_that_anybody_reads_is_read(text: str) -> None:
    assert values(column(text), "date--Born") == ["1984-05-25T00:00:00.000Z"]


@pytest.mark.parametrize(
    "text",
    ["25-May-84", "May 1984", "25 May", "31 Feb 1984", "32 May 1984", "25 Mai 1984", "Mayor 25 1984", "01-Jan-0001"],
)
def test_what_is_no_day_of_a_year_is_left_out(text: str) -> None:
    assert values(column(text), "date--Born") == [None]


def test_a_month_by_its_name_shows_nothing_of_other_dates() -> None:
    assert values(column("05/01/1980", "15-Feb-1980"), "date--Born") == [None, "1980-02-15T00:00:00.000Z"]
    cells = ("1980-05-01", "1980-25-12", "15-Feb-1980", "5-Feb-1980")
    found = [None, None, "1980-02-15T00:00:00.000Z", "1980-02-05T00:00:00.000Z"]
    assert values(column(*cells), "date--Born") == found


def test_a_year_before_dots_is_as_one_before_dashes() -> None:
    assert values(column("1980.05.01", "1980.25.12"), "date--Born") == [None, None]
    assert values(column("1980.05.01", "1980.12.25"), "date--Born")[0] == "1980-05-01T00:00:00.000Z"
