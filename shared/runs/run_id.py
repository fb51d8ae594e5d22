"""A run's id: the moment it was started, and four letters against a clash."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Final

LATEST: Final = 10**10
"""Seconds since 1970 before which every run is started: ids sort as texts until then."""


def moment_of(run_id: str) -> datetime | None:
    """Return when a run with this id was started, to the millisecond; None for what is no run's id, such as of another age."""
    try:
        moment = datetime.strptime(run_id.partition("-")[0], "%Y%m%dt%H%M%S%f").replace(tzinfo=UTC)
    except ValueError:
        return None
    return moment if 0 <= moment.timestamp() < LATEST else None


def new_run_id(now: datetime) -> str:
    """Make a run's id: its time, to the millisecond, and four letters against a clash."""
    moment = now.astimezone(UTC)
    return f"{moment:%Y%m%dt%H%M%S}{moment.microsecond // 1000:03d}-{secrets.token_hex(2)}"
