"""Date formats that a model tells of a column: which comes first, the day or the month. No SDK."""

from __future__ import annotations

import re
from typing import Final, Literal

FormatOrder = Literal["day_first", "month_first", "year_day_month", "says_nothing", "not_understood"]
"""What a format says; `says_nothing` where it is understood and has its year first, or no day."""

_QUOTED: Final = re.compile(r"'[^']*'|\"[^\"]*\"|\[[^\]]*\]|\\.")
_TOKEN: Final = re.compile(r"%[-#^_]?(?P<code>[A-Za-z])|(?P<run>(?P<letter>[A-Za-z])(?P=letter)*)|['\"\\%\[\]]")
_CODES: Final = {
    "d": "day",
    "e": "day",
    "m": "month",
    "b": "month",
    "B": "month",
    "h": "month",
    "Y": "year",
    "y": "year",
}
_CODES_OF_TIME: Final = "aAHIMSfpzZ"
_DAY, _MONTH, _YEAR = ("d", "dd", "D", "DD"), ("M", "MM", "MMM", "MMMM"), ("y", "u", "Y")
_WEEKDAY: Final = ("ddd", "dddd", "E", "EE", "EEE", "EEEE")
_HOUR: Final = "HhKk"
_TIME: Final = re.compile(r"[HhKkmsSfF]+|t{1,2}|z+|Z{1,2}|[aAgTXx]")


def order_of(date_format: str) -> FormatOrder:
    """Return what a format such as `dd/MM/yyyy`, `DD/MM/YYYY` or `%d/%m/%Y` says of day and month."""
    parts = _parts(date_format)
    if parts is None or len(set(parts)) < len(parts):
        return "not_understood"
    if not {"day", "month"} <= set(parts):
        return "says_nothing"
    is_day_first = parts.index("day") < parts.index("month")
    if parts[0] == "year":
        return "year_day_month" if is_day_first else "says_nothing"
    return "day_first" if is_day_first else "month_first"


def _parts(date_format: str) -> list[str] | None:
    """Return the parts of a date in a format, in order; None if anything in it is not understood."""
    parts: list[str] = []
    tokens = list(_TOKEN.finditer(_QUOTED.sub(" ", date_format)))
    runs = [token["run"] or "" for token in tokens]
    has_month = any(run in _MONTH for run in runs)
    for place, token in enumerate(tokens):
        hours_before = any(run[:1] in _HOUR for run in runs[:place] if run)
        part = _part_of(token, month_in_small=not has_month and not hours_before)
        if part is None:
            return None
        if part:
            parts.append(part)
    return parts


def _part_of(token: re.Match[str], *, month_in_small: bool) -> str | None:
    """Return the part of a date that a token stands for, "" for a weekday or a time; None for one that is not known.

    `mm` are minutes, unless they stand where only a month can.
    """
    code, run = token["code"], token["run"]
    if code:
        return _CODES.get(code, "" if code in _CODES_OF_TIME else None)
    if not run:
        return None
    if run in _DAY:
        return "day"
    if run in _MONTH or (run in {"m", "mm"} and month_in_small):
        return "month"
    if run[0] in _YEAR:
        return "year"
    return "" if run in _WEEKDAY or _TIME.fullmatch(run) else None
