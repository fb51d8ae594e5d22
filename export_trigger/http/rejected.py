"""A run's rejected rows: the file itself, and what is wrong with them in numbers, with examples and since when."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Final

from export_trigger.http.request import Answer, Call, Problem
from export_trigger.http.run_views import RejectedGroup, RejectedRow, RejectedSummary
from export_trigger.http.runs import find_run
from export_trigger.steps.rejecting import rejecting_runs
from shared.azure.storage import Container, TooLarge
from shared.composition.app import App
from shared.reasons.rows import RowReason
from shared.runs.files import rejected_path
from shared.runs.rejected import Fault, Faulty, faults
from shared.runs.run import Run

MOST_GROUPS: Final = 100

type Since = tuple[Run, bool]
"""The first run of those without a break that rejected rows alike, and whether it may have begun before."""


def get_rejected(app: App, call: Call) -> Answer:
    """Return the rejected rows as CSV: whose row, in which segment, which field, why, and what to do."""
    run = find_run(app, call)
    headers = {"Content-Disposition": f'attachment; filename="{run.export}-{run.id}-rejected.csv"'}
    return Answer(body=_file(app, run), headers=headers, content_type="text/csv; charset=utf-8")


def get_rejected_summary(app: App, call: Call) -> Answer:
    """Count the rejected rows by reason, field and what to do, the most first, with a few CustomerIds and since when."""
    run = find_run(app, call)
    found = faults(_file(app, run))
    if found is None:
        raise Problem(HTTPStatus.CONFLICT, "file_damaged", "This run's rejected-rows file is not as it was written.")
    first = _since(app, run, {(fault.reason, fault.field) for fault in found})
    ordered = sorted(found.items(), key=_weight)
    groups = tuple(_group(fault, rows, *first[fault.reason, fault.field]) for fault, rows in ordered[:MOST_GROUPS])
    rows = sum(item.rows for item in found.values())
    shown = sum(group.rows for group in groups)
    kept = run.queued_at + timedelta(days=app.settings.rejected_days)
    return Answer(
        body=RejectedSummary(
            export=run.export, run=run.id, rows=rows, groups=groups, other_rows=rows - shown, kept_until=kept
        )
    )


def _weight(item: tuple[Fault, Faulty]) -> tuple[int, str, str, str]:
    fault, rows = item
    return -rows.rows, fault.reason, fault.field, fault.advice


def _group(fault: Fault, rows: Faulty, since: Run, is_older: bool) -> RejectedGroup:
    return RejectedGroup(
        reason=fault.reason,
        field=fault.field,
        advice=fault.advice,
        delivered=fault.reason == RowReason.VALUE_OMITTED,
        rows=rows.rows,
        segments=dict(sorted(rows.segments.items())),
        examples=tuple(RejectedRow(customer_id=row[0], segment=row[1], where=row[2]) for row in rows.examples),
        since=since.queued_at,
        since_run=since.id,
        or_earlier=is_older,
    )


def _file(app: App, run: Run) -> bytes:
    """Return a run's rejected-rows file; raise a Problem if it has none."""
    try:
        found = app.storage.get(Container.REJECTED, rejected_path(run.export, run.id))
    except TooLarge as damage:
        raise Problem(HTTPStatus.CONFLICT, "file_too_large", f"{damage}: it is none of ours.") from None
    if found is None:
        raise Problem(
            HTTPStatus.NOT_FOUND, "no_rejected_rows", "This run has no rejected-rows file, or it has expired."
        )
    return found[0]


def _since(app: App, run: Run, kinds: set[tuple[str, str]]) -> dict[tuple[str, str], Since]:
    """Return since when each kind of fault is there."""
    since: dict[tuple[str, str], Since] = dict.fromkeys(kinds, (run, False))
    going_on = set(kinds)
    for earlier in rejecting_runs(app, run.export, before=run.id):
        found = _kinds(app, earlier) if earlier else None
        if earlier is None or found is None:  # nobody knows
            return since | {kind: (since[kind][0], True) for kind in going_on}
        going_on &= found
        since |= dict.fromkeys(going_on, (earlier, False))
        if not going_on:
            return since
    return since


def _kinds(app: App, run: Run) -> set[tuple[str, str]] | None:
    """Return the kinds of fault of a run's rejected rows; None if its file has expired, or cannot be read."""
    try:
        found = faults(_file(app, run))
    except Problem:
        return None
    return None if found is None else {(fault.reason, fault.field) for fault in found}
