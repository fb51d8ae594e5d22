"""Date formats of a model, as people and systems write them."""

from __future__ import annotations

import pytest

from shared.sources.blob_export.date_format import order_of
from shared.sources.blob_export.tables import declared
from shared.sources.source import Declared


@pytest.mark.parametrize(
    ("date_format", "said"),
    [
        ("dd/MM/yyyy", "day_first"),
        ("d/M/yyyy HH:mm:ss", "day_first"),
        ("dd.MM.yyyy'T'HH:mm:ss.fffzzz", "day_first"),
        ("DD/MM/YYYY", "day_first"),
        ("dd/mm/yyyy", "day_first"),
        ("dd/mm/yyyy hh:mm tt", "day_first"),
        ("%d/%m/%Y", "day_first"),
        ("%d/%m/%Y %H:%M:%S", "day_first"),
        ("dd-MMM-yyyy", "day_first"),
        ("MM/dd/yyyy", "month_first"),
        ("%m/%d/%Y", "month_first"),
        ("dddd, MM/dd/yyyy", "month_first"),
        ("'d' MM/dd/yyyy", "month_first"),
        (r"\d MM/dd/yyyy", "month_first"),
        ("yyyy-MM-dd", "says_nothing"),
        ("yyyy-MM-ddTHH:mm:ssZ", "says_nothing"),
        ("MM/yyyy", "says_nothing"),
        ("HH:mm", "says_nothing"),
        ("yyyy-dd-MM", "year_day_month"),
        ("jj/MM/aaaa", "not_understood"),
        ("TT.MM.JJJJ", "not_understood"),
        ("dd/MM/dd", "not_understood"),
        ("dd/MM/yyyy'", "not_understood"),
        ("%d/%q/%Y", "not_understood"),
    ],
)
def test_a_format_says_which_comes_first(date_format: str, said: str) -> None:
    assert order_of(date_format) == said


@pytest.mark.parametrize("date_format", ["jj/MM/aaaa", "TT.MM.JJJJ"])
def test_where_a_format_is_not_understood_us_dates_are_not_assumed(date_format: str) -> None:
    assert declared("dateTime", date_format) == Declared()


def test_a_format_that_is_blank_says_no_more_than_none() -> None:
    assert declared("dateTime", " ") == declared("dateTime")


def test_a_day_between_year_and_month_is_told() -> None:
    assert declared("dateTime", "yyyy-dd-MM") == Declared(year_day_month=True)
