"""Plan a run: from the segments and the state to chunks on the queue."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from shared.adapters.storage import Container, Queue
from shared.adapters.vault import VaultUnavailable
from shared.app import Account, App
from shared.configuration import Export
from shared.directory import known_lists
from shared.domain.answers import KeyRefused, Refused, TryAgain
from shared.domain.cleaning import Recipe
from shared.domain.plan import Plan, Scope, check_guards, chunks, plan
from shared.domain.sending import Sender
from shared.ledger import NoSuchRun
from shared.reasons import Reason, RunEnded, Status, TryLater
from shared.run import Counts, Run
from shared.source.catalogue import Table
from shared.source.customer_insights import CustomerInsights
from shared.steps.busy import Heartbeat
from shared.steps.files import chunk_names, chunk_path, load_state, rejected_path, run_folder, write_table
from shared.steps.finish import end_run, finish_run
from shared.steps.outage import note_outage
from shared.steps.rejected import rejected_customers

log = logging.getLogger(__name__)

PREFLIGHT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class SourceSegment:
    """One segment of the source, as the planner reads it."""

    source: CustomerInsights
    table: Table
    beat: Callable[[], None] = lambda: None

    @property
    def name(self) -> str:
        """The segment's name."""
        return self.table.name

    @property
    def columns(self) -> Sequence[str]:
        """The columns it has."""
        return self.table.columns

    def read(self, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Give its rows in batches."""
        for batch in self.source.read(self.table, columns):
            self.beat()
            yield batch


def plan_run(app: App, export: str, run_id: str) -> None:
    """Plan a run and put its chunks on the queue; a run that cannot go on is ended with its reason. May be repeated.

    Raises TryLater while Autopilot or the vault does not answer.
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
            run = _plan(app, run)
    except RunEnded as end:
        end_run(app, run, end)
        return
    except VaultUnavailable as error:
        wait = note_outage(app, run)
        if wait is None:
            end_run(app, run, RunEnded(Reason.KEY_MISSING, f"{error}."))
            return
        raise TryLater(wait, str(error)) from None
    issue(app, run)
    if run.is_delivered:
        finish_run(app, export, run_id)


def issue(app: App, run: Run) -> None:
    """Put every chunk of a run on the queue that has no outcome yet."""
    recorded = {entry.chunk: entry.continued_by for entry in app.ledger.entries(run.export, run.id)}
    names = chunk_names(run.chunks - sum(name is not None for name in recorded.values()))
    names += [name for name in recorded.values() if name is not None]
    for name in names:
        if name not in recorded:
            app.storage.send(Queue.CHUNKS, {"export": run.export, "run": run.id, "chunk": name})


def recipe_of(export: Export) -> Recipe:
    """Give how an export turns rows into contacts."""
    return Recipe(export.mapping, clear_empty=export.clear_empty)


def scope_of(app: App, export: Export, rejected_file: str | None = None) -> Scope:
    """Give whom a run of an export concerns: everybody, or those whose rows are in a rejected-rows file."""
    only = None if rejected_file is None else rejected_customers(app.storage, rejected_file)
    return Scope(export.leavers == "remove", app.tombstones.people(), only)


def _plan(app: App, run: Run) -> Run:
    """Plan a run that has no plan yet, and record the plan; gives the run with the plan that was recorded first."""
    found = app.registry.export(run.export)
    if found is None:
        raise RunEnded(Reason.CANCELED_BY_USER, "The export was deleted before the run began.")
    export = found[0]
    account = app.account(export.connection)
    now = app.now()
    run = app.ledger.change(
        run.export,
        run.id,
        lambda run: run.model_copy(
            update={
                "status": Status.PROCESSING,
                "started_at": run.started_at or now,
                "progress_at": now,
                "connection": account.name,
                "targets": export.segments,
            }
        ),
    )
    sender = app.sender(account, seconds=PREFLIGHT_SECONDS)
    list_ids = _lists(app, run, account, sender)
    segments = read_segments(app, export, Heartbeat(app, run))
    state = load_state(app.storage, run.export, account.name, app.ledger.head(run.export).states.get(account.name))
    planned = plan(
        segments,
        recipe_of(export),
        app.digest_key(),
        state,
        list_ids,
        scope_of(app, export, run.rejected_of and rejected_path(run.export, run.rejected_of)),
    )
    names = [target.segment for target in export.segments]
    check_guards(planned, names, export.guards, export.max_profiles)
    attempt = secrets.token_hex(4)
    count = 0
    for count, chunk in enumerate(chunks(planned, segments, recipe_of(export)), start=1):
        app.storage.put(Container.CHUNKS, chunk_path(run.export, run.id, attempt, f"{count:06d}"), chunk)
    rejected = f"{run_folder(run.export, run.id)}plan-{attempt}.rejected.parquet"
    app.storage.put(Container.OUTCOMES, rejected, write_table(planned.rejected))
    return _record(app, run, attempt, count, planned, sender)


def _record(app: App, run: Run, attempt: str, count: int, planned: Plan, sender: Sender) -> Run:
    """Record the plan, unless another planner of the same run was first; then its chunks count and ours go."""
    difference = planned.difference
    counts = Counts(
        rows_read=sum(planned.rows_read),
        profiles=difference.profiles,
        duplicates=difference.duplicates,
        joiners=difference.joiners,
        changed=difference.changed,
        leavers=difference.leavers,
        unchanged=difference.unchanged,
        rejected=planned.rejected.height,
        undelivered=difference.set_aside,
        requests=sender.tally.requests,
        throttled=sender.tally.throttled,
        retried=sender.tally.retried,
    )
    now = app.now()

    def planned_by_us(run: Run) -> Run:
        if run.plan is not None or run.status.is_final:
            return run
        return run.model_copy(
            update={
                "plan": attempt,
                "chunks": count,
                "operations": difference.operations.height,
                "counts": counts,
                "planned_at": now,
                "progress_at": now,
            }
        )

    recorded = app.ledger.change(run.export, run.id, planned_by_us)
    if recorded.plan != attempt:
        app.storage.delete_all(Container.CHUNKS, f"{run_folder(run.export, run.id)}{attempt}/")
    log.info(
        "planned export=%s run=%s chunks=%d operations=%d", run.export, run.id, recorded.chunks, recorded.operations
    )
    return recorded


def read_segments(app: App, export: Export, beat: Callable[[], None] = lambda: None) -> list[SourceSegment]:
    """Find the export's segments in the source, all of one settled refresh; raises RunEnded."""
    catalogue = app.source.catalogue()
    names = [target.segment for target in export.segments]
    tables = [catalogue.table(name) for name in names]
    app.source.verify_settled(catalogue, names, now=app.now(), quiet=timedelta(seconds=app.settings.settle_seconds))
    return [SourceSegment(app.source, table, beat) for table in tables]


def _lists(app: App, run: Run, account: Account, sender: Sender) -> tuple[str, ...]:
    """Ask Autopilot for its lists: the key works, and a list that was deleted there is filled anew."""
    try:
        existing = sender.one(account.api.lists)
    except KeyRefused:
        raise RunEnded(Reason.KEY_REFUSED) from None
    except Refused as error:
        raise RunEnded(Reason.AUTOPILOT_REFUSED, str(error)) from None
    except TryAgain:
        wait = note_outage(app, run)
        if wait is None:
            raise RunEnded(Reason.AUTOPILOT_UNAVAILABLE) from None
        raise TryLater(wait, "Autopilot does not answer") from None
    titles = [target.list for target in run.targets]
    return known_lists(app.accounts, account.name, titles, existing)
