"""The errors of the product, each with its reason: what ends the work, what may pass, and what is tried again later."""

from __future__ import annotations

from shared.reasons.codes import Reason, WaitsFor


class Ours:
    """An error whose text the app wrote itself: it names settings and things of the configuration, and may stand in a log."""


class ExportError(Ours, Exception):
    """A run cannot go on. Carries the reason, and a detail that names things of the configuration, never a person's data."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(detail or reason.advice)
        self.reason = reason
        self.detail = detail

    @property
    def may_pass(self) -> bool:
        """Whether what stands in the way may pass by itself, so that a run waits for it before it ends so."""
        return self.reason is Reason.SOURCE_NOT_SETTLED


class Transient(ExportError):
    """As ExportError, but for a fault that services have for a while: no answer, an outage, throttling, no token."""

    @property
    def may_pass(self) -> bool:
        """Whether it may pass: it may."""
        return True


class TryLater(Ours, Exception):
    """The work cannot go on now; whoever holds it gives it back for a while. Waiting is not failing.

    A wait that users are to know of says what it `waits_for`, and for how many seconds it may last, if longer.
    """

    def __init__(
        self, seconds: float, why: str, *, waits_for: WaitsFor | None = None, lasts: float | None = None
    ) -> None:
        super().__init__(why)
        self.seconds = seconds
        self.why = why
        self.waits_for = waits_for
        self.lasts = seconds if lasts is None else lasts
