"""Finish a run: outcomes merged into state, counts that add up, a report and the rejected rows, one status."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from shared.azure.records import NewerVersion
from shared.azure.storage import Conflict, Container
from shared.composition.app import App
from shared.delivery.destination import Destination
from shared.exports.configuration import Export
from shared.lifecycle.confirm import fell_short, lost_lists, what_is_lost
from shared.lifecycle.destination import destination_of_run
from shared.lifecycle.follow_up import follow_up, what_follows
from shared.lifecycle.notify import announce
from shared.lifecycle.record import gather_customers, gather_receipts, gather_rejected
from shared.lifecycle.sweep import sweep
from shared.lifecycle.verify import Verified, compare_lists
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError, TryLater
from shared.retry.policy import LOCKED
from shared.runs.books import discrepancies
from shared.runs.counts import Counts, Findings
from shared.runs.entry import Entry
from shared.runs.files import (
    Damaged,
    load_state,
    rejected_path,
    report_path,
    state_path,
    write_state,
)
from shared.runs.ledger import NoSuchRun
from shared.runs.rejected import write_rejected
from shared.runs.run import Run
from shared.state.digests import SCHEME
from shared.state.state import State, displaced, identify, merge, without
from shared.telemetry import metering, tracing
from shared.telemetry.names import Span

log = logging.getLogger(__name__)

_INTERNAL: Final = {
    "plan",
    "begun",
    "short",
    "progress_at",
    "busy_until",
    "unreachable_since",
    "waits_for",
    "waits_until",
    "traceparent",
    "digests",
    "remarks",
}
"""What a report leaves out."""

_HOW_TO_REPAIR: Final = "Verify with repair, which delivers what is missing or drifted."

_MISSING: Final = {Reason.BOOKS_DO_NOT_CLOSE, Reason.STATE_LOST}
"""Ends that say that something is missing."""

FINISH_SECONDS: Final = 90.0
"""Seconds one worker may take to finish a run before another may try."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ends: why, what else is to be said, and the state it leaves (None: the one before holds).

    `short` says that its calls left lists short, or that nobody could be asked; `findings` are those of a verification.
    `leaves_over` says that the state shows already what is missing on lists, so that a run can deliver it; `calls` were made
    to find that out.
    """

    reason: Reason | None
    detail: str = ""
    state: State | None = None
    short: bool = False
    findings: tuple[Findings, ...] = ()
    leaves_over: bool = False
    calls: Counts | None = None


def end_run(app: App, run: Run, end: ExportError) -> Run:
    """End a run before anything was sent; one that has a plan by now goes on."""
    with suppress(NoSuchRun):
        run = app.ledger.run(run.export, run.id)  # with the calls that it made meanwhile
    if run.plan is not None:
        return run
    with tracing.span(Span.END, run):
        ended = _close(app, run, Ending(end.reason, end.detail), unless=lambda run: run.plan is not None)
    log.warning("ended export=%s run=%s reason=%s", run.export, run.id, end.reason)
    return ended


def finish_run(app: App, export: str, run_id: str) -> Run:
    """Finish a run whose chunks all have their outcome. May be repeated, by anybody, at any time.

    Raise TryLater while somebody else is finishing it.
    """
    run = app.ledger.run(export, run_id)
    if run.status.is_final or not run.is_delivered:
        return run
    with app.locks.exclusive(export, "finish", FINISH_SECONDS):
        run = app.ledger.run(export, run_id)
        if run.status.is_final:
            return run
        with tracing.span(Span.FINISH, run):
            return _finish(app, run)


def _finish(app: App, run: Run) -> Run:
    export, run_id, connection = run.export, run.id, str(run.connection)
    path = state_path(export, connection, run_id)
    written = app.storage.etag(Container.STATE, path)  # by a finisher that died
    entries = app.ledger.entries(export, run_id)
    rejected, damaged = gather_rejected(app, run, entries)
    before = app.ledger.head(export).state_before(connection, run.account)
    ending = _ending(app, run, entries, before, damaged)
    if ending.reason in _MISSING and (now := app.ledger.run(export, run_id)).status.is_final:
        return now  # somebody else was faster, and has cleared up what was looked for here
    if ending.state:
        people = without(ending.state.people, app.tombstones.people())
        _save_state(app, path, write_state(replace(ending.state, people=people)), written)
    if rejected.height:
        table = write_rejected(rejected, [target.segment for target in run.targets])
        app.storage.put(Container.REJECTED, rejected_path(export, run_id), table)
    ended = _close(app, run, ending)
    log.info("finished export=%s run=%s status=%s reason=%s", export, run_id, ended.status, ended.reason)
    follow_up(app, export)
    return ended


def _save_state(app: App, path: str, data: bytes, etag: str | None) -> None:
    """Store the state that a run leaves; raise TryLater if another finisher did so since `etag` was read.

    Who was paused for long must not write what it read then over what holds by now: an erasure may have been at it.
    """
    try:
        app.storage.put(Container.STATE, path, data, if_match=etag, only_new=etag is None)
    except Conflict:
        raise TryLater(LOCKED.pause(), "somebody else is finishing the run") from None


def _ending(
    app: App, run: Run, entries: Sequence[Entry], before: tuple[str, str | None], damaged: Sequence[str]
) -> Ending:
    """Return how a run ends; one whose state is lost ends at once, by name."""
    try:
        if run.verification:
            return _balanced(run, entries, _verified(app, run, entries))
        return _balanced(run, entries, _delivered(app, run, entries, before, damaged))
    except NewerVersion:  # what was delivered stays where it is until the newer version is back
        raise
    except ExportError as end:
        return Ending(end.reason, end.detail)


def _balanced(run: Run, entries: Sequence[Entry], ending: Ending) -> Ending:
    """Close the books: rows that nobody accounts for were not delivered, and unless a lost chunk explains them the run says so."""
    off = "" if any(entry.lost for entry in entries) else discrepancies(run, entries)
    if not off:
        return ending
    log.error("books do not close: export=%s run=%s %s", run.export, run.id, off)
    return replace(ending, reason=Reason.BOOKS_DO_NOT_CLOSE, detail=f"{off} {ending.detail}".strip())


def _delivered(
    app: App, run: Run, entries: Sequence[Entry], before: tuple[str, str | None], damaged: Sequence[str]
) -> Ending:
    """End a run that delivered: what its receipts confirm becomes the state, those of damaged outcomes left out."""
    receipts, lists, lost = gather_receipts(app, entries)
    reason, detail = _reason(run), ""
    if missing := [*damaged, *lost]:
        log.error("outcomes are damaged: export=%s run=%s %s", run.export, run.id, "; ".join(missing))
        reason, detail = Reason.BOOKS_DO_NOT_CLOSE, f"{'. '.join(missing)}."
    customers = gather_customers(app, run)
    if receipts.is_empty() and customers.is_empty():
        return Ending(reason, detail)
    former = load_state(app.storage, run.export, *before)
    if run.digests != SCHEME:  # planned by an older version, perhaps with other digests
        former = replace(former, digests=None)
    if receipts.is_empty():
        state = identify(former, customers)
        return Ending(reason, detail, None if state.people.equals(former.on_lists(former.lists)) else state)
    state = identify(merge(former, receipts, lists), customers)
    short, calls = fell_short(app, run, state, receipts, lists)
    if short and run.stop is None and not missing:
        reason = Reason.LISTS_DIFFER
        there = destination_of_run(app, run)
        detail = (
            f"{there.title} did not put all contacts on their {there.list_word}s, although it did when it was tried. "
        ) + (_HOW_TO_REPAIR if run.trigger == "repair" else "A verification with repair follows by itself.")
    lists_lost = lost_lists(app, run, receipts, lists)
    if lists_lost and run.stop is None and not missing:
        reason = Reason.LISTS_DIFFER
    left_over = what_is_lost(lists_lost, displaced(former, state, receipts, lists))
    detail = " ".join(filter(None, [detail, left_over]))
    is_short = short is not False or state.has_unnamed
    return Ending(reason, detail, state, short=is_short, leaves_over=bool(left_over), calls=calls)


def _verified(app: App, run: Run, entries: Sequence[Entry]) -> Ending:
    """End a run that read lists back: what it found, and the state corrected if it is to repair."""
    if run.stop:
        return Ending(run.stop)
    try:
        verified = compare_lists(app, run, entries)
    except Damaged as damage:
        return Ending(Reason.BOOKS_DO_NOT_CLOSE, f"{damage}.")
    equal = all(finding.is_equal for finding in verified.findings)
    detail = (
        verified.detail
        if equal
        else " ".join(filter(None, [verified.detail, *_what_differs(destination_of_run(app, run), run, verified)]))
    )
    return Ending(
        Reason.LISTS_EQUAL if equal else Reason.LISTS_DIFFER,
        detail,
        verified.corrected,
        findings=verified.findings,
    )


def _what_differs(there: Destination, run: Run, verified: Verified) -> Iterator[str]:
    """Return which lists are gone, and what makes the lists right again: a run that follows, or somebody who asks for it."""
    for finding in verified.findings:
        if not finding.exists:
            yield f"The {there.list_word} {finding.list!r} is gone at {there.title}; the next run makes it again and fills it."
    yield (
        "A run that delivers what is missing or drifted follows by itself."
        if run.verification == "repair"
        else _HOW_TO_REPAIR
    )


def abandon_run(app: App, run: Run) -> Run:
    """End a run that cannot be finished because of a fault of this app: the state before it holds, the next run repeats."""
    log.error("given up finishing: export=%s run=%s", run.export, run.id)
    return _close(app, run, Ending(Reason.INTERNAL_ERROR))


def _close(app: App, run: Run, ending: Ending, *, unless: Callable[[Run], bool] = lambda _: False) -> Run:
    """Write the report, then give the run its final status and free its export, then sweep what it worked with."""
    now = app.now()

    def ended(run: Run) -> Run:
        if unless(run):
            return run
        return run.ended(
            now, ending.reason, ending.detail, short=ending.short, findings=ending.findings, calls=ending.calls
        )

    announce(app, run)
    report = {"version": Run.version, **ended(run).model_dump(mode="json", exclude=_INTERNAL)}
    app.storage.put(Container.REPORTS, report_path(run.export, run.id), json.dumps(report, indent=2).encode())
    found = app.registry.export_or_damage(run.export)
    try:
        closed = app.ledger.finish(
            run.export,
            run.id,
            ended,
            state_of=str(run.connection) if ending.state else None,
            follow_up=lambda run, head: what_follows(
                run,
                head,
                found if isinstance(found, Export) else None,
                corrected=ending.leaves_over or (run.verification is not None and ending.state is not None),
            ),
        )
    except NoSuchRun:
        return ended(run)
    if closed.ended_at == now:  # by us, and by nobody else
        if ending.calls:
            metering.called(closed, ending.calls)
        metering.ended(closed)
    if closed.status.is_final:
        sweep(app, run.export)
    return closed


def _reason(run: Run) -> Reason | None:
    """Return why the run ends as it does: what stopped it, else what it left undone, else nothing to say."""
    if run.stop:
        return run.stop
    if run.counts.held_back:
        return Reason.REMOVALS_HELD_BACK
    if run.counts.rejected or run.counts.removed < run.counts.leavers:
        return Reason.ROWS_REJECTED
    if run.counts.values_omitted:
        return Reason.VALUES_OMITTED
    return None if run.operations else Reason.NOTHING_TO_DO
