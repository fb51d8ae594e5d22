"""The source and the app itself: which segments there are, and whether everything can be reached."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from export_trigger.http.mapping import suggestion
from export_trigger.http.request import Answer, Call, Problem, check_name
from export_trigger.http.views import AuditPage, SegmentPage, SegmentView
from shared.composition.app import App
from shared.destinations.registry import DEFAULT
from shared.reasons.errors import ExportError
from shared.sources.counts import Members
from shared.sources.source import Catalogue

COUNT_SECONDS: Final = 20.0
"""Seconds that counting may take; what is left then is said to be not counted yet."""


def list_segments(app: App, call: Call) -> Answer:
    """List the segments found: columns, members, when refreshed, eligible or why not."""
    after, limit = call.page()
    try:
        catalogue = app.source.catalogue()
        names = [name for name in sorted({*catalogue.tables, *catalogue.faults}) if name > after]
    except ExportError as end:
        raise Problem(HTTPStatus.BAD_GATEWAY, end.reason, end.detail or end.reason.advice) from None
    tables = [catalogue.tables[name] for name in names[:limit] if name in catalogue.tables]
    counted = app.counts.of([table for table in tables if table.has_key], COUNT_SECONDS)
    items = [_segment(catalogue, name, counted.get(name)) for name in names[:limit]]
    return Answer(body=SegmentPage(items=tuple(items), next=names[limit - 1] if len(names) > limit else None))


def list_audit(app: App, call: Call) -> Answer:
    """List who changed or started what, newest first; of one export with `export`, then a page may hold less than there is."""
    after, limit = call.page()
    export = call.query.get("export")
    if export is not None:
        check_name("export", export)
        entries, last = app.audit.of_export(export, after=after, most=limit)
        return Answer(body=AuditPage(items=tuple(entries), next=last))
    found = app.audit.entries(after=after, most=limit + 1)
    items = tuple(entry for _, entry in found[:limit])
    return Answer(body=AuditPage(items=items, next=found[limit - 1][0] if len(found) > limit else None))


def _segment(catalogue: Catalogue, name: str, counted: Members | None) -> SegmentView:
    """Show one segment; what is wrong with it is said of it alone."""
    table = catalogue.tables.get(name)
    why_not = None
    try:
        catalogue.table(name)
    except ExportError as end:
        why_not = end.detail or end.reason.advice
    return SegmentView(
        name=name,
        columns=tuple(table.columns) if table else (),
        members=counted.rows if counted else None,
        not_counted=(counted.why or None) if counted else None,
        refreshed_at=table.refreshed_at if table else None,
        eligible=why_not is None,
        suggested_mapping=suggestion(table, DEFAULT.fields) if table and table.has_key else {},
        why_not=why_not,
    )
