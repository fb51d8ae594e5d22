"""Claim the lists of an export at its account, so that no two exports fill one list, whichever connections lead there."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Final

from shared.accounts.claims import Attempt, Claimed
from shared.azure.vault import VaultUnavailable
from shared.composition.app import Account, App
from shared.delivery.errors import DestinationError
from shared.exports.configuration import ExportSettings
from shared.exports.registry import DocumentDamaged
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
    holders = app.accounts.claims.holders(account)
    if all(holders.get(title) == name for title in titles_of(settings)):
        return
    try:
        app.accounts.claims.make(account, name, titles_of(settings), partial(is_held, app, account))
    except Claimed as claimed:
        raise ExportError(
            Reason.LIST_IN_USE, f"The export {claimed.export!r} fills the list {claimed.title!r} of this account."
        ) from None


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
    return found is not None and title in titles_of(found[0]) and _may_lead(app, found[0].connection, account)


def _check_documents(app: App, name: str, settings: ExportSettings, account: str) -> None:
    """Raise Claimed if the document of another export says that it fills one of the lists; one that is damaged says nothing."""
    for other in app.registry.exports():
        found = None
        with suppress(DocumentDamaged):
            found = app.registry.export(other) if other != name else None
        both = set(titles_of(settings)) & set(titles_of(found[0])) if found else set()
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
