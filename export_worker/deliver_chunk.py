"""Deliver one chunk: send it, and record its outcome once, however often the message comes."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

import polars as pl

from export_worker.stop import stop_of
from shared.accounts.lists import ensure_lists, forget_gone
from shared.azure.storage import Container, TooLarge
from shared.composition.app import Account, App
from shared.delivery.capabilities import ListMethod
from shared.delivery.chunks import Operation, UnreadableChunk, check_addresses, decode, encode
from shared.delivery.contacts import Contact, Creation
from shared.delivery.delivery import Delivery
from shared.delivery.errors import (
    AccountRefused,
    DestinationError,
    KeyRefused,
    ListGone,
    PermissionsWouldChange,
    Refused,
)
from shared.delivery.progress import Delivered, Progress, remainder
from shared.delivery.sending import Sender
from shared.lifecycle.finish import finish_run
from shared.lifecycle.liveness import BusySlots, RunOver
from shared.lifecycle.read_lists import read_back
from shared.lifecycle.record import Attempt, Outcome, record, record_lost
from shared.lifecycle.undone import doubts, left, rows_of
from shared.lifecycle.window import DEADLINE, calls_of, nothing_done, open_account, postponed_calls, refusal
from shared.planning.survey import REJECTED
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError, TryLater
from shared.retry.policy import LIST_GONE
from shared.runs.counts import Counts
from shared.runs.files import chunk_path, write_table
from shared.runs.ledger import NoSuchRun
from shared.runs.run import Run
from shared.state.state import tabulate
from shared.telemetry import tracing
from shared.telemetry.names import Span

log = logging.getLogger(__name__)

PROOF_SECONDS: Final = 120.0
"""Seconds one worker may take for the proof before another may try."""


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
            with tracing.span(Span.DELIVER, run, chunk=chunk):
                run = _work_off(app, run, chunk)
        except RunOver:
            log.info("left a chunk of a run that ended meanwhile: export=%s run=%s chunk=%s", export, run_id, chunk)
            return
    if run.is_delivered:
        finish_run(app, export, run_id)


def _work_off(app: App, run: Run, chunk: str) -> Run:
    """Work a chunk off and record its outcome; raises TryLater if nothing could be done, RunOver if it need not be."""
    path = chunk_path(run.export, run.id, str(run.plan), chunk)
    try:
        found = app.storage.get(Container.CHUNKS, path)
    except TooLarge as damage:
        return record_lost(app, run, chunk, str(damage))
    if found is None:
        now = app.ledger.run(run.export, run.id)
        if now.status.is_final or app.ledger.entry(run.export, run.id, chunk) is not None:
            return now
        return record_lost(app, run, chunk, "it is missing")
    try:
        outcome = _carry_out(app, run, chunk, found[0])
    except UnreadableChunk as damage:
        return record_lost(app, run, chunk, str(damage))
    recorded = record(app, run, chunk, outcome)
    app.storage.delete(Container.CHUNKS, path)
    return recorded


def _carry_out(app: App, run: Run, chunk: str, data: bytes) -> Outcome:
    """Do what a chunk asks for; raise TryLater if nothing could be done, UnreadableChunk if it asks for nothing sound."""
    if run.verification:
        return read_back(app, run, data)
    operations = decode(data, lists=len(run.targets))
    return _send(app, run, chunk, operations) if run.stop is None else _settle(app, run, chunk, operations)


def _settle(app: App, run: Run, chunk: str, operations: Sequence[Operation]) -> Outcome:
    """Settle a chunk of a run that shall stop: nothing is begun any more.

    What somebody has begun is sent again, since only answers tell what was done; where there are none, it stays in doubt.
    Raise TryLater where nobody is away: somebody else is at it, or the pace is taken.
    """
    if run.stop is Reason.CANCELED_BY_USER and chunk in run.begun:
        try:
            return _send(app, run, chunk, operations)
        except TryLater:
            if app.ledger.run(run.export, run.id).unreachable_since is None:
                raise
    return left(app, run, run.stop or Reason.CANCELED_BY_USER, operations)


def _send(app: App, run: Run, chunk: str, operations: Sequence[Operation]) -> Outcome:
    """Send a chunk to its destination and sort what came of it; raise TryLater if nothing could be sent."""
    try:
        account = open_account(app, run)
    except ExportError as end:
        return left(app, run, end.reason, operations)
    check_addresses(operations, account.destination.fields.address)
    slots = BusySlots(app, run, account.slots)
    attempt, sender = Attempt(app, run, chunk, slots), app.sender(account, seconds=DEADLINE, slots=slots)
    with postponed_calls(app, run, sender):
        return _sent(attempt, account, sender, operations)


def _sent(attempt: Attempt, account: Account, sender: Sender, operations: Sequence[Operation]) -> Outcome:
    app, run = attempt.app, attempt.run
    undone = partial(left, app, run)
    try:
        lists, method, listed = _prepare(attempt, account, sender, operations)
        attempt.begin()
    except ExportError as end:
        return undone(end.reason, operations, calls_of(sender))
    except KeyRefused as refused:
        return undone(refusal(refused), operations, calls_of(sender))
    except PermissionsWouldChange:
        return undone(Reason.PERMISSIONS_WOULD_CHANGE, operations, calls_of(sender))
    except ListGone:
        raise TryLater(LIST_GONE.pause(), "a list was deleted meanwhile: it is made again") from None
    except (Refused, AccountRefused):
        return undone(Reason.AUTOPILOT_REFUSED, operations, calls_of(sender))
    except DestinationError:
        return undone(nothing_done(app, run, account, sender), operations, calls_of(sender))
    delivery = Delivery(account.destination, account.api, sender, lists, method, _creation(run))
    delivered = delivery.deliver(operations)
    for list_index in delivery.lists_gone:
        app.accounts.remember_list(account.id, run.targets[list_index].list, None)
    stop = None if delivered.is_whole else stop_of(app, run, account, sender, operations, delivery, delivered)
    if stop is Reason.FIELD_UNKNOWN:
        delivered = delivered.excused()
    _note_proof(delivery, delivered, listed)
    return _sort(delivery, delivered, sender, lists, stop)


def _prepare(
    attempt: Attempt, account: Account, sender: Sender, operations: Sequence[Operation]
) -> tuple[tuple[str, ...], ListMethod, Mapping[str, str]]:
    """Find or create the run's lists, and settle how they are filled; raise a DestinationError, and what `begin` raises.

    A run that repairs believes nothing: it repairs what believing led to. Whom a proof sent with a list is returned too.
    """
    app, run = attempt.app, attempt.run
    lists = ensure_lists(app.accounts, account.id, [target.list for target in run.targets], account.api, sender)
    if permissions := account.api.permissions:
        attempt.begin()
        alone = partial(app.locks.exclusive, account.id, "prove permissions", PROOF_SECONDS)
        permissions.prepare(_to_be_sent(account, run, operations), run.new_people, sender, alone)
    certain = account.destination.methods[-1]
    if run.trigger == "repair":
        return lists, certain, {}
    method = app.list_method(account)
    if method is None and any(operation.add for operation in operations):
        with app.locks.exclusive(account.id, "prove what fills lists", PROOF_SECONDS):
            method = app.list_method(account)
            if method is None:
                attempt.begin()
                try:
                    proof = account.api.prove(_contacts(account, operations, lists), sender)
                except ListGone:
                    filled = dict(zip([target.list for target in run.targets], lists, strict=True))
                    forget_gone(app.accounts, account.id, filled, account.api, sender)
                    raise
                app.accounts.remember_list_method(account.id, proof.method.name if proof.method else None)
                return lists, proof.method or certain, proof.listed
    return lists, method or certain, {}


def _creation(run: Run) -> Creation:
    """Return what the run's export decided about people who are created."""
    return Creation(run.new_people, run.create_suppressed)


