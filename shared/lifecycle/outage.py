"""Waiting for what does not answer to come back: longer each time, and not for ever."""

from __future__ import annotations

from datetime import timedelta

from shared.composition.app import App
from shared.lifecycle.destination import destination_of_run
from shared.reasons.codes import Reason, WaitsFor
from shared.reasons.errors import ExportError, TryLater
from shared.retry.policy import OUTAGE
from shared.runs.run import Run


def note_outage(app: App, run: Run, detail: str) -> float | None:
    """Note what the run waits for; return the seconds to wait, or None if it has been away for too long."""
    now = app.now()
    noted = app.ledger.change(run.export, run.id, lambda run: run.unreachable(now, detail))
    since = noted.unreachable_since or now
    away = now - since
    if away > timedelta(minutes=app.settings.outage_minutes):
        return None
    return OUTAGE.pause_after(away.total_seconds())


def wait(app: App, run: Run, reason: Reason) -> Reason:
    """Raise TryLater until the outage exceeds OUTAGE_MINUTES, then return the reason to stop with."""
    seconds = note_outage(app, run, _waiting(app, run, reason))
    if seconds is None:
        return reason
    waits_for = WaitsFor.KEY_VAULT if reason is Reason.KEY_MISSING else WaitsFor.AUTOPILOT
    raise TryLater(seconds, f"waiting: {reason}", waits_for=waits_for)


def _waiting(app: App, run: Run, reason: Reason) -> str:
    """Return what a run waits for, in the words of its destination."""
    if reason is Reason.AUTOPILOT_UNAVAILABLE:
        return f"Waiting until {destination_of_run(app, run).title} answers."
    return "Waiting until Key Vault answers." if reason is Reason.KEY_MISSING else f"Waiting: {reason}."


def wait_or_end(app: App, run: Run, end: ExportError) -> ExportError:
    """Raise TryLater while what stands in a run's way may pass; return `end` if it may not, or lasts too long."""
    if not end.may_pass:
        return end
    why = end.detail or end.reason.advice
    settling = end.reason is Reason.SOURCE_NOT_SETTLED
    waiting = "Waiting until Customer Insights has finished writing." if settling else "Waiting."
    seconds = note_outage(app, run, f"{waiting} {why}")
    if seconds is None:
        return end
    waits_for = WaitsFor.KEY_VAULT if end.reason is Reason.KEY_MISSING else WaitsFor.SOURCE
    raise TryLater(seconds, why, waits_for=waits_for)
