"""Exports at a glance: how their last run ended, as of which refresh their lists are, what comes next, and what the caller may do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, Literal, NamedTuple

from export_trigger.http.access import Caller, Role
from export_trigger.http.run_views import EndedRun, GoingRun, NextRun
from export_trigger.http.view import DamagedView
from export_trigger.http.views import Action, ExportView
from shared.composition.app import App
from shared.destinations.registry import DEFAULT, destination_of
from shared.exports.configuration import Export, OnCron, OnRefresh
from shared.exports.registry import DocumentDamaged
from shared.exports.schedule import next_time
from shared.reasons.errors import ExportError
from shared.runs.head import Head, LastRun
from shared.runs.ledger import NoSuchRun
from shared.runs.run import Run

Use = Literal["allowed", "not_shared", "gone", "damaged"]
"""What a caller may do with an export's connection."""


class Connected(NamedTuple):
    """What an export's view takes from its connection: its use, and what a list is called where it leads."""

    use: Use
    list_word: str = DEFAULT.list_word


WITHOUT_CONNECTION: Final[tuple[Action, ...]] = ("preview", "duplicate")
"""What may be done with an export whatever its connection is: as far as the role goes."""

WITH_FORMER: Final[tuple[Action, ...]] = ("edit", "delete", "cancel")
"""What may be done too if its connection is gone."""

ALL: Final[tuple[Action, ...]] = ("preview", "run", "verify", "explain", "edit", "delete", "duplicate", "cancel")


DELIVERS: Final = {"refresh", "cron", "on_demand", "run_all"}
"""What starts runs that deliver a whole refresh, and no others."""


def views(
    app: App, caller: Caller, exports: Iterable[tuple[str, Export | DocumentDamaged]]
) -> tuple[ExportView | DamagedView, ...]:
    """Show exports; a handful of calls to storage however many there are."""
    heads = app.ledger.heads()
    known = {name: head for name, head in heads.items() if isinstance(head, Head)}
    unfinished = app.ledger.unfinished() if any(head.active for head in known.values()) else {}
    connected: dict[str | None, Connected] = {}
    shown: list[ExportView | DamagedView] = []
    for name, export in exports:
        head = heads.get(name, Head())
        if isinstance(export, DocumentDamaged):
            shown.append(DamagedView.of(name, export))
        elif not isinstance(head, Head):
            shown.append(DamagedView.of(name, head))
        else:
            going = unfinished.get((name, head.active)) if head.active else None
            if export.connection not in connected:
                connected[export.connection] = _connected(app, caller, export.connection)
            shown.append(_view(app, caller, name, export, head, going, connected[export.connection], {}))
    return tuple(shown)


def view(app: App, caller: Caller, name: str, export: Export, **saved: object) -> ExportView:
    """Show one export; `saved` is what else is to be said where it was just saved."""
    head = app.ledger.head(name)
    going = None
    if head.active:
        try:
            found = app.ledger.run(name, head.active)
            going = None if found.status.is_final else found
        except NoSuchRun:
            going = None
    return _view(app, caller, name, export, head, going, _connected(app, caller, export.connection), saved)


def _view(
    app: App,
    caller: Caller,
    name: str,
    export: Export,
    head: Head,
    going: Run | None,
    connected: Connected,
    saved: Mapping[str, object],
) -> ExportView:
    last, delivery, delivered = _last(app, name, head)
    return ExportView.of(
        name,
        export,
        active_run=head.active,
        current_run=GoingRun.of(going) if going else None,
        last_run=EndedRun.of(last) if last else None,
        last_delivery=EndedRun.of(delivery) if delivery else None,
        last_delivered=EndedRun.of(delivered) if delivered else None,
        next_run=_next(export, app.now()),
        list_word=connected.list_word,
        may=may(caller.role, connected.use),
        **saved,
    )


def may(role: Role, use: Use) -> tuple[Action, ...]:
    """Return what a role may do with an export, given what it may do with the export's connection."""
    if role < Role.CONTRIBUTOR:
        return ("preview",)
    if use == "allowed":
        return ALL
    return (*WITHOUT_CONNECTION, *WITH_FORMER) if use == "gone" or role is Role.ADMIN else WITHOUT_CONNECTION


def _connected(app: App, caller: Caller, connection: str | None) -> Connected:
    if connection is None:
        return Connected("allowed")
    try:
        found = app.registry.connection(connection)
        if found is None:
            return Connected("gone")
        word = destination_of(found[0].kind).list_word
    except ExportError:
        return Connected("damaged")
    is_shared = caller.role >= Role.ADMIN or found[0].access != "administrators"
    return Connected("allowed" if is_shared else "not_shared", word)


class _Last(NamedTuple):
    """The run that ended last, the last one that tells of a delivery, and the last that delivered a whole refresh."""

    run: LastRun | None = None
    delivery: LastRun | None = None
    delivered: LastRun | None = None


def _last(app: App, name: str, head: Head) -> _Last:
    """Return the last runs of an export.

    A head that an older version of the app wrote last does not name all of them: then the export's newest runs are read.
    """
    if head.last_delivery is not None or not (head.states or head.unverified):
        return _Last(head.last, head.last_delivery, head.last_delivered)
    if head.last is not None and head.last.trigger in DELIVERS:
        return _Last(head.last, head.last, head.last_delivered)
    runs = [run for run in app.ledger.runs(name, most=10) if run.status.is_final and run.ended_at]
    mine = [run for run in runs if head.began_at is None or run.queued_at >= head.began_at]
    delivery = next((LastRun.of(run) for run in mine if run.tells_of_delivery), head.last_delivered)
    delivered = next((LastRun.of(run) for run in mine if run.has_delivered_refresh), head.last_delivered)
    return _Last(head.last or next(map(LastRun.of, mine), None), delivery, delivered)


def _next(export: Export, now: datetime) -> NextRun | None:
    """Return when an export runs next by itself; None if its schedule is off."""
    match export.schedule:
        case OnRefresh():
            return NextRun(on="refresh", at=None)
        case OnCron() as cron:
            return NextRun(on="cron", at=next_time(cron.cron, cron.time_zone, now))
    return None
