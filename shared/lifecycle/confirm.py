"""Confirm that the lists are filled: an account may stop honouring what calls carry, and somebody may delete lists and contacts."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import Final

import polars as pl

from shared.azure.vault import VaultUnavailable
from shared.composition.app import Account, App
from shared.delivery.errors import ContactGone, DestinationError, ListGone, Unclear
from shared.delivery.sending import Sender
from shared.lifecycle.window import NO_CALLS, calls_of
from shared.reasons.errors import ExportError
from shared.runs.counts import Counts
from shared.runs.run import Run
from shared.state.state import State, bit

log = logging.getLogger(__name__)

SECONDS: Final = 30.0

_LIST_LOST: Final = (
    "A list was deleted at the destination while it was filled; the next run puts everybody on the new one."
)


def fell_short(
    app: App, run: Run, state: State, receipts: pl.DataFrame, list_ids: Sequence[str]
) -> tuple[bool | None, Counts]:
    """Return whether a list holds fewer members than sending contacts should have put on it; two calls a list.

    None where the account cannot be asked now: then nobody knows, be the run stopped or not. The calls are returned too.
    """
    if not run.counts.joiners or run.trigger == "repair":
        return False, NO_CALLS
    try:
        account = app.account(run.connection)
        if run.account and account.id != run.account:
            return None, NO_CALLS
        method = app.list_method(account)
        if method == account.destination.methods[-1]:  # None: what was believed in this run was forgotten meanwhile
            return False, NO_CALLS
        sender, replaced = app.sender(account, seconds=SECONDS), _replaced(app, run, list_ids)
    except (DestinationError, ExportError, VaultUnavailable) as error:
        _unconfirmed(run, error)
        return None, NO_CALLS
    try:
        short = any(
            _is_short(account, sender, list_id, state, receipts.filter((pl.col("lists") & bit(list_index)) != 0))
            for list_index, list_id in enumerate(list_ids)
            if list_id not in replaced
        )
    except (DestinationError, VaultUnavailable) as error:
        _unconfirmed(run, error)
        return None, calls_of(sender)
    if short:
        app.accounts.remember_list_method(account.id, None)
    return short, calls_of(sender)


def what_is_lost(lists: int, people: int) -> str:
    """Return what the run learnt that somebody deleted: so many lists, and contacts of so many people; a sentence each."""
    who = "1 contact was" if people == 1 else f"{people:,} contacts were"
    made_again = f"{who} deleted or merged at the destination after delivery. The next run fills their lists again."
    return " ".join([_LIST_LOST] * (lists > 0) + [made_again] * (people > 0))


def lost_lists(app: App, run: Run, receipts: pl.DataFrame, list_ids: Sequence[str]) -> int:
    """Count the lists that contacts were put on, and in whose place there are others by now: they were deleted meanwhile."""
    replaced = _replaced(app, run, list_ids)
    return sum(
        list_id in replaced and receipts.select(((pl.col("lists") & bit(list_index)) != 0).any()).item()
        for list_index, list_id in enumerate(list_ids)
    )


def _replaced(app: App, run: Run, list_ids: Sequence[str]) -> set[str]:
    """Return those of the lists that none of the run's segments fills by now; none while one of theirs is not known."""
    account = run.account or app.accounts.identities.home(str(run.connection)) or str(run.connection)
    filled = {app.accounts.list_id(account, target.list) for target in run.targets}
    return set(list_ids) - filled if filled and None not in filled else set()


def _unconfirmed(run: Run, error: Exception) -> None:
    log.warning("lists could not be confirmed: export=%s run=%s %s", run.export, run.id, type(error).__name__)


def _is_short(account: Account, sender: Sender, list_id: str, state: State, added: pl.DataFrame) -> bool:
    """Ask for the number of members and for the member that was added last; a list that is gone has none."""
    if added.is_empty():
        return False
    ours = state.on_lists([list_id]).filter(pl.col("lists") != 0).height
    last = str(added["contact_id"][-1])
    try:
        total = sender.one(partial(account.api.members, list_id, ())).total
        return total < ours or not _is_on(account, sender, list_id, last)
    except (ContactGone, ListGone):
        return True
    except Unclear:
        return account.api.list_is_gone(list_id, sender)


def _is_on(account: Account, sender: Sender, list_id: str, contact_id: str) -> bool:
    (seen,) = sender.one(partial(account.api.look, [contact_id]))
    return seen is not None and list_id in seen.lists
