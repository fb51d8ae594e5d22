"""How long a run is busy: what supervision must know to tell a slow run from one whose processes are dead.

A worker that reserves a window, or gives work back for a while, says until when the run may well be silent. Past that
time, and a grace, whatever has no outcome is put on the queue again; the host itself would hide a dead worker's
message for ten minutes.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from shared.accounts.accounts import AccountSlots
from shared.composition.app import App
from shared.delivery.pace import Window
from shared.runs.run import Run

BEAT: Final = 30.0
"""Seconds for which a heartbeat vouches for a run."""


LOOK: Final = 1.0
"""Seconds for which a worker that reserves again and again need not look whether its run goes on."""


class RunOver(Exception):
    """The run has ended while somebody still worked for it: what is not sent yet must not be sent any more."""


def keep_busy(app: App, export: str, run_id: str, seconds: float) -> Run:
    """Record that a run may be silent for `seconds` from now; return the run."""
    until = app.now() + timedelta(seconds=seconds)
    return app.ledger.change(export, run_id, lambda run: run.busy(until))


def is_stranded(app: App, run: Run) -> bool:
    """Return whether a run shows no life: nothing recorded, and nobody busy with it, for longer than the grace."""
    signs = [run.queued_at, run.progress_at, run.busy_until]
    return app.now() - max(sign for sign in signs if sign is not None) > app.settings.grace


class Heartbeat:
    """Notes every now and then that a long step of a run is still at work."""

    def __init__(self, app: App, run: Run) -> None:
        self._app = app
        self._run = run
        self._next = 0.0

    def __call__(self) -> None:
        """Note it, unless that was done just now."""
        now = self._app.clock.now()
        if now >= self._next:
            self._next = now + BEAT / 2
            keep_busy(self._app, self._run.export, self._run.id, BEAT)


class BusySlots:
    """An account's slots that say of each window how long it keeps its run busy.

    A worker that was paused may wake up after its run has ended without it. It finds its slots over and reserves anew;
    here it is stopped, before it would undo what a later run did.
    """

    def __init__(self, app: App, run: Run, slots: AccountSlots) -> None:
        self._app = app
        self._run = run
        self._slots = slots
        self._known = datetime.fromtimestamp(0, UTC)
        self._looked_at = 0.0

    def saw(self, run: Run) -> None:
        """Take it from a run that was read just now that it goes on, and until when it is known to be busy."""
        self._looked_at = self._app.clock.now()
        self._known = run.busy_until or self._known

    def reserve(self, slots: int, latest: float) -> Window:
        """Take the next free window, none after `latest`; raise RunOver."""
        window = self._slots.reserve(slots, latest)
        now = self._app.clock.now()
        if window.end < self._known.timestamp() and now - self._looked_at < LOOK:
            return window
        self._looked_at = now
        end = datetime.fromtimestamp(window.end, UTC)
        if window.slots and end > self._known:
            self._known = end + self._app.settings.grace / 2
            seconds = (self._known - self._app.now()).total_seconds()
            run = keep_busy(self._app, self._run.export, self._run.id, seconds)
        else:
            run = self._app.ledger.run(self._run.export, self._run.id)
        if run.status.is_final:
            raise RunOver
        return window

    def throttled(self, retry_after: float | None) -> None:
        """Tell every instance that the destination asked to slow down."""
        self._slots.throttled(retry_after)
