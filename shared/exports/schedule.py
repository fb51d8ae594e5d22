"""When a scheduled export is due: five-field cron in a time zone, daylight saving by cronsim (as Debian's cron does it)."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError


def check_cron(expression: str) -> str:
    """Return the expression; raise ValueError if it is not one with five fields."""
    if len(expression.split()) != 5:
        raise ValueError("needs five fields: minute, hour, day of month, month, day of week")
    try:
        CronSim(expression, datetime(2026, 1, 1))  # noqa: DTZ001 - only parsed
    except CronSimError as error:
        raise ValueError(f"is not a cron expression: {error}") from None
    return expression


def is_due(expression: str, time_zone: str, since: datetime, now: datetime) -> bool:
    """Return whether an occurrence lies after `since` and not after `now`; several that were missed count as one."""
    try:
        return next(CronSim(expression, since.astimezone(ZoneInfo(time_zone)))) <= now
    except StopIteration:
        return False


def next_time(expression: str, time_zone: str, now: datetime) -> datetime | None:
    """Return the next moment after `now` at which a schedule is due, in UTC; None if there is none any more."""
    try:
        return next(CronSim(expression, now.astimezone(ZoneInfo(time_zone)))).astimezone(UTC)
    except StopIteration:
        return None
