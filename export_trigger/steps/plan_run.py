"""Plan a run: from the segments and the state to chunks on the queue."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import polars as pl

from export_trigger.steps.claim import claim_for_run, claim_found
from export_trigger.steps.recognise import settle_state
from export_trigger.steps.room import FOR_RUNS
from shared.accounts.lists import known_lists
from shared.azure.storage import Container, Queue
from shared.azure.vault import VaultUnavailable
from shared.composition.app import Account, App
from shared.delivery.errors import AccountRefused, KeyRefused, NoAnswer, Refused
from shared.delivery.sending import Sender
from shared.exports.configuration import Export
from shared.lifecycle.finish import end_run, finish_run
from shared.lifecycle.liveness import Heartbeat
from shared.lifecycle.outage import wait_or_end
from shared.lifecycle.record import note_calls, open_chunks
from shared.lifecycle.segments import open_refresh, recipe_of, scope_of, unlearned
from shared.lifecycle.window import calls_of, known_account, nothing_done, postponed_calls, refusal
from shared.planning.plan import Plan, check_guards, chunks, plan, remarks
from shared.planning.spool import Spool
from shared.planning.survey import NO_REJECTED
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError, Transient
from shared.runs.files import (
    chunk_path,
    identities_path,
    planned_rejected_path,
    rejected_path,
    run_folder,
    write_table,
)
from shared.runs.ledger import NoSuchRun
from shared.runs.plan_summary import PlanSummary
from shared.runs.run import Run
from shared.sources.ahead import in_order
from shared.telemetry import metering, tracing
from shared.telemetry.names import Span
from shared.verification.comparison import compared_fields
from shared.verification.reading import encode_reading, first_readings

log = logging.getLogger(__name__)

PREFLIGHT_SECONDS = 60.0


def plan_run(app: App, export: str, run_id: str) -> None:
    """Plan a run and put its chunks on the queue; a run that cannot go on is ended with its reason. May be repeated.

    Raise TryLater while the destination, the vault or the source does not answer, Customer Insights is still writing, or there
    is no room for one more plan.
    """
    try:
        run = app.ledger.run(export, run_id)
    except NoSuchRun:
        log.warning("dropped a message of an unknown run: export=%s run=%s", export, run_id)
        return
    if run.status.is_final:
        return
    try:
        if run.plan is None:
            with tracing.span(Span.PLAN, run):
                run = _plan(app, run)
    except ExportError as end:
        end_run(app, run, wait_or_end(app, run, end))
        return
    except VaultUnavailable as error:
        end_run(app, run, wait_or_end(app, run, Transient(Reason.KEY_MISSING, f"{error}.")))
        return
    if run.status.is_final:
        return
    issue(app, run)
    if run.is_delivered:
        finish_run(app, export, run_id)


def issue(app: App, run: Run) -> None:
    """Put every chunk of a run on the queue that has no outcome yet."""
    for name in open_chunks(run, app.ledger.entries(run.export, run.id)):
        app.storage.send(Queue.CHUNKS, {"export": run.export, "run": run.id, "chunk": name})


def _plan(app: App, run: Run) -> Run:
    """Plan a run that has no plan yet, and record the plan; return the run with the plan that was recorded first."""
    found = app.registry.export(run.export)
    if found is None:
        raise ExportError(Reason.CANCELED_BY_USER, "The export was deleted before the run began.")
    export = found[0]
    if not run.verification:
        FOR_RUNS.check()
    account = known_account(app, run, export.connection)
    run = _begin(app, run, account)
    if run.status.is_final or run.plan is not None:
        return run
    before = app.ledger.head(run.export).state_before(account.name, account.id)
    if run.verification and before[1] is None:
        raise ExportError(Reason.NOTHING_DELIVERED)
    if not run.verification:
        claim_for_run(app, run.export, export, account.id)
    sender = app.sender(account, seconds=PREFLIGHT_SECONDS)
    with postponed_calls(app, run, sender):
        if run.verification:
            return _plan_reading(app, run, export, account, sender)
        return _plan_delivery(app, run, export, account, sender, before)


def _plan_reading(app: App, run: Run, export: Export, account: Account, sender: Sender) -> Run:
    """Plan a run that reads lists back: a chunk for the first page of each list."""
    recipe = recipe_of(app, export)
    filled = [app.accounts.list_id(account.id, target.list) for target in export.segments]
    list_ids = _lists(app, run, account, sender, [target.list for target in export.segments])
    fields = compared_fields(recipe.mapping, recipe.fields)
    work = [encode_reading(reading) for reading in first_readings(list_ids, filled, fields)]
    attempt = secrets.token_hex(4)
    count = _write(app, run, attempt, work, NO_REJECTED)
    calls = calls_of(sender)
    summary = PlanSummary(attempt, account.name, account.id, export.segments, count, len(work), calls)
    return _record(app, run, summary, ())


def _plan_delivery(
    app: App, run: Run, export: Export, account: Account, sender: Sender, before: tuple[str, str | None]
) -> Run:
    """Plan a run that delivers: the difference between the segments and the state that the run `before` left."""
    names = [target.segment for target in export.segments]
    _learn_fields(app, run, export, account, sender)
    recipe = recipe_of(app, export)
    refresh = open_refresh(app, names, recipe.address, Heartbeat(app, run))
    list_ids = _lists(app, run, account, sender, [target.list for target in export.segments])
    claim_found(app, run.export, export, account.id, list_ids)
    attempt = secrets.token_hex(4)
    scope = scope_of(app, export, run.rejected_of and rejected_path(run.export, run.rejected_of))
    with FOR_RUNS.place(), Spool() as spool:
        state = settle_state(app, run.export, before, refresh.segments, recipe)
        planned = plan(refresh.segments, recipe, app.digest_key(), state, list_ids, scope, spool)
        refresh.check_unchanged()
        with _held(app, run, refresh.published_at):
            check_guards(planned, names, export.guards, export.max_profiles)
        count = _write(app, run, attempt, chunks(planned), planned.named)
        _write_identities(app, run, attempt, planned)
    summary = PlanSummary(
        attempt,
        account.name,
        account.id,
        export.segments,
        count,
        planned.difference.operations.height,
        planned.counts + calls_of(sender),
        remarks(planned, names),
        refresh.version,
        new_people=export.new_people,
        create_suppressed=export.create_suppressed,
        as_of=refresh.published_at,
    )
    return _record(app, run, summary, planned.rejected["reason"])


@contextmanager
def _held(app: App, run: Run, as_of: datetime | None) -> Iterator[None]:
    """Note which refresh a run read that a guard holds: nobody could tell otherwise that the lists are behind it."""
    try:
        yield
    except ExportError:
        app.ledger.change(run.export, run.id, lambda run: run if run.plan is not None else run.held(as_of))
        raise


def _begin(app: App, run: Run, account: Account) -> Run:
    """Note that planning began; a run that ended or was planned meanwhile stays as it is."""
    now = app.now()
    return app.ledger.change(
        run.export, run.id, lambda run: run if run.plan is not None else run.planning(now, account.name, account.id)
    )


def _write(app: App, run: Run, attempt: str, work: Iterable[bytes], rejected: pl.DataFrame) -> int:
    """Write the chunks and the rejected rows of one attempt at a plan; return how many chunks there are."""

    def put(numbered: tuple[int, bytes]) -> None:
        number, chunk = numbered
        app.storage.put(Container.CHUNKS, chunk_path(run.export, run.id, attempt, f"{number:06d}"), chunk)

    count = sum(1 for _ in in_order(put, enumerate(work, start=1)))
    path = planned_rejected_path(run.export, run.id, attempt)
    app.storage.put(Container.OUTCOMES, path, write_table(rejected))
    return count


def _write_identities(app: App, run: Run, attempt: str, planned: Plan) -> None:
    """Write whose rows are whose where that is news, for the state that the run will leave."""
    for number, part in enumerate(planned.identities()):
        path = identities_path(run.export, run.id, attempt, f"{number:04d}.parquet")
        app.storage.put(Container.OUTCOMES, path, write_table(part))


def _record(app: App, run: Run, plan: PlanSummary, reasons: Iterable[str]) -> Run:
    """Record the plan, unless another planner of the same run was first; then its chunks count and ours go.

    `reasons` are those of the rows that it rejects, one a row.
    """
    now = app.now()
    recorded = app.ledger.change(
        run.export, run.id, lambda run: run if run.plan is not None else run.planned(plan, now)
    )
    if recorded.plan != plan.id:
        note_calls(app, run, plan.counts.calls)
        app.storage.delete_all(Container.CHUNKS, f"{run_folder(run.export, run.id)}{plan.id}/")
        app.storage.delete(Container.OUTCOMES, planned_rejected_path(run.export, run.id, plan.id))
        app.storage.delete_all(Container.OUTCOMES, identities_path(run.export, run.id, plan.id))
    log.info("planned export=%s run=%s chunks=%d operations=%d", run.export, run.id, plan.chunks, plan.operations)
    if recorded.plan == plan.id:
        metering.planned(recorded, reasons)
    return recorded


def _lists(app: App, run: Run, account: Account, sender: Sender, titles: Sequence[str]) -> tuple[str, ...]:
    """Ask the account for its lists: the key works, and a list that was deleted there is filled anew."""
    return _asked(app, run, account, sender, lambda: known_lists(app.accounts, account.id, titles, account.api, sender))


def _learn_fields(app: App, run: Run, export: Export, account: Account, sender: Sender) -> None:
    """Have the account tell how values of its own fields are written, where nobody has asked yet: it did not answer a save."""
    names = unlearned(app, export)
    if not names:
        return
    found = _asked(app, run, account, sender, lambda: account.api.check_fields(names, sender))
    if found.conflicts:
        raise ExportError(Reason.FIELD_UNKNOWN, " ".join(found.conflicts.values()))


def _asked[T](app: App, run: Run, account: Account, sender: Sender, ask: Callable[[], T]) -> T:
    """Return what the account answers before anything is sent; raise ExportError, or TryLater, if the run cannot go on."""
    try:
        return ask()
    except KeyRefused as refused:
        raise ExportError(refusal(refused)) from None
    except (Refused, AccountRefused) as error:
        raise ExportError(Reason.AUTOPILOT_REFUSED, str(error)) from None
    except NoAnswer:
        raise ExportError(nothing_done(app, run, account, sender)) from None
