"""How long a run is busy: what supervision must know to tell a slow run from one whose processes are dead.

A worker that reserves a window, or gives work back for a while, says until when the run may well be silent. Past that
time, and a grace, whatever has no outcome is put on the queue again; the host itself would hide a dead worker's
message for ten minutes.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from shared.accounts import AccountSlots
from shared.app import App
from shared.domain.pace import Window
from shared.run import Run

GRACE: Final = timedelta(seconds=45)
"""How long after its window a chunk's outcome may take: the slowest answer seen, and the recording."""

BEAT: Final = 30.0
"""Seconds for which a heartbeat vouches for a run."""


def busy_until(app: App, export: str, run_id: str, seconds: float) -> None:
    """Say that a run may be silent for `seconds` from now."""
    until = app.now() + timedelta(seconds=seconds)

    def busy(run: Run) -> Run:
        known = run.busy_until
        return run if known is not None and known >= until else run.model_copy(update={"busy_until": until})

    app.ledger.change(export, run_id, busy)


def is_stranded(run: Run, now: datetime) -> bool:
    """Say whether a run shows no life: nothing recorded, and nobody busy with it, for longer than the grace."""
    signs = [run.queued_at, run.progress_at, run.busy_until]
    return now - max(sign for sign in signs if sign is not None) > GRACE


class Heartbeat:
    """Says every now and then that a long step of a run is still at work."""

    def __init__(self, app: App, run: Run) -> None:
        self._app = app
        self._run = run
        self._next = 0.0

    def __call__(self) -> None:
        """Say so, if it was not said just now."""
        now = self._app.clock.now()
        if now >= self._next:
            self._next = now + BEAT / 2
            busy_until(self._app, self._run.export, self._run.id, BEAT)


class BusySlots:
    """An account's slots that say of each window how long it keeps its run busy."""

    def __init__(self, app: App, run: Run, slots: AccountSlots) -> None:
        self._app = app
        self._run = run
        self._slots = slots
        self._known = datetime.fromtimestamp(0, UTC)

    def reserve(self, slots: int) -> Window:
        """Take the next free window."""
        window = self._slots.reserve(slots)
        end = datetime.fromtimestamp(window.end, UTC)
        if end > self._known:
            self._known = end + GRACE / 2
            busy_until(self._app, self._run.export, self._run.id, (self._known - self._app.now()).total_seconds())
        return window

    def throttled(self, retry_after: float | None) -> None:
        """Tell everybody that Autopilot answered 429."""
        self._slots.throttled(retry_after)
