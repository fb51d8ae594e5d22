"""Waiting for Autopilot to come back: longer each time, and not for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from shared.app import App
from shared.reasons import Reason, TryLater, WaitsFor
from shared.run import Run

_FIRST: Final = 5.0
_LONGEST: Final = 60.0


def note_outage(app: App, run: Run) -> float | None:
    """Note that Autopilot does not answer; gives the seconds to wait, or None if it has been away for too long."""
    now = app.now()

    def noted(run: Run) -> Run:
        return run if run.unreachable_since else run.model_copy(update={"unreachable_since": now})

    since = app.ledger.change(run.export, run.id, noted).unreachable_since or now
    away = now - since
    if away > timedelta(minutes=app.settings.outage_minutes):
        return None
    return min(_LONGEST, max(_FIRST, away.total_seconds() / 2))


def wait(app: App, run: Run, reason: Reason) -> Reason:
    """Raise TryLater for a while; gives `reason` back, as why the run shall stop, once this has gone on for too long."""
    seconds = note_outage(app, run)
    if seconds is None:
        return reason
    waits_for = WaitsFor.KEY_VAULT if reason is Reason.KEY_MISSING else WaitsFor.AUTOPILOT
    raise TryLater(seconds, f"waiting: {reason}", waits_for=waits_for)
