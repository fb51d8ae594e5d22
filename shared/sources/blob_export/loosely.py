"""JSON that a strict reader refuses as a whole for something in it that nobody asks for: read so that only that is odd.

Half of a surrogate pair becomes U+FFFD, a number of hundreds of digits infinite, and what is nested deeper than anything
that is read becomes null.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final

from pydantic import BaseModel, ValidationError

DEEPEST: Final = 50
"""Levels of nesting that are kept; what is read of a model has eight."""

LONGEST_NUMBER: Final = 300
"""Digits of a whole number that is kept."""


def read[T: BaseModel](kind: type[T], text: bytes) -> T:
    """Read JSON as a value of `kind`, loosely if that must be; raise the strict reader's ValidationError."""
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        try:
            return kind.model_validate(_read_loosely(text))
        except ValueError:
            raise error from None


def _read_loosely(text: bytes) -> Any:
    """Return what JSON in UTF-8 holds; raise ValueError for what is none."""
    try:
        return _kept(json.loads(text.decode(), parse_int=_number), DEEPEST)
    except RecursionError:
        raise ValueError("nested without end") from None


def _number(digits: str) -> float:
    return int(digits) if len(digits) <= LONGEST_NUMBER else math.inf


def _kept(value: Any, levels: int) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if levels == 0:
        return None if isinstance(value, list | dict) else value
    if isinstance(value, list):
        return [_kept(item, levels - 1) for item in value]
    if isinstance(value, dict):
        return {_kept(name, levels - 1): _kept(item, levels - 1) for name, item in value.items()}
    return value
