"""Why a run shall send no more: what a delivery came to, and what the destination says then."""

from __future__ import annotations

from collections.abc import Sequence

from shared.composition.app import Account, App
from shared.delivery.chunks import Operation
from shared.delivery.delivery import Delivery
from shared.delivery.errors import DestinationError
from shared.delivery.progress import Delivered
from shared.delivery.sending import Sender
from shared.lifecycle.window import nothing_done, refusal
from shared.reasons.codes import Reason
from shared.reasons.rows import RowReason
from shared.runs.run import Run


def stop_of(
    app: App,
    run: Run,
    account: Account,
    sender: Sender,
    operations: Sequence[Operation],
    delivery: Delivery,
    delivered: Delivered,
) -> Reason | None:
    """Return why the run shall send no more, if so."""
    if sender.key_refused:
        return refusal(sender.key_refused)
    if _has_lost_a_field(account, sender, operations, delivery, delivered):
        return Reason.FIELD_UNKNOWN
    if delivery.refuses_all or sender.account_refused:
        return Reason.AUTOPILOT_REFUSED
    if not delivered.has_moved and not _answers(account, sender):
        return nothing_done(app, run, account, sender)
    return None


def _has_lost_a_field(
    account: Account, sender: Sender, operations: Sequence[Operation], delivery: Delivery, delivered: Delivered
) -> bool:
    """Return whether contacts were refused, none was taken, and the account has no longer a field that they have.

    It is asked for its fields only then; without an answer nothing is known.
    """
    items = (*delivered.settled, *delivered.unsettled)
    refused = delivery.refuses_all or any(item.reason is RowReason.REFUSED for item in items)
    if not refused or any(item.confirmed for item in items):
        return False
    names = sorted({name for operation in operations for name in operation.fields or ()})
    try:
        return bool(account.api.check_fields(names, sender).conflicts)
    except DestinationError:
        return False


def _answers(account: Account, sender: Sender) -> bool:
    """Return whether the destination answers, so that what failed is a matter of its own.

    Many calls in a row that had no answer are no matter of their contacts, whatever else is answered.
    """
    if sender.has_given_up:
        return False
    try:
        sender.probe(account.api.identity)
    except DestinationError:
        return False
    return True
