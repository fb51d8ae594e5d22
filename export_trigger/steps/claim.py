"""Claim the lists of an export at its account, so that no two exports fill one list, whichever connections lead there."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from shared.accounts.claims import Attempt, Claimed
from shared.azure.vault import VaultUnavailable
from shared.composition.app import Account, App
from shared.delivery.errors import DestinationError
from shared.exports.configuration import ExportSettings
from shared.exports.registry import DocumentDamaged
from shared.exports.titles import fold
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError

ASK_SECONDS: Final = 20.0
"""Seconds for asking whose account a key opens that was never seen."""


def claim_lists(app: App, name: str, settings: ExportSettings, account: str) -> Attempt:
    """Claim the lists of an export that is about to be saved; raise Claimed.

    Exports that were saved before there were claims count by their documents.
    """
    attempt = app.accounts.claims.make(account, name, titles_of(settings), partial(is_held, app, account))
    try:
        _check_documents(app, name, settings, account)
    except Claimed:
        app.accounts.claims.take_back(attempt)
        raise
    return attempt


def check_lists(app: App, name: str, settings: ExportSettings, account: str) -> None:
    """Raise Claimed if another export fills a list of this one at the account. Nothing is claimed.

    Exports that were saved before there were claims, and did not run since, are not looked at: a save does that.
    """
    app.accounts.claims.check(account, name, titles_of(settings), partial(is_held, app, account))


def claim_for_run(app: App, name: str, settings: ExportSettings, account: str) -> None:
    """See to it that an export holds its lists' claims before it runs; raise ExportError LIST_IN_USE.

    One that was saved before there were claims, or whose connection leads to another account since, makes them here.
    """
    if app.accounts.claims.holds(account, name, titles_of(settings)):
        return
    try:
        app.accounts.claims.make(account, name, titles_of(settings), partial(is_held, app, account))
    except Claimed as claimed:
        raise _in_use(claimed) from None


def claim_found(app: App, name: str, settings: ExportSettings, account: str, list_ids: Sequence[str]) -> None:
    """Claim the lists that an export's titles led to, before its run plans upon them; raise ExportError LIST_IN_USE.

    `list_ids` are in the order of the titles, empty text for a list that is still to be made.
    """
    lists: dict[str, str] = {}
    for list_id, title in zip(list_ids, titles_of(settings), strict=True):
        if list_id and lists.setdefault(list_id, title) != title:
            raise ExportError(
                Reason.LIST_IN_USE,
                f"{lists[list_id]!r} and {title!r} are one list of this account. Give one of the segments another list.",
            )
    try:
        app.accounts.claims.make_by_id(account, name, lists, partial(is_held, app, account))
    except Claimed as claimed:
        raise _in_use(claimed) from None


def _in_use(claimed: Claimed) -> ExportError:
    return ExportError(
        Reason.LIST_IN_USE,
        f"The export {claimed.export!r} fills the list {claimed.title!r} of this account. Give the segment another list.",
    )


def release_lists(app: App, name: str, connection: str | None, *, but: ExportSettings | None = None) -> None:
    """Release what an export claims at the account that a connection leads to, but the lists that it still fills."""
    account = app.accounts.identities.home(connection) if connection else None
    if account:
        app.accounts.claims.release(account, name, but=titles_of(but) if but else ())


def whereabouts(app: App, connection: str) -> str:
    """Return the account that a connection leads to; where it cannot be asked, as it was last known, else its own name."""
    try:
        opened = _known(app, connection)
    except (ExportError, VaultUnavailable, DestinationError):
        return app.accounts.identities.home(connection) or connection
    return opened.id


def _known(app: App, connection: str) -> Account:
    """Open a connection's account, and ask whose it is unless that is known."""
    opened = app.account(connection)
    if opened.is_known:
        return opened
    app.identify(opened, app.sender(opened, seconds=ASK_SECONDS))
    return app.account(connection)


def titles_of(settings: ExportSettings) -> tuple[str, ...]:
    """Return the titles of an export's lists."""
    return tuple(target.list for target in settings.segments)


def is_held(app: App, account: str, export: str, title: str) -> bool:
    """Return whether an export's document says that it fills a list of an account; also if that cannot be known now."""
    try:
        found = app.registry.export(export)
    except DocumentDamaged:
        return True
    if found is None or fold(title) not in map(fold, titles_of(found[0])):
        return False
    return _may_lead(app, found[0].connection, account)


def _check_documents(app: App, name: str, settings: ExportSettings, account: str) -> None:
    """Raise Claimed if the document of another export says that it fills one of the lists; one that is damaged says nothing."""
    for other in app.registry.exports():
        found = None
        with suppress(DocumentDamaged):
            found = app.registry.export(other) if other != name else None
        theirs = {fold(title) for title in titles_of(found[0])} if found else set()
        both = [title for title in titles_of(settings) if fold(title) in theirs]
        if found and both and _may_lead(app, found[0].connection, account):
            raise Claimed(min(both), other)


def _may_lead(app: App, connection: str | None, account: str) -> bool:
    """Return whether a connection leads to an account, or may: that it could not be asked is no proof that it does not."""
    if connection is None:
        return False
    try:
        opened = _known(app, connection)
    except ExportError as end:
        return end.reason is not Reason.CONNECTION_DETACHED and _was_home(app, connection, account)
    except (VaultUnavailable, DestinationError):
        return _was_home(app, connection, account)
    return opened.id == account


def _was_home(app: App, connection: str, account: str) -> bool:
    return app.accounts.identities.home(connection) in {None, account}
