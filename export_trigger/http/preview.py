"""Preview: everything a run would do, nothing sent."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from itertools import islice
from typing import Any

import polars as pl

from export_trigger.http.draft import draft_of, find_export
from export_trigger.http.long_preview import answer_within
from export_trigger.http.request import Answer, Call, Problem
from export_trigger.http.run_views import Preview
from export_trigger.steps.recognise import load_known_state
from export_trigger.steps.room import FOR_PREVIEWS
from shared.accounts.lists import list_of
from shared.azure.vault import VaultUnavailable
from shared.composition.app import Account, App, ListsAsked
from shared.delivery.chunks import decode
from shared.delivery.errors import DestinationError
from shared.delivery.estimate import expected_calls, introductions
from shared.exports.configuration import Export, NewPeople
from shared.lifecycle.segments import Refresh, open_refresh, recipe_of, scope_of, unlearned
from shared.planning.plan import Plan, check_guards, chunks, plan, remarks
from shared.planning.spool import Spool
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError, Transient, TryLater

EXAMPLES = 5
ASK_SECONDS = 20.0
ASK_AGAIN_SECONDS = 60.0
ROOM_SECONDS = 30.0

_ASKING = threading.Lock()


def preview_export(app: App, call: Call) -> Answer:
    """Show everything a run would do: members, joiners, leavers, calls, minutes, five contacts as they would be sent.

    Where that takes longer than the caller waits, 202: it goes on, and its result will be at Location.
    With a body, by its settings instead of those that are saved: they are checked as a save is, and not stored.
    """
    export = draft_of(app, call) if call.body else find_export(app, call)[0]
    return answer_within(app, call, lambda: _made(app, call.params["export"], export))


def _made(app: App, name: str, export: Export) -> Preview:
    """Return the preview; raise a Problem that says why it cannot be made."""
    try:
        with FOR_PREVIEWS.place(ROOM_SECONDS), Spool() as spool:
            return _preview(app, name, export, spool)
    except Transient as fault:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, fault.reason, f"{fault.detail} Try again in a moment.") from None
    except ExportError as end:
        again = " Try again in a moment." if end.may_pass else ""
        raise Problem(HTTPStatus.CONFLICT, end.reason, (end.detail or end.reason.advice) + again) from None
    except (VaultUnavailable, TryLater) as error:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "try_later", f"{error}. Try again in a moment.") from None


def _preview(app: App, name: str, export: Export, spool: Spool) -> Preview:
    account = app.account(export.connection)
    _learn_fields(app, account, export)
    recipe = recipe_of(app, export)
    refresh, settled = _open(app, [target.segment for target in export.segments], recipe.address)
    known = account.id if account.is_known else None
    head = app.ledger.head(name)
    left = (account.name, None) if head.deleted else head.state_before(account.name, known)
    state = load_known_state(app, name, left, refresh.segments, recipe)
    planned = plan(
        refresh.segments,
        recipe,
        app.digest_key(),
        state,
        _lists(app, account, export),
        scope_of(app, export),
        spool,
    )
    refresh.check_unchanged()
    counts = planned.counts
    calls = _calls(app, account, planned, export.new_people)
    return Preview(
        settled=settled,
        rows_read=counts.rows_read,
        members={target.segment: rows for target, rows in zip(export.segments, planned.rows_read, strict=True)},
        profiles=counts.profiles,
        duplicates=counts.duplicates,
        joiners=counts.joiners,
        changed=counts.changed,
        unchanged=counts.unchanged,
        leavers=counts.leavers,
        held_back=counts.held_back,
        kept=counts.kept,
        remarks=remarks(planned, [target.segment for target in export.segments]),
        rejected=dict(planned.rejected.group_by("reason").agg(pl.len()).sort("reason").iter_rows()),
        omitted=dict(sorted(planned.omissions.values.items())),
        placeholders=dict(sorted(planned.omissions.placeholders.items())),
        calls=calls,
        minutes=round(calls / account.rate / 60, 1),
        would_be_skipped=_skipped(planned, export),
        examples=_examples(planned),
    )


def _calls(app: App, account: Account, planned: Plan, new_people: NewPeople | None) -> int:
    """Return the calls that a run would make; where nobody knows how lists are filled, by the method that always works."""
    destination = account.destination
    method = app.list_method(account) or destination.methods[-1]
    operations, can = planned.difference.operations, destination.capabilities
    first = introductions(operations, can, method) if new_people == "not_subscribed" else 0
    return first + expected_calls(operations, can, method)


def _open(app: App, names: Sequence[str], address: str) -> tuple[Refresh, bool]:
    """Find the segments as they stand, and whether Customer Insights has finished writing, as a run would wait for."""
    try:
        return open_refresh(app, names, address), True
    except ExportError as end:
        if end.reason is not Reason.SOURCE_NOT_SETTLED:
            raise
        return open_refresh(app, names, address, quiet=0), False


def _learn_fields(app: App, account: Account, export: Export) -> None:
    """Have the account tell how values of its own fields are written, as a run would; without an answer they are left out."""
    if names := unlearned(app, export):
        with suppress(DestinationError, ExportError):
            account.api.check_fields(names, app.sender(account, seconds=ASK_SECONDS))


def _lists(app: App, account: Account, export: Export) -> tuple[str, ...]:
    """Return the ids of the lists that a run would fill, empty text for one that it would make. Nothing is remembered."""
    titles = [target.list for target in export.segments]
    filled = [app.accounts.list_id(account.id, title) for title in titles]
    existing = _existing(app, account, [list_id for list_id in filled if list_id])
    if existing is None:
        return tuple(list_id or "" for list_id in filled)
    return tuple(list_of(existing, title, ours) for title, ours in zip(titles, filled, strict=True))


def _existing(app: App, account: Account, filled: Sequence[str]) -> Mapping[str, Sequence[str]] | None:
    """Return the account's lists as they were a moment ago, None if it gave no answer then.

    Previews share one call a minute: however many people look, a run of the account goes on at its pace. One more is made
    for a list that we fill and that was not there then: a run may have made it since.
    """
    with _ASKING:
        asked = app.lists_asked.get(account.id)
        if asked is None or app.clock.now() - asked.at > ASK_AGAIN_SECONDS or _missing(asked, filled) - asked.missing:
            asked = app.lists_asked[account.id] = _ask(app, account, [*filled, *(asked.missing if asked else ())])
    return asked.lists


def _ask(app: App, account: Account, sought: Sequence[str]) -> ListsAsked:
    """Ask for the account's lists, and of those that we fill and that are left out whether they are gone."""
    sender = app.sender(account, seconds=ASK_SECONDS)
    try:
        answer = sender.attempt(account.api.lists)
        asked = ListsAsked(app.clock.now(), answer if isinstance(answer, dict) else None, frozenset())
        asked = replace(asked, missing=_missing(asked, sought))
        if all(account.api.list_is_gone(list_id, sender) for list_id in asked.missing):
            return asked
    except (DestinationError, ExportError):  # no answer, or the key cannot be read
        pass
    return ListsAsked(app.clock.now(), None, frozenset())


def _missing(asked: ListsAsked, filled: Sequence[str]) -> frozenset[str]:
    """Return the ids of lists that we fill and that the account did not tell of; none if it gave no answer."""
    if asked.lists is None:
        return frozenset()
    there = {list_id for ids in asked.lists.values() for list_id in ids}
    return frozenset(list_id for list_id in filled if list_id not in there)


def _skipped(planned: Plan, export: Export) -> Reason | None:
    try:
        check_guards(planned, [target.segment for target in export.segments], export.guards, export.max_profiles)
    except ExportError as end:
        return end.reason
    return None


def _examples(planned: Plan) -> tuple[Mapping[str, Any], ...]:
    operations = islice((operation for chunk in chunks(planned) for operation in decode(chunk)), EXAMPLES)
    return tuple(operation.fields for operation in operations if operation.fields)
