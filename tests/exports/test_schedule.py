"""Schedules: cron in a time zone, daylight saving, and what was missed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.exports.schedule import check_cron, is_due

BERLIN = "Europe/Berlin"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "now", "due"),
    [
        ("2026-01-10T05:00", "2026-01-10T05:29", False),  # 06:30 in Berlin is 05:30 UTC in winter
        ("2026-01-10T05:00", "2026-01-10T05:30", True),
        ("2026-07-10T04:00", "2026-07-10T04:29", False),  # and 04:30 UTC in summer
        ("2026-07-10T04:00", "2026-07-10T04:30", True),
        ("2026-01-10T05:30", "2026-01-11T05:29", False),
        ("2026-01-10T05:30", "2026-01-15T12:00", True),  # days that were missed are due once
    ],
)
def test_a_time_of_day_follows_the_zone(since: str, now: str, due: bool) -> None:
    assert is_due("30 6 * * *", BERLIN, at(since), at(now)) is due


def test_a_time_that_daylight_saving_skips_is_due_all_the_same() -> None:
    # 2026-03-29, 02:30 does not exist in Berlin
    assert is_due("30 2 * * *", BERLIN, at("2026-03-29T00:00"), at("2026-03-29T02:00"))


def test_a_time_that_daylight_saving_doubles_is_due_once() -> None:
    # 2026-10-25, 02:30 comes twice in Berlin: at 00:30 and at 01:30 UTC
    first = is_due("30 2 * * *", BERLIN, at("2026-10-25T00:00"), at("2026-10-25T00:31"))
    second = is_due("30 2 * * *", BERLIN, at("2026-10-25T00:31"), at("2026-10-25T02:00"))
    assert (first, second) == (True, False)


@pytest.mark.parametrize("expression", ["* * * *", "* * * * * *", "61 * * * *", "nonsense", "* * 31 2 8"])
def test_what_is_no_five_field_cron_is_refused(expression: str) -> None:
    with pytest.raises(ValueError):
        check_cron(expression)
