"""Preview: everything a run would do, nothing sent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from http import HTTPStatus
from itertools import islice
from typing import Any

import polars as pl

from shared.adapters.vault import VaultUnavailable
from shared.api.call import Answer, Call, Problem
from shared.api.exports import find_export
from shared.app import Account, App
from shared.configuration import Export
from shared.directory import known_lists
from shared.domain.account import BULK_SIZE, Filling
from shared.domain.answers import AutopilotError
from shared.domain.chunks import decode
from shared.domain.difference import Difference
from shared.domain.plan import Plan, check_guards, chunks, plan
from shared.domain.remarks import remarks
from shared.domain.spool import Spool
from shared.reasons import Reason, RunEnded, Transient, TryLater
from shared.run import state_before
from shared.steps.files import load_state
from shared.steps.room import FOR_PREVIEWS
from shared.steps.segments import Refresh, open_refresh, recipe_of, scope_of

EXAMPLES = 5
ASK_SECONDS = 20.0
ROOM_SECONDS = 30.0


def preview_export(app: App, call: Call) -> Answer:
    """Show everything a run would do: members, joiners, leavers, calls, minutes, five contacts as they would be sent."""
    export, _ = find_export(app, call)
    name = call.params["export"]
    try:
        with FOR_PREVIEWS.place(ROOM_SECONDS), Spool() as spool:
            return Answer(body=_preview(app, name, export, spool))
    except Transient as fault:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, fault.reason, f"{fault.detail} Try again in a moment.") from None
    except RunEnded as end:
        again = " Try again in a moment." if end.may_pass else ""
        raise Problem(HTTPStatus.CONFLICT, end.reason, (end.detail or end.reason.advice) + again) from None
    except (VaultUnavailable, TryLater) as error:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "try_later", f"{error}. Try again in a moment.") from None


def _preview(app: App, name: str, export: Export, spool: Spool) -> dict[str, Any]:
    account = app.account(export.connection)
    refresh, settled = _open(app, [target.segment for target in export.segments], export.mapping["Email"])
    known = account.id if account.is_known else None
    state = load_state(app.storage, name, *state_before(app.ledger.head(name), account.name, known))
    planned = plan(
        refresh.segments,
        recipe_of(export),
        app.digest_key(),
        state,
        _lists(app, account, export),
        scope_of(app, export),
        spool,
    )
    refresh.check_unchanged()
    found = planned.difference
    calls = expected_calls(found, app.filling(account) or Filling.MEMBERSHIP)
    return {
        "settled": settled,
        "rows_read": sum(planned.rows_read),
        "members": {target.segment: rows for target, rows in zip(export.segments, planned.rows_read, strict=True)},
        "profiles": found.profiles,
        "duplicates": found.duplicates,
        "joiners": found.joiners,
        "changed": found.changed,
        "unchanged": found.unchanged,
        "leavers": found.leavers,
        "held_back": sum(found.held_back),
        "kept": found.kept,
        "remarks": remarks(planned, [target.segment for target in export.segments]),
        "rejected": dict(planned.rejected.group_by("reason").agg(pl.len()).sort("reason").iter_rows()),
        "calls": calls,
        "minutes": round(calls / account.rate / 60, 1),
        "would_be_skipped": _skipped(planned, export),
        "examples": _examples(planned),
    }


def _open(app: App, names: Sequence[str], address: str) -> tuple[Refresh, bool]:
    """Find the segments as they stand, and whether Customer Insights has finished writing, as a run would wait for."""
    try:
        return open_refresh(app, names, address), True
    except RunEnded as end:
        if end.reason is not Reason.SOURCE_NOT_SETTLED:
            raise
        return open_refresh(app, names, address, quiet=0), False


def expected_calls(found: Difference, filling: Filling) -> int:
    """Say how many calls the difference takes, on an account whose lists are filled by `filling`."""
    sent, joins = pl.col("upsert"), pl.col("add") != 0
    in_bulk = {Filling.BULK: sent | joins, Filling.CONTACT: sent & ~joins, Filling.MEMBERSHIP: sent}[filling]
    bulk_calls = -(-found.operations.filter(in_bulk).height // BULK_SIZE)
    return bulk_calls + found.leavers + (0 if filling is Filling.BULK else found.joiners)


def _lists(app: App, account: Account, export: Export) -> tuple[str, ...]:
    """Give the ids of the lists; if Autopilot does not answer now, as they were last known."""
    titles = [target.list for target in export.segments]
    try:
        existing = app.sender(account, seconds=ASK_SECONDS).one(account.api.lists)
    except AutopilotError:
        return tuple(app.accounts.list_id(account.id, title) or "" for title in titles)
    return known_lists(app.accounts, account.id, titles, existing)


def _skipped(planned: Plan, export: Export) -> str | None:
    try:
        check_guards(planned, [target.segment for target in export.segments], export.guards, export.max_profiles)
    except RunEnded as end:
        return end.reason
    return None


def _examples(planned: Plan) -> list[dict[str, Any]]:
    operations = islice((operation for chunk in chunks(planned) for operation in decode(chunk)), EXAMPLES)
    return [json.loads(json.dumps(operation.fields)) for operation in operations if operation.fields]
