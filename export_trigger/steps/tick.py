"""The tick: starts what is due, and clears away what is over."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from export_trigger.steps.erase import advance_all
from export_trigger.steps.keys import sweep_keys
from export_trigger.steps.retain import retain, retain_audit, retain_previews
from shared.composition.app import App
from shared.exports.configuration import Export, OnCron, OnRefresh
from shared.exports.schedule import is_due
from shared.lifecycle.each import each
from shared.lifecycle.start import start_run
from shared.lifecycle.sweep import disown, owners, sweep
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.retry.policy import REFRESH
from shared.runs.head import Head, RunInProgress
from shared.runs.run import Trigger
from shared.sources.source import Catalogue
from shared.telemetry import metering, tracing

log = logging.getLogger(__name__)

CLEARING_SECONDS: Final = 180.0
"""Seconds after which a tick clears no further export's history: the function's timeout would take its other chores with it."""


def tick(app: App) -> None:
    """Look after every export, those that were deleted too: is a run due, what lies about, and is its history over."""
    refreshed, trouble = _refreshed(app)
    chores: dict[str, Callable[[], None]] = {
        "exports": lambda: _look_after_all(app, refreshed),
        "erasures": lambda: advance_all(app),
        "audit": lambda: retain_audit(app),
        "previews": lambda: retain_previews(app),
        "keys": lambda: sweep_keys(app),
    }
    try:
        each(chores, lambda name: chores[name]())
    finally:
        metering.ticked(trouble)
        tracing.flush()


def _look_after_all(app: App, refreshed: Catalogue | None) -> None:
    """Look after every export; whose history there is no time for now has its turn later, when less is left before it."""
    latest = app.clock.now() + CLEARING_SECONDS

    def look(name: str) -> None:
        _look_after(app, name, refreshed)
        if app.clock.now() < latest:
            retain(app, name)

    each(owners(app), look)


def _look_after(app: App, name: str, refreshed: Catalogue | None) -> None:
    found = app.registry.export_or_damage(name)
    head = app.ledger.head(name)
    match found:
        case Export() as export:
            if refreshed is not None and isinstance(export.schedule, OnRefresh):
                metering.source_seen(name, refreshed.modified_at)
            if head.active is None:
                _start_if_due(app, name, export, head, refreshed)
        case None:
            disown(app, name)
        case _:
            log.error("an export's document is damaged, it is not run: export=%s", name)
    sweep(app, name)


def _refreshed(app: App) -> tuple[Catalogue | None, Reason | None]:
    """Read the source's catalogue; if it cannot be read now, say why: no run that waits for a refresh begins."""
    try:
        return app.source.catalogue(), None
    except ExportError as end:
        log.warning("the source cannot be read: reason=%s detail=%s", end.reason, end.detail)
        return None, end.reason


def _start_if_due(app: App, name: str, export: Export, head: Head, refreshed: Catalogue | None) -> None:
    match export.schedule:
        case OnRefresh() if refreshed is not None and refreshed.version != head.refresh:
            if not head.refresh:
                app.ledger.change_head(name, lambda head: head.refresh_seen(refreshed.version))
            elif may_try(export, head, refreshed.version, app.now()) and _is_settled(app, export, refreshed):
                now = app.now()
                _start(app, name, "refresh", lambda head: head.refresh_tried(refreshed.version, now), refreshed)
        case OnCron() as cron:
            now = app.now()
            since: datetime = max(head.cron_at or export.updated_at, export.updated_at)
            if is_due(cron.cron, cron.time_zone, since, now):
                _start(app, name, "cron", lambda head: head.cron_checked(now))


def may_try(export: Export, head: Head, refresh: str, now: datetime) -> bool:
    """Return whether to start a run of a refresh: at once, and again after a pause if it failed before its plan.

    What stood in its way may last, so the pauses grow; who saves the export means it to be tried at once.
    """
    if head.tried != refresh or head.tried_at is None or head.tried_at < export.updated_at:
        return True
    return now - head.tried_at >= timedelta(seconds=REFRESH.pause(head.tries))


def _is_settled(app: App, export: Export, refreshed: Catalogue) -> bool:
    """Return whether the refresh is written to its end; if not, the next tick looks again."""
    quiet = timedelta(seconds=app.settings.settle_seconds)
    try:
        app.source.verify_settled(refreshed, [target.segment for target in export.segments], now=app.now(), quiet=quiet)
    except ExportError as end:
        return not end.may_pass
    return True


def _start(
    app: App,
    name: str,
    trigger: Trigger,
    change_head: Callable[[Head], Head],
    refreshed: Catalogue | None = None,
) -> None:
    try:
        run = start_run(
            app,
            name,
            trigger=trigger,
            requested_by="schedule",
            change_head=change_head,
            refresh=refreshed.version if refreshed else None,
            refreshed_at=refreshed.modified_at if refreshed else None,
        )
        log.info("started export=%s run=%s trigger=%s", name, run.id, trigger)
    except RunInProgress as going:
        log.info("already going: export=%s run=%s", name, going.run_id)
