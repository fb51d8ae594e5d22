"""Confirm that the calls that sent contacts filled the lists: an account may stop honouring what they carry."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import Final

import polars as pl

from shared.azure.vault import VaultUnavailable
from shared.composition.app import Account, App
from shared.delivery.account import list_exists
from shared.delivery.errors import ContactGone, DestinationError, ListGone, Unclear
from shared.delivery.sending import Sender
from shared.reasons.errors import ExportError
from shared.runs.run import Run
from shared.state.state import State, bit

log = logging.getLogger(__name__)

SECONDS: Final = 30.0


def fell_short(app: App, run: Run, state: State, receipts: pl.DataFrame, list_ids: Sequence[str]) -> bool | None:
    """Return whether a list holds fewer members than sending contacts should have put on it; two calls a list.

    None where Autopilot cannot be asked now: then nobody knows, be the run stopped or not.
    """
    if not run.counts.joiners or run.trigger == "repair":
        return False
    try:
        account = app.account(run.connection)
        method = app.list_method(account)
        if method == account.destination.methods[-1]:  # None: what was believed in this run was forgotten meanwhile
            return False
        sender = app.sender(account, seconds=SECONDS)
        short = any(
            _is_short(account, sender, list_id, state, receipts.filter((pl.col("lists") & bit(list_index)) != 0))
            for list_index, list_id in enumerate(list_ids)
        )
    except (DestinationError, ExportError, VaultUnavailable) as error:
        log.warning("lists could not be confirmed: export=%s run=%s %s", run.export, run.id, type(error).__name__)
        return None
    if short:
        app.accounts.remember_list_method(account.id, None)
    return short


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
        return not list_exists(account.api, sender, list_id)


def _is_on(account: Account, sender: Sender, list_id: str, contact_id: str) -> bool:
    (seen,) = sender.one(partial(account.api.look, [contact_id]))
    return seen is not None and list_id in seen.lists
