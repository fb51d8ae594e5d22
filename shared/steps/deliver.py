"""Deliver one chunk: send it, and record its outcome once, however often the message comes."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from shared.adapters.storage import Container, Queue
from shared.adapters.vault import VaultUnavailable
from shared.app import Account, App
from shared.directory import ensure_lists
from shared.domain.answers import AutopilotError, KeyRefused, Refused
from shared.domain.chunks import Operation, decode, encode
from shared.domain.delivery import Delivered, Delivery, Progress, remainder
from shared.domain.plan import REJECTED
from shared.domain.proof import prove
from shared.domain.sending import Sender
from shared.domain.state import Receipt, tabulate
from shared.ledger import NoSuchRun
from shared.reasons import Reason, RunEnded, TryLater
from shared.run import Counts, Entry, Run
from shared.steps.busy import BusySlots
from shared.steps.files import chunk_path, next_name, run_folder, write_table
from shared.steps.finish import finish_run
from shared.steps.outage import note_outage

log = logging.getLogger(__name__)

DEADLINE: Final = 240.0
"""Seconds for one chunk: far below the function's timeout, which would take the whole worker with it."""

PROOF_SECONDS: Final = 120.0
"""Seconds one worker may take for the proof before another may try."""

CONTINUATION_DELAY: Final = 5.0
"""Seconds before what a chunk left over is tried again."""

HORIZON: Final = 30.0
"""Seconds of backlog at which a worker gives its chunk back instead of waiting with it."""


@dataclass(slots=True)
class Outcome:
    """What came of one chunk."""

    lists: tuple[str, ...] = ()
    receipts: list[Receipt] = field(default_factory=list)
    rejected: list[Progress] = field(default_factory=list)
    later: list[Operation] = field(default_factory=list)
    undelivered: list[Operation] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    settled: int = 0
    stop: Reason | None = None


def deliver_chunk(app: App, export: str, run_id: str, chunk: str) -> None:
    """Deliver a chunk and record what came of it; the last chunk of a run finishes it.

    Raises TryLater when the work cannot go on now.
    """
    try:
        run = app.ledger.run(export, run_id)
    except NoSuchRun:
        log.warning("dropped a chunk of an unknown run: export=%s run=%s", export, run_id)
        return
    if run.status.is_final:
        return
    if app.ledger.entry(export, run_id, chunk) is None:
        run = _deliver(app, run, chunk)
    if run.is_delivered:
        finish_run(app, export, run_id)


def _deliver(app: App, run: Run, chunk: str) -> Run:
    path = chunk_path(run.export, run.id, str(run.plan), chunk)
    found = app.storage.get(Container.CHUNKS, path)
    if found is None:
        if app.ledger.entry(run.export, run.id, chunk) is not None:
            return app.ledger.run(run.export, run.id)
        raise FileNotFoundError(f"chunks/{path} is missing")
    operations = decode(found[0])
    outcome = Outcome(stop=run.stop, undelivered=list(operations)) if run.stop else _send(app, run, operations)
    recorded = record(app, run, chunk, outcome)
    app.storage.delete(Container.CHUNKS, path)
    return recorded


def _send(app: App, run: Run, operations: Sequence[Operation]) -> Outcome:
    """Send a chunk to Autopilot and sort what came of it; raises TryLater if nothing could be sent."""
    try:
        account = app.account(run.connection)
        account.key.current()
    except RunEnded as end:
        return Outcome(stop=end.reason, undelivered=list(operations))
    except VaultUnavailable:
        return _wait(app, run, operations, Reason.KEY_MISSING)
    backlog = account.slots.backlog()
    if backlog > HORIZON:
        raise TryLater(backlog / 2, "the account's pace is taken for longer than a worker waits")
    sender = app.sender(account, seconds=DEADLINE, slots=BusySlots(app, run, account.slots))
    try:
        lists, bulk_lists = _prepare(app, run, account, sender, operations)
    except KeyRefused:
        return Outcome(stop=Reason.KEY_REFUSED, undelivered=list(operations), counts=_calls(sender))
    except Refused:
        return Outcome(stop=Reason.AUTOPILOT_REFUSED, undelivered=list(operations), counts=_calls(sender))
    except AutopilotError:
        return _wait(app, run, operations, Reason.AUTOPILOT_UNAVAILABLE)
    delivery = Delivery(account.api, sender, lists, bulk_lists=bulk_lists)
    delivered = delivery.deliver(operations)
    for place in delivery.lists_gone:
        app.accounts.remember_list(account.name, run.targets[place].list, None)
    if sender.key_refused is None and not sender.tally.succeeded and not _answers(account, sender):
        return _wait(app, run, operations, Reason.AUTOPILOT_UNAVAILABLE)
    return _sort(delivery, delivered, sender, lists)


