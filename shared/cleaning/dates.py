"""Dates as systems write them, read to the one form that Autopilot was recorded with: `2016-11-22T00:00:00.000Z`.

ISO 8601 first, which most columns are; then days and months with slashes, dashes or dots, with or without a time. A
time with an offset becomes UTC; midnight with an offset is that day, since it stands for a day and not for a moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from operator import or_
from typing import Final

import polars as pl

from shared.cleaning.evidence import YEARS, marks_of_dates
from shared.cleaning.notation import Mark, Notation, Notations

_MOMENT: Final = pl.Datetime("ms")
_ISO: Final = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f")

_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_NAME: Final = (
    r"(?i:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
_WEEKDAY: Final = r"(?i:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?,? )?"

_FORM: Final = (
    r"^(?:(?<year>[0-9]{4})[-/.](?<month>[0-9]{1,2})[-/.](?<day>[0-9]{1,2})"
    r"|(?<one>[0-9]{1,2})(?<sign>[-/.])(?<two>[0-9]{1,2})[-/.](?<its_year>[0-9]{4})"
    r"|(?<packed>[0-9]{8})"
    rf"|{_WEEKDAY}(?<day_1>[0-9]{{1,2}})[-/ ](?<name_1>{_NAME})[-/ ](?<year_1>[0-9]{{4}})"
    rf"|{_WEEKDAY}(?<name_2>{_NAME}) {{1,2}}(?<day_2>[0-9]{{1,2}}),? (?<year_2>[0-9]{{4}})"
    rf"|(?<year_3>[0-9]{{4}})[-/ ](?<name_3>{_NAME})[-/ ](?<day_3>[0-9]{{1,2}}))"
    r"(?:(?:,?[T ]| T) ?(?<hour>[0-9]{1,2}):(?<minute>[0-9]{2})(?::(?<second>[0-9]{2})(?:[.,](?<fraction>[0-9]{1,9}))?)?"
    r" ?(?<half>(?i:[ap]\.?m\.?))?)?"
    r" ?(?:(?<utc>(?i:z|utc|gmt))|(?<ahead>[+-])(?<hours>[0-9]{2}):?(?<minutes>[0-9]{2})?)?$"
)
"""A date: its year first, numbers of which the column says which is the day, eight digits, or a month by its English name."""

_YEAR_FIRST: Final = "date that begins with its year"
_YEAR_AND_TWO: Final = r"^([0-9]{4})([-/.])([0-9]{1,2})[-/.]([0-9]{1,2})($|[^0-9])"
_PACKED: Final = r"^([0-9]{4})([0-9]{2})([0-9]{2})($|[^0-9])"

_MIDNIGHT: Final = r" (?:12:00(?::00)? (?i:am)|0?0:00(?::00)?)$"

_FIRST_YEAR: Final = 1000
_LAST_YEAR: Final = 9999

_NO_DATE: Final = r"^(?:0{4}[-/]0{1,2}[-/]0{1,2}|0{1,2}[-/.]0{1,2}[-/.]0{4}|0?1/0?1/0001|0001[-/]01[-/]01)(?:[T ].*)?$"
"""What systems write for "never": the first day of .NET's calendar, and MySQL's zero."""

WRITTEN: Final = "%Y-%m-%dT%H:%M:%S%.3fZ"


def is_no_date(texts: pl.Series) -> pl.Series:
    """Return which texts are dates that mean none."""
    return texts.str.contains(_NO_DATE).fill_null(value=False)


def dates(texts: pl.Series, column: str, notations: Notations) -> pl.Series:
    """Return each text as a date in the one form; null for one that is none, or can be read in two ways."""
    text = pl.col("text")
    table = _read(_month_next(texts) if notations.is_year_day_month(column) else texts)
    beginning = _beginning_with_years(table["iso"])
    if table["iso"].null_count() == texts.null_count():
        return written(_certain(table["iso"], notations.learn(column, _YEAR_FIRST, beginning)))
    by_day, by_month = pl.col("by_day"), pl.col("by_month")
    only_day = by_day.is_not_null() & by_month.is_null()
    only_month = by_month.is_not_null() & by_day.is_null()
    *shown, left = table.select(
        only_day.any().alias("day"),
        only_month.any().alias("month"),
        (by_day != by_month).any().alias("either"),
        pl.all_horizontal(pl.col("iso", "by_day", "by_month").is_null(), text.is_not_null()).any().alias("left"),
    ).row(0)
    marks = _marks_shown((Mark.DAY_FIRST, Mark.MONTH_FIRST, Mark.UNCERTAIN), shown)
    if not left:
        iso = _certain(table["iso"], notations.learn(column, _YEAR_FIRST, beginning))
        notation = notations.learn(column, "date", marks)
        return written(table.select(pl.coalesce(iso, _choice(by_day, by_month, notation))).to_series())
    places = (
        texts.is_not_null() & table.select(pl.all_horizontal(pl.exclude("text").is_null())).to_series()
    ).arg_true()
    others = table["text"].gather(places)
    parts = _parts(others)
    within = marks_of_dates(others.filter(parts["year"].is_null()))
    years = notations.learn(column, _YEAR_FIRST, beginning | _years_of(parts) | within & YEARS)
    notation = notations.learn(column, "date", marks | _marks_of(parts) | within & ~YEARS)
    notation = replace(notation, year_month_day=years.year_month_day)
    iso = _certain(table["iso"], years)
    found = table.select(pl.coalesce(iso, _choice(by_day, by_month, notation))).to_series()
    return written(found.scatter(places, _assembled(parts, notation)))


def _month_next(texts: pl.Series) -> pl.Series:
    """Return dates that are told to be written year, day, month, such as 1980-25-12, with the month next."""
    return texts.str.replace(_YEAR_AND_TWO, "${1}${2}${4}${2}${3}${5}").str.replace(_PACKED, "${1}${3}${2}${4}")


def _beginning_with_years(iso: pl.Series) -> Mark:
    """Return what dates show that begin with their year and are read with the month next."""
    if iso.null_count() == len(iso):
        return Mark.NOTHING
    latest = iso.dt.day().max()
    is_shown = isinstance(latest, int) and latest > 12
    return Mark.UNCERTAIN | Mark.YEAR_MONTH_DAY if is_shown else Mark.UNCERTAIN


def _certain(iso: pl.Series, notation: Notation) -> pl.Series:
    """Return dates that begin with their year; where the column shows the day next, only what reads so in either way."""
    if notation.year_month_day:
        return iso
    return pl.select(pl.when((iso.dt.day() > 12) | (iso.dt.day() == iso.dt.month())).then(iso)).to_series()


def _read(texts: pl.Series) -> pl.DataFrame:
    """Read texts as `iso`, `by_month` and `by_day`, null where one is no such date.

    Most columns are written in one way: what a sign that each way needs shows to be none is not tried.
    """
    text = pl.col("text")
    table = texts.alias("text").to_frame()
    dashed, slashed, timed = table.select(
        text.str.contains(sign, literal=True).any().alias(sign) for sign in "-/:"
    ).row(0)
    none = pl.lit(None, _MOMENT)
    read = table.select("text", (_iso(text.str.strip_suffix("Z")) if dashed else none).alias("iso"))
    if dashed and read.select((pl.col("iso").dt.year() < _FIRST_YEAR).any()).item():  # 25-12-10 is no year 25
        read = read.with_columns(pl.when(pl.col("iso").dt.year() >= _FIRST_YEAR).then("iso"))
    if not slashed or read["iso"].null_count() == texts.null_count():
        return read.with_columns(none.alias("by_month"), none.alias("by_day"))
    if timed:
        table = table.select(text.str.replace(_MIDNIGHT, ""))
    return read.hstack(
        table.select(_day_as(text, "%m/%d/%Y").alias("by_month"), _day_as(text, "%d/%m/%Y").alias("by_day"))
    )


def _iso(text: pl.Expr) -> pl.Expr:
    day, *moments = _ISO
    return pl.coalesce(
        _day_as(text, day), *(text.str.to_datetime(form, time_unit="ms", strict=False) for form in moments)
    )


def _day_as(text: pl.Expr, form: str) -> pl.Expr:
    return text.str.to_date(form, strict=False).cast(_MOMENT)


def written(moments: pl.Series) -> pl.Series:
    """Write moments in the one form; null for years that no field takes. Days alone are quicker to write."""
    days = moments.cast(pl.Date)
    form = pl.lit(moments).dt.strftime(WRITTEN)
    if (days.cast(_MOMENT) == moments).all():
        form = pl.concat_str(pl.lit(days).dt.strftime("%Y-%m-%d"), pl.lit("T00:00:00.000Z"))
    in_calendar = pl.lit(moments).dt.year().is_between(_FIRST_YEAR, _LAST_YEAR)
    return pl.select(pl.when(in_calendar).then(form)).to_series()


def _marks_shown(marks: Sequence[Mark], shown: Sequence[bool]) -> Mark:
    return reduce(or_, (mark for mark, seen in zip(marks, shown, strict=True) if seen), Mark.NOTHING)


def _choice(day: pl.Expr, month: pl.Expr, notation: Notation) -> pl.Expr:
    """Choose between two readings of a date: with its day first, or its month."""
    if notation.order is not None:
        chosen, other = (day, month) if notation.order == "day_first" else (month, day)
        return chosen if notation.strict else pl.coalesce(chosen, other)
    return pl.when(day.is_null() | month.is_null() | (day == month)).then(pl.coalesce(day, month))


def _parts(texts: pl.Series) -> pl.DataFrame:
    """Take dates apart: numbers by their names, null where a text has none or is no date."""
    groups = texts.alias("text").to_frame().select(pl.col("text").str.extract_groups(_FORM)).unnest("text")
    packed, name = pl.col("packed"), pl.coalesce("name_1", "name_2", "name_3").str.slice(0, 3).str.to_lowercase()
    numbers = [pl.col(name).cast(pl.Int32) for name in ("one", "two", "hour", "minute", "second", "hours", "minutes")]
    return groups.with_columns(
        *numbers,
        pl.coalesce("year", "its_year", packed.str.slice(0, 4), "year_1", "year_2", "year_3")
        .cast(pl.Int32)
        .alias("year"),
        pl.coalesce(pl.coalesce("month", packed.str.slice(4, 2)).cast(pl.Int32), _number_of(name)).alias("month"),
        pl.coalesce("day", packed.str.slice(6, 2), "day_1", "day_2", "day_3").cast(pl.Int32).alias("day"),
        name.is_not_null().alias("named"),
        pl.col("fraction").str.pad_end(3, "0").str.slice(0, 3).cast(pl.Int32).fill_null(0).alias("fraction"),
        pl.col("half").str.slice(0, 1).str.to_lowercase().alias("half"),
        (pl.col("sign") == ".").alias("dotted"),
    )


def _number_of(name: pl.Expr) -> pl.Expr:
    """Return which month a name is."""
    return name.replace_strict(_MONTHS, default=None, return_dtype=pl.Int32)


_ONLY_DAY: Final = pl.col("one").is_between(13, 31) & pl.col("two").is_between(1, 12)
_ONLY_MONTH: Final = pl.col("two").is_between(13, 31) & pl.col("one").is_between(1, 12)
_EITHER: Final = pl.col("one").is_between(1, 12) & pl.col("two").is_between(1, 12) & (pl.col("one") != pl.col("two"))


def _marks_of(parts: pl.DataFrame) -> Mark:
    """Return what dates show that were taken apart. Dots go with the day first, unless the column shows otherwise."""
    dotted = pl.col("dotted")
    shown = parts.select(
        (_ONLY_DAY & ~dotted).any().alias("day"),
        (_ONLY_MONTH & ~dotted).any().alias("month"),
        (_ONLY_MONTH & dotted).any().alias("dotted_month"),
        ((_ONLY_DAY | _EITHER) & dotted).any().alias("dotted"),
        _EITHER.any().alias("either"),
    ).row(0)
    marks = (Mark.DAY_FIRST, Mark.MONTH_FIRST, Mark.DOTTED_MONTH_FIRST, Mark.UNUSUAL, Mark.UNCERTAIN)
    return _marks_shown(marks, shown)


def _years_of(parts: pl.DataFrame) -> Mark:
    """Return what dates show that begin with their year, and were taken apart."""
    begins, middle, last = pl.col("one").is_null() & ~pl.col("named"), pl.col("month"), pl.col("day")
    shown = parts.select(
        (begins & middle.is_between(13, 31) & last.is_between(1, 12)).any().alias("day"),
        (begins & last.is_between(13, 31) & middle.is_between(1, 12)).any().alias("month"),
        (begins & pl.col("year").is_not_null()).any().alias("any"),
    ).row(0)
    return _marks_shown((Mark.YEAR_DAY_MONTH, Mark.YEAR_MONTH_DAY, Mark.UNCERTAIN), shown)


def _assembled(parts: pl.DataFrame, notation: Notation) -> pl.Series:
    """Put dates together again; null where there is no such day or time, or it is not certain which is meant."""
    one, two = pl.col("one"), pl.col("two")
    by_day, by_month = _day_of(one, two), _day_of(two, one)
    by_dots = by_day if notation.dotted else pl.when(_ONLY_DAY | (one == two)).then(by_day)
    if notation.strict:
        by_dots = _choice(by_day, by_month, notation)
    iso = _day_of(pl.col("day"), pl.col("month"))
    if not notation.year_month_day:
        iso = pl.when(pl.col("named") | (pl.col("day") > 12) | (pl.col("day") == pl.col("month"))).then(iso)
    whole = parts.with_columns(
        pl.when(one.is_null()).then(iso).when("dotted").then(by_dots).otherwise(_choice(by_day, by_month, notation))
        .alias("date")
    )  # fmt: skip
    hour = pl.col("hour")
    after_noon = pl.col("half") == "p"
    in_half = (
        pl.when(hour.is_between(1, 12))
        .then(hour % 12 + pl.when(after_noon).then(12).otherwise(0))
        .when(pl.when(after_noon).then(hour > 12).otherwise(hour == 0))  # told twice, by 24 hours as well
        .then(hour)
    )
    hour = pl.when(pl.col("half").is_not_null()).then(in_half).otherwise(hour)
    second = pl.col("second").fill_null(0)
    sound = hour.is_between(0, 23) & pl.col("minute").is_between(0, 59) & second.is_between(0, 59)
    past = ((hour * 60 + pl.col("minute")) * 60 + second).cast(pl.Int64) * 1000 + pl.col("fraction")
    away = (pl.col("hours") * 60 + pl.col("minutes").fill_null(0)).cast(pl.Int64) * 60_000
    offset = pl.when(pl.col("ahead") == "-").then(-away).otherwise(away).fill_null(0)
    is_offset = (pl.col("hours") <= 18) & (pl.col("minutes").fill_null(0) <= 59)
    moment = pl.when(pl.col("minute").is_null()).then(0).when(sound).then(past)
    shifted = pl.when(moment == 0).then(moment).otherwise(moment - offset)
    return whole.select(
        pl.when(pl.col("ahead").is_null() | is_offset).then(
            pl.col("date").cast(_MOMENT) + pl.duration(milliseconds=shifted, time_unit="ms")
        )
    ).to_series()


def _day_of(day: pl.Expr, month: pl.Expr) -> pl.Expr:
    """Return the day of the year in `year`, null if there is none."""
    text = pl.concat_str(pl.col("year").cast(pl.String), month.cast(pl.String), day.cast(pl.String), separator="-")
    return text.str.to_date("%Y-%m-%d", strict=False)
