"""Faults of the app itself, as a log may hold them: what kind they are and where they were, and nothing of their texts.

Texts that others wrote hold what was at hand: pydantic's the input, Polars' the value, an SDK's the URL. What a function
lets through, the platform writes into its log with all the texts of the chain. So no function lets through what is not ours.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable
from functools import wraps
from typing import Final

from shared.reasons.errors import Ours

MOST_FRAMES: Final = 6
"""Calls that are named of where a fault was."""

MOST_FAULTS: Final = 20
"""Faults that are named of a group of them."""

_CODE: Final = re.compile(r"[0-9A-Za-z_.]{1,64}")


class AppFault(Exception):
    """A fault of the app: its text says what kind it was and where, and of what it was about only what the app itself wrote."""


def told(error: BaseException) -> str:
    """Return what a log may hold of an error: its kind, what a service answered, and where; its text only if that is ours."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(map(told, error.exceptions[:MOST_FAULTS]))
    parts = [type(error).__name__, *_answered(error), f"at {_place(error)}"]
    return f"{' '.join(parts)}{f': {error}' if isinstance(error, Ours) else ''}"


def without_texts[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """Have a function that the platform calls fail with an AppFault, which carries no other error and none of its text."""

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - whatever it is, the platform would write it into its log
            fault = AppFault(told(error))
        raise fault  # not where the error is at hand: it would go along as the fault's context

    return called


def _answered(error: BaseException) -> list[str]:
    """Return the status and the code of a service's answer, if the error is about one."""
    found = [str(getattr(error, name, None) or "") for name in ("status_code", "error_code")]
    return [code for code in found if _CODE.fullmatch(code)]


def _place(error: BaseException) -> str:
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)][-MOST_FRAMES:]
    return " < ".join(f"{frame.f_code.co_name}:{frame.f_lineno}" for frame in reversed(frames))