def _to_be_sent(account: Account, run: Run, operations: Sequence[Operation]) -> list[Contact]:
    """Return the contacts whose values are sent."""
    address = account.destination.fields.address
    return [
        Contact(str(fields[address]).lower(), fields, operation.contact_id, even_suppressed=run.create_suppressed)
        for operation in operations
        if (operation.upsert or operation.contact_id is None) and (fields := operation.fields)
    ]


def _contacts(account: Account, operations: Sequence[Operation], lists: Sequence[str]) -> list[Contact]:
    """Return the contacts that go on lists, for a proof."""
    address = account.destination.fields.address
    return [
        Contact(str(fields[address]).lower(), fields, operation.contact_id, tuple(lists[n] for n in operation.add))
        for operation in operations
        if operation.add and (fields := operation.fields)
    ]


def _note_proof(delivery: Delivery, delivered: Delivered, listed: Mapping[str, str]) -> None:
    """Note whom the proof sent with a list: they may be on it, with their values, whatever the delivery's own calls came to."""
    for item in (*delivered.settled, *delivered.unsettled):
        if contact_id := listed.get(delivery.address(item)):
            item.contact_id, item.sent = item.contact_id or contact_id, True
            item.attempted.add(item.operation.add[0])


def _sort(
    delivery: Delivery,
    delivered: Delivered,
    sender: Sender,
    lists: tuple[str, ...],
    stop: Reason | None,
) -> Outcome:
    """Sort a delivery into what is confirmed, what is refused and what is left for later, or undelivered at a stop.

    What is not done here stays in doubt if another attempt may have sent it, also of whom the destination refuses by now.
    """
    everybody = (*delivered.settled, *delivered.unsettled)
    undone = [item for item in everybody if not item.is_done]

    def in_doubt() -> bytes:
        open_ones = doubts([item.in_doubt for item in undone], lists)
        return write_table(tabulate([*receipts, *open_ones], lists), lists)

    counted = not sender.has_given_up
    later, given_up = remainder(delivered.unsettled, counted=counted) if stop is None else ([], [])
    undelivered = [item.operation for item in delivered.unsettled] if stop else []
    settled = [*delivered.settled, *given_up]
    rejected = [item for item in settled if item.reason]
    receipts = [delivery.receipt(item) for item in everybody]
    return Outcome(
        receipts=write_table(tabulate(receipts, lists), lists) if everybody else None,
        rejected=write_table(_rejected(rejected)) if rejected else None,
        rest=encode(later) if later else None,
        counts=calls_of(sender)
        + Counts(
            delivered=sum(item.reason is None and not item.suppressed and item.operation.is_row for item in settled),
            suppressed=sum(item.suppressed and item.operation.is_row for item in settled),
            rejected=sum(item.operation.is_row for item in rejected),
            removed=sum(len(item.removed) for item in everybody),
            undelivered=rows_of(undelivered),
        ),
        settled=len(settled),
        left=len(undelivered),
        stop=stop,
        reasons=Counter(str(item.reason) for item in rejected if item.operation.is_row),
        has_begun=True,
        in_doubt=in_doubt if undone else None,
    )


def _rejected(items: Sequence[Progress]) -> pl.DataFrame:
    rows = [(item.operation.customer, item.operation.segment, None, item.reason, None, None) for item in items]
    return pl.DataFrame(rows, schema=REJECTED, orient="row")