def _prepare(
    app: App, run: Run, account: Account, sender: Sender, operations: Sequence[Operation]
) -> tuple[tuple[str, ...], bool]:
    """Find or create the run's lists, and settle whether the bulk call fills them; raises an AutopilotError."""
    lists = ensure_lists(app.accounts, account.name, [target.list for target in run.targets], account.api, sender)
    match account.connection.list_strategy:
        case "bulk":
            return lists, True
        case "single":
            return lists, False
        case "auto":
            proof = app.accounts.proof(account.name)
            if proof is None and any(operation.add for operation in operations):
                with app.accounts.exclusive(account.name, "prove bulk lists", PROOF_SECONDS):
                    proof = app.accounts.proof(account.name)
                    if proof is None:
                        proof = prove(account.api, sender, operations, lists)
                        app.accounts.remember_proof(account.name, proof)
            return lists, bool(proof)


def _answers(account: Account, sender: Sender) -> bool:
    """Say whether Autopilot answers at all, so that what failed is to blame itself."""
    try:
        sender.probe(account.api.account)
    except AutopilotError:
        return False
    return True


def _wait(app: App, run: Run, operations: Sequence[Operation], reason: Reason) -> Outcome:
    """Give the chunk back for a while, or stop the run if this has gone on for too long."""
    seconds = note_outage(app, run)
    if seconds is None:
        return Outcome(stop=reason, undelivered=list(operations))
    raise TryLater(seconds, f"waiting: {reason}")


def _sort(delivery: Delivery, delivered: Delivered, sender: Sender, lists: tuple[str, ...]) -> Outcome:
    """Sort a delivery into what is confirmed, what is refused and what is left for later."""
    if sender.key_refused is None:
        later, given_up = remainder(delivered.unsettled)
        undelivered: list[Operation] = []
    else:
        later, given_up = [], []
        undelivered = [item.operation for item in delivered.unsettled]
    settled = [*delivered.settled, *given_up]
    rejected = [item for item in settled if item.reason]
    return Outcome(
        lists=lists,
        receipts=[delivery.receipt(item) for item in (*delivered.settled, *delivered.unsettled)],
        rejected=rejected,
        later=later,
        undelivered=undelivered,
        counts=_calls(sender)
        + Counts(
            delivered=sum(item.reason is None and item.operation.is_row for item in settled),
            rejected=sum(item.operation.is_row for item in rejected),
            removed=sum(len(item.removed) for item in (*delivered.settled, *delivered.unsettled)),
        ),
        settled=len(settled),
        stop=Reason.KEY_REFUSED if sender.key_refused else None,
    )


def _calls(sender: Sender) -> Counts:
    return Counts(requests=sender.tally.requests, throttled=sender.tally.throttled, retried=sender.tally.retried)


def record(app: App, run: Run, chunk: str, outcome: Outcome) -> Run:
    """Record a chunk's outcome, once: the blobs first, then one transaction that names them and counts them.

    Whoever comes second finds the record and takes the own blobs away. What is left for later becomes a chunk of its
    own that continues this one.
    """
    attempt = secrets.token_hex(4)
    folder = f"{run_folder(run.export, run.id)}{chunk}-{attempt}"
    receipts = f"{folder}.parquet" if outcome.receipts else None
    rejected = f"{folder}.rejected.parquet" if outcome.rejected else None
    continued_by = next_name(chunk, attempt) if outcome.later else None
    if receipts:
        table = tabulate(outcome.receipts, outcome.lists)
        app.storage.put(Container.OUTCOMES, receipts, write_table(table, outcome.lists))
    if rejected:
        app.storage.put(Container.OUTCOMES, rejected, write_table(_rejected(outcome.rejected)))
    rest = chunk_path(run.export, run.id, str(run.plan), continued_by) if continued_by else None
    if rest:
        app.storage.put(Container.CHUNKS, rest, encode(outcome.later))
    undelivered = sum(operation.is_row for operation in outcome.undelivered)
    now = app.now()

    def counted(run: Run) -> Run:
        return run.model_copy(
            update={
                "done": run.done + 1,
                "chunks": run.chunks + (continued_by is not None),
                "settled": run.settled + outcome.settled,
                "counts": run.counts + outcome.counts + Counts(undelivered=undelivered),
                "stop": run.stop or outcome.stop,
                "progress_at": now,
                "unreachable_since": None if outcome.settled else run.unreachable_since,
            }
        )

    entry = Entry(chunk=chunk, receipts=receipts, rejected=rejected, continued_by=continued_by)
    recorded, first = app.ledger.record(run.export, run.id, entry, counted)
    if not first:
        for path in filter(None, (receipts, rejected)):
            app.storage.delete(Container.OUTCOMES, path)
        if rest:
            app.storage.delete(Container.CHUNKS, rest)
    elif continued_by:
        app.storage.send(
            Queue.CHUNKS, {"export": run.export, "run": run.id, "chunk": continued_by}, delay=CONTINUATION_DELAY
        )
    log.info(
        "recorded export=%s run=%s chunk=%s settled=%d later=%d first=%s",
        run.export,
        run.id,
        chunk,
        outcome.settled,
        len(outcome.later),
        first,
    )
    return recorded


def _rejected(items: Sequence[Progress]) -> pl.DataFrame:
    rows = [(item.operation.customer, item.operation.segment, None, item.reason) for item in items]
    return pl.DataFrame(rows, schema=REJECTED, orient="row")
