"""Deliver one chunk: send it, and record its outcome once, however often the message comes."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from typing import Final

import polars as pl

from shared import tracing
from shared.adapters.storage import Container
from shared.app import Account, App
from shared.directory import ensure_lists
from shared.domain.account import Filling
from shared.domain.answers import AccountRefused, AutopilotError, KeyRefused, ListGone, Refused
from shared.domain.chunks import Operation, UnreadableChunk, decode, encode
from shared.domain.delivery import Delivery
from shared.domain.plan import REJECTED
from shared.domain.progress import Delivered, Progress, remainder
from shared.domain.proof import prove
from shared.domain.sending import Sender
from shared.domain.state import tabulate
from shared.ledger import NoSuchRun
from shared.reasons import Reason, RunEnded, TryLater
from shared.run import Counts, Run
from shared.signals import Span
from shared.steps.busy import BusySlots, RunOver
from shared.steps.files import chunk_path, write_table
from shared.steps.finish import finish_run
from shared.steps.read_back import read_back
from shared.steps.record import Outcome, record, record_lost
from shared.steps.window import DEADLINE, NO_CALLS, calls_of, nothing_done, open_account

log = logging.getLogger(__name__)

PROOF_SECONDS: Final = 120.0
"""Seconds one worker may take for the proof before another may try."""


LIST_PAUSE: Final = 2.0
"""Seconds before a chunk goes on whose list was deleted."""


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
        try:
            run = _work_off(app, run, chunk)
        except RunOver:
            log.info("left a chunk of a run that ended meanwhile: export=%s run=%s chunk=%s", export, run_id, chunk)
            return
    if run.is_delivered:
        finish_run(app, export, run_id)


@tracing.traced(Span.DELIVER)
def _work_off(app: App, run: Run, chunk: str) -> Run:
    """Work a chunk off and record its outcome; raises TryLater if nothing could be done, RunOver if it need not be."""
    path = chunk_path(run.export, run.id, str(run.plan), chunk)
    found = app.storage.get(Container.CHUNKS, path)
    if found is None:
        now = app.ledger.run(run.export, run.id)
        if now.status.is_final or app.ledger.entry(run.export, run.id, chunk) is not None:
            return now
        return record_lost(app, run, chunk, "it is missing")
    try:
        outcome = _carry_out(app, run, found[0])
    except UnreadableChunk as damage:
        return record_lost(app, run, chunk, str(damage))
    recorded = record(app, run, chunk, outcome)
    app.storage.delete(Container.CHUNKS, path)
    return recorded


def _carry_out(app: App, run: Run, data: bytes) -> Outcome:
    """Do what a chunk asks for; raise TryLater if nothing could be done, UnreadableChunk if it asks for nothing sound."""
    return read_back(app, run, data) if run.verification else _deliver(app, run, decode(data, lists=len(run.targets)))


def _deliver(app: App, run: Run, operations: Sequence[Operation]) -> Outcome:
    """Send a chunk to Autopilot and sort what came of it; raises TryLater if nothing could be sent."""
    if run.stop:
        return left_undone(run.stop, operations)
    try:
        account = open_account(app, run)
    except RunEnded as end:
        return left_undone(end.reason, operations)
    sender = app.sender(account, seconds=DEADLINE, slots=BusySlots(app, run, account.slots))
    try:
        lists, filling = _prepare(app, run, account, sender, operations)
    except KeyRefused:
        return left_undone(Reason.KEY_REFUSED, operations, calls_of(sender))
    except ListGone:
        raise TryLater(LIST_PAUSE, "a list was deleted meanwhile: it is made again") from None
    except (Refused, AccountRefused):
        return left_undone(Reason.AUTOPILOT_REFUSED, operations, calls_of(sender))
    except AutopilotError:
        return left_undone(nothing_done(app, run, account, sender), operations, calls_of(sender))
    delivery = Delivery(account.api, sender, lists, filling)
    delivered = delivery.deliver(operations)
    for place in delivery.lists_gone:
        app.accounts.remember_list(account.id, run.targets[place].list, None)
    stop = _stop(delivery, sender)
    if stop is None and not delivered.has_moved and not _answers(account, sender):
        stop = nothing_done(app, run, account, sender)
    return _sort(delivery, delivered, sender, lists, stop)


def _prepare(
    app: App, run: Run, account: Account, sender: Sender, operations: Sequence[Operation]
) -> tuple[tuple[str, ...], Filling]:
    """Find or create the run's lists, and settle which call fills them; raises an AutopilotError.

    A run that repairs believes nothing: it mends what believing led to.
    """
    lists = ensure_lists(app.accounts, account.id, [target.list for target in run.targets], account.api, sender)
    if run.trigger == "repair":
        return lists, Filling.MEMBERSHIP
    filling = app.filling(account)
    if filling is None and any(operation.add for operation in operations):
        with app.accounts.exclusive(account.id, "prove what fills lists", PROOF_SECONDS):
            filling = app.filling(account)
            if filling is None:
                try:
                    filling = prove(account.api, sender, operations, lists)
                except ListGone:
                    _forget_gone(app, run, account, sender, lists)
                    raise
                app.accounts.remember_filling(account.id, filling)
    return lists, filling or Filling.MEMBERSHIP


def _forget_gone(app: App, run: Run, account: Account, sender: Sender, lists: Sequence[str]) -> None:
    """Forget the lists that are gone, so that they are made again."""
    existing = {list_id for ids in sender.one(account.api.lists).values() for list_id in ids}
    for target, list_id in zip(run.targets, lists, strict=True):
        if list_id not in existing:
            app.accounts.remember_list(account.id, target.list, None)


def _answers(account: Account, sender: Sender) -> bool:
    """Return whether Autopilot answers, so that what failed is a matter of its own.

    Many calls in a row that had no answer are no matter of their contacts, whatever else is answered.
    """
    if sender.has_given_up:
        return False
    try:
        sender.probe(account.api.account)
    except AutopilotError:
        return False
    return True


def _sort(
    delivery: Delivery, delivered: Delivered, sender: Sender, lists: tuple[str, ...], stop: Reason | None
) -> Outcome:
    """Sort a delivery into what is confirmed, what is refused and what is left for later, or undelivered at a stop."""
    counted = not sender.has_given_up
    later, given_up = remainder(delivered.unsettled, counted=counted) if stop is None else ([], [])
    undelivered = [item.operation for item in delivered.unsettled] if stop else []
    settled = [*delivered.settled, *given_up]
    rejected = [item for item in settled if item.reason]
    everybody = (*delivered.settled, *delivered.unsettled)
    receipts = tabulate([delivery.receipt(item) for item in everybody], lists)
    return Outcome(
        receipts=write_table(receipts, lists) if everybody else None,
        rejected=write_table(_rejected(rejected)) if rejected else None,
        rest=encode(later) if later else None,
        counts=calls_of(sender)
        + Counts(
            delivered=sum(item.reason is None and item.operation.is_row for item in settled),
            rejected=sum(item.operation.is_row for item in rejected),
            removed=sum(len(item.removed) for item in everybody),
            undelivered=_rows(undelivered),
        ),
        settled=len(settled),
        left=len(undelivered),
        stop=stop,
        reasons=Counter(str(item.reason) for item in rejected if item.operation.is_row),
    )


def _stop(delivery: Delivery, sender: Sender) -> Reason | None:
    """Say why the run shall send no more, if so."""
    if sender.key_refused:
        return Reason.KEY_REFUSED
    return Reason.AUTOPILOT_REFUSED if delivery.refuses_all or sender.account_refused else None


def left_undone(reason: Reason, operations: Sequence[Operation], calls: Counts = NO_CALLS) -> Outcome:
    """Give the outcome of a chunk of which nothing is sent, because its run shall stop."""
    return Outcome(stop=reason, counts=calls + Counts(undelivered=_rows(operations)), left=len(operations))


def _rows(operations: Sequence[Operation]) -> int:
    return sum(operation.is_row for operation in operations)


def _rejected(items: Sequence[Progress]) -> pl.DataFrame:
    rows = [(item.operation.customer, item.operation.segment, None, item.reason, None) for item in items]
    return pl.DataFrame(rows, schema=REJECTED, orient="row")
