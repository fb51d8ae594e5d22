"""What a run's destination is called, for sentences about it."""

from __future__ import annotations

from shared.composition.app import App
from shared.delivery.destination import Destination
from shared.destinations.registry import DEFAULT
from shared.reasons.errors import ExportError
from shared.runs.run import Run


def destination_of_run(app: App, run: Run) -> Destination:
    """Return the kind of destination that a run's connection leads to; the default one where nobody can tell any more."""
    try:
        return app.destination(run.connection)
    except ExportError:
        return DEFAULT
