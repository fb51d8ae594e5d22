"""Find a person: why somebody is on an export's lists, or is not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

from export_trigger.http.draft import check_connection, find_export
from export_trigger.http.person import address_of
from export_trigger.http.request import Answer, Call, Problem
from export_trigger.http.view import View
from export_trigger.steps.explain import Explanation, explain
from export_trigger.steps.find_person import Looked, PersonRow
from export_trigger.steps.standing import OnList, Recorded, There, Why
from shared.azure.vault import VaultUnavailable
from shared.composition.app import App
from shared.reasons.errors import ExportError, TryLater
from shared.runs.ledger import NoSuchRun


class OmittedValue(View):
    """A value that the contact goes without, and what to do."""

    field: str
    advice: str


class RowFound(View):
    """A row of the person. `by_address` is false for one known by its CustomerId, whose address is another or none by now.

    `speaks`: among the rows of one address this one speaks; what it lacks, the others say. `reason` is null where the row
    can be delivered. `row` counts the segment's rows from 0.
    """

    segment: str
    customer_id: str | None
    row: int
    by_address: bool
    speaks: bool
    reason: str | None
    field: str | None
    advice: str
    omitted: tuple[OmittedValue, ...]


class SegmentLooked(View):
    """A segment as it was read: when it was refreshed, and how many rows of anybody could not be read; `code` why it could not."""

    segment: str
    as_of: datetime | None
    unreadable_rows: int
    code: str
    detail: str


class RecordView(View):
    """What the app knows to be delivered, as the record of the run `run` says, which ended `at`.

    `is_current`: the destination has confirmed the very contact that would be sent now; null if that cannot be told.
    """

    run: str
    at: datetime | None
    is_current: bool | None


class ThereView(View):
    """What the destination says now: whether it has anybody with the address; null, and why, where it gave no answer."""

    exists: bool | None
    code: str
    detail: str


class ListView(View):
    """One list: is the person in its segment, was delivered onto it, is on it now (null: not known), and why."""

    list: str
    segment: str
    in_segment: bool | None
    delivered: bool
    on_list: bool | None
    why: Why
    advice: str


class RejectedSince(View):
    """The first run in a row that rejected a row of the person, or a value of it; `or_earlier` where no file tells any more."""

    run: str
    at: datetime
    or_earlier: bool


class PersonExplained(View):
    """Why a person is on an export's lists, or is not: their rows, erasure, our record, and the destination at this moment."""

    export: str
    lists: tuple[ListView, ...]
    rows: tuple[RowFound, ...]
    segments: tuple[SegmentLooked, ...]
    contact: Mapping[str, Any] | None
    erased_at: datetime | None
    rejected_since: RejectedSince | None
    record: RecordView | None
    record_code: str
    destination: ThereView


def explain_person(app: App, call: Call) -> Answer:
    """Return why a person is on an export's lists, or is not: their rows, erasure, what was delivered, and the lists now."""
    export, _ = find_export(app, call)
    check_connection(app, call, export.connection)
    address, name = address_of(call), call.params["export"]
    try:
        return Answer(body=_view(app, name, explain(app, name, export, address)))
    except (VaultUnavailable, TryLater) as error:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "try_later", f"{error}. Try again in a moment.") from None
    except ExportError as end:
        raise Problem(HTTPStatus.CONFLICT, end.reason, end.detail or end.reason.advice) from None


def _view(app: App, name: str, found: Explanation) -> PersonExplained:
    since = found.rejected_since
    return PersonExplained(
        export=name,
        lists=tuple(_list(item, found) for item in found.lists),
        rows=tuple(_row(row) for looked in found.person.segments for row in looked.rows),
        segments=tuple(map(_segment, found.person.segments)),
        contact=found.person.contact,
        erased_at=found.erased_at,
        rejected_since=RejectedSince(run=since.id, at=since.queued_at, or_earlier=found.or_earlier) if since else None,
        record=_record(app, name, found.recorded) if found.recorded else None,
        record_code=found.record_fault.reason if found.record_fault else "",
        destination=_there(found.there),
    )


def _list(item: OnList, found: Explanation) -> ListView:
    """Show how the person stands to one list; what to do about a rejected row says the row best."""
    rows = [row for looked in found.person.segments if looked.segment == item.target.segment for row in looked.rows]
    advice = next((row.advice for row in rows if item.why is Why.REJECTED and row.advice), item.why.advice)
    return ListView(
        list=item.target.list,
        segment=item.target.segment,
        in_segment=item.in_segment,
        delivered=item.delivered,
        on_list=item.on_list,
        why=item.why,
        advice=advice,
    )


def _row(row: PersonRow) -> RowFound:
    return RowFound(
        segment=row.segment,
        customer_id=row.customer,
        row=row.row,
        by_address=row.is_by_address,
        speaks=row.speaks,
        reason=row.reason,
        field=row.field,
        advice=row.advice,
        omitted=tuple(OmittedValue(field=item.field, advice=item.advice) for item in row.omitted),
    )


def _segment(looked: Looked) -> SegmentLooked:
    fault = looked.fault
    return SegmentLooked(
        segment=looked.segment,
        as_of=looked.published_at,
        unreadable_rows=looked.unreadable,
        code=fault.reason if fault else "",
        detail=(fault.detail or fault.reason.advice) if fault else "",
    )


def _record(app: App, name: str, recorded: Recorded) -> RecordView:
    try:
        at = app.ledger.run(name, recorded.run).ended_at
    except NoSuchRun:  # its history is over
        at = None
    return RecordView(run=recorded.run, at=at, is_current=False if recorded.is_suppressed else recorded.is_current)


def _there(there: There) -> ThereView:
    return ThereView(exists=there.exists, code=there.code, detail=there.detail)
