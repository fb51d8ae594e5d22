"""Sweep: what lies about and is nobody's goes, by name, whoever left it there and whether its export still exists.

A process can die between any two writes. What it leaves is not hunted for where it died: whatever is not the active
run's, and no state that the head names, is deleted at each run's end and at each tick.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from shared.azure.storage import Container
from shared.composition.app import App
from shared.runs.files import state_path
from shared.runs.head import Head, RunInProgress

log = logging.getLogger(__name__)

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")

_OF_RUNS: Final = (Container.CHUNKS, Container.OUTCOMES)
_OF_EXPORTS: Final = (*_OF_RUNS, Container.STATE, Container.REPORTS, Container.REJECTED)


def owners(app: App) -> list[str]:
    """Return the names of all exports that anything is stored of, those that were deleted too."""
    found = {*app.registry.exports(), *app.ledger.exports()}
    for container in _OF_EXPORTS:
        found.update(app.storage.folders(container))
    return sorted(name for name in found if _NAME.fullmatch(name))


def disown(app: App, export: str) -> None:
    """Forget the state of an export that is gone and has no run going.

    One that somebody deleted goes at once. Where only its document is missing, which may have been lost, the state waits
    as long as the export's history, so that one saved again under its name takes it over.
    """

    def is_gone(_: Head) -> bool:
        return app.registry.export_or_damage(export) is None

    if not app.ledger.runs(export, most=1):
        app.ledger.forget_head(export, only_if=is_gone)
    with suppress(RunInProgress):
        app.ledger.start_over(export, app.now(), only_if=lambda head: head.deleted and is_gone(head))


def sweep(app: App, export: str) -> None:
    """Delete chunks, outcomes and entries that are not the active run's, and states that the head does not name.

    What there is is read before the head: what a run writes that begins meanwhile is not among it, and a state that
    a run is just about to leave is not, or its run is active.
    """
    lying = {container: list(app.storage.names(container, f"{export}/")) for container in _OF_RUNS}
    states = list(app.storage.names(Container.STATE, f"{export}/"))
    recorded = app.ledger.recorded(export)
    head = app.ledger.head(export)
    for container, names in lying.items():
        _delete(app, container, [name for name in names if not name.startswith(f"{export}/{head.active}/")])
    for run_id in recorded:
        if run_id != head.active:
            app.ledger.forget_entries(export, run_id)
    kept = {state_path(export, connection, run_id) for connection, run_id in head.left}
    coming = f"/{head.active}.parquet"
    _delete(app, Container.STATE, [name for name in states if name not in kept and not name.endswith(coming)])


def _delete(app: App, container: Container, names: Sequence[str]) -> None:
    for name in names:
        app.storage.delete(container, name)
    if names:
        log.info("swept container=%s blobs=%d first=%s", container, len(names), names[0])
