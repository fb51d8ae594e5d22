"""NCRONTAB: the schedules of timer triggers, in UTC.

Six fields, seconds first; five mean second 0. Unlike in Debian's cron a day must fit day of month AND day of week,
Sunday is 0 only, and there is no `L`, `W` or `#` (source: atifaziz/NCrontab, which the real host uses).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

_MONTHS: Final = tuple(
    "JANUARY FEBRUARY MARCH APRIL MAY JUNE JULY AUGUST SEPTEMBER OCTOBER NOVEMBER DECEMBER".split()
)
_WEEKDAYS: Final = tuple("SUNDAY MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY".split())
_SHORTEST_NAME: Final = 3
_MOST_DAYS: Final = 366 * 41
"""29 February falls on a given weekday at least once in 40 years."""


@dataclass(frozen=True, slots=True)
class _Kind:
    name: str
    first: int
    last: int
    names: tuple[str, ...] = ()


_KINDS: Final = (
    _Kind("second", 0, 59),
    _Kind("minute", 0, 59),
    _Kind("hour", 0, 23),
    _Kind("day of month", 1, 31),
    _Kind("month", 1, 12, _MONTHS),
    _Kind("day of week", 0, 6, _WEEKDAYS),
)


class ScheduleInvalid(ValueError):
    """An expression that is not NCRONTAB, or that never occurs."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The values that fit, a set for each field."""

    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    @classmethod
    def parse(cls, expression: str) -> Schedule:
        """Read an expression; raises ScheduleInvalid."""
        fields = expression.split()
        if len(fields) == len(_KINDS) - 1:
            fields.insert(0, "0")
        if len(fields) != len(_KINDS):
            raise ScheduleInvalid(f"'{expression}' is no schedule: NCRONTAB has six fields, seconds first")
        try:
            schedule = cls(*(frozenset(_values(kind, text)) for kind, text in zip(_KINDS, fields, strict=True)))
        except ValueError as error:
            raise ScheduleInvalid(f"'{expression}' is no schedule: {error}") from None
        schedule.next_after(datetime.min)  # noqa: DTZ901 - any start does
        return schedule

    def next_after(self, moment: datetime) -> datetime:
        """Give the first occurrence later than `moment`; raises ScheduleInvalid if there is none."""
        earliest = moment.replace(microsecond=0) + timedelta(seconds=1)
        day = earliest.date()
        for _ in range(_MOST_DAYS):
            if day.month in self.months and day.day in self.days and day.isoweekday() % 7 in self.weekdays:
                start = earliest.time() if day == earliest.date() else time.min
                found = self._first_time(start)
                if found is not None:
                    return datetime.combine(day, found, moment.tzinfo)
            day += timedelta(days=1)
        raise ScheduleInvalid("the schedule never occurs")

    def _first_time(self, earliest: time) -> time | None:
        """Give the first time of day from `earliest` on."""
        for hour in sorted(self.hours):
            if hour < earliest.hour:
                continue
            for minute in sorted(self.minutes):
                if (hour, minute) < (earliest.hour, earliest.minute):
                    continue
                for second in sorted(self.seconds):
                    if (hour, minute, second) >= (earliest.hour, earliest.minute, earliest.second):
                        return time(hour, minute, second)
        return None


def _values(kind: _Kind, text: str) -> Iterator[int]:
    for term in text.split(","):
        span, stepped, step = term.partition("/")
        first, ranged, last = span.partition("-")
        if span == "*":
            low, high = kind.first, kind.last
        else:
            low = _value(kind, first)
            high = _value(kind, last) if ranged else kind.last if stepped else low
        if high < low:
            raise ValueError(f"{kind.name} '{term}' runs backwards")
        yield from range(low, high + 1, _step(kind, step) if stepped else 1)


def _step(kind: _Kind, text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text)):
        raise ValueError(f"{kind.name} has the step '{text}'")
    return int(text)


def _value(kind: _Kind, text: str) -> int:
    if text.isascii() and text.isdigit() and kind.first <= int(text) <= kind.last:
        return int(text)
    for number, name in enumerate(kind.names, start=kind.first):
        if len(text) >= _SHORTEST_NAME and name.startswith(text.upper()):
            return number
    raise ValueError(f"{kind.name} cannot be '{text}'")
