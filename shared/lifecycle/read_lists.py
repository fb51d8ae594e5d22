"""Read a list back from its destination, page by page, keeping digests only."""

from __future__ import annotations

from functools import partial
from typing import Final

import polars as pl

from shared.cleaning.fields import Fields
from shared.composition.app import Account, App
from shared.delivery.contacts import Page
from shared.delivery.errors import AccountRefused, DestinationError, KeyRefused, ListGone, NoAnswer, Refused, Unclear
from shared.delivery.sending import Sender
from shared.lifecycle.liveness import BusySlots
from shared.lifecycle.record import Outcome
from shared.lifecycle.window import DEADLINE, calls_of, nothing_done, open_account, postponed_calls, refusal
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.runs.run import Run
from shared.state.digests import DigestKey
from shared.verification.comparison import OBSERVED, observe
from shared.verification.observed import ObservedList
from shared.verification.reading import MOST_SHORT_ENDS, ListReading, decode_reading, encode_reading

MOST_PAGES: Final = 500
"""Pages that one chunk reads; what is left of a longer list continues it."""

SPARE_PAGES: Final = 20
"""Pages by which a list may be longer than its size says: members who come meanwhile, pages that are not full."""


def read_back(app: App, run: Run, chunk: bytes) -> Outcome:
    """Read a list, or a part of it; of one that does not exist only the id that it had is known, if it is at all.

    Raise TryLater if nothing could be read.
    """
    work = decode_reading(chunk)
    if run.stop:
        return Outcome(stop=run.stop, settled=1)
    if not work.list:
        return Outcome(observed=_gone(work, work.gone), settled=1)
    try:
        account = open_account(app, run)
        key = app.digest_key()
    except ExportError as end:
        return Outcome(stop=end.reason, left=1)
    sender = app.sender(account, seconds=DEADLINE / 2, slots=BusySlots(app, run, account.slots))
    reader = _Reader(account, app.fields(account.name, account.destination), sender, key, work)
    try:
        rest = reader.read()
    except ListGone:
        return Outcome(observed=_gone(work, work.list), counts=calls_of(sender), settled=1)
    except KeyRefused as refused:
        return Outcome(stop=refusal(refused), counts=calls_of(sender), left=1)
    except (Refused, AccountRefused):
        return Outcome(stop=Reason.AUTOPILOT_REFUSED, counts=calls_of(sender), left=1)
    except DestinationError:
        with postponed_calls(app, run, sender):
            return Outcome(stop=nothing_done(app, run, account, sender), counts=calls_of(sender), left=1)
    return Outcome(
        observed=ObservedList(work.list_index, work.list, "", reader.observed()),
        rest=encode_reading(rest) if rest else None,
        counts=calls_of(sender),
        settled=int(rest is None),
    )


def _gone(work: ListReading, list_id: str | None) -> ObservedList | None:
    """Return a list that does not exist any more; None if nobody knows which one it was."""
    return ObservedList(work.list_index, "", list_id, pl.DataFrame(schema=OBSERVED)) if list_id else None


class _Reader:
    """Reads pages one after the other: each says where the next one begins."""

    def __init__(self, account: Account, fields: Fields, sender: Sender, key: DigestKey, work: ListReading) -> None:
        self._api = account.api
        self._page_size = account.destination.capabilities.page
        self._fields = fields
        self._sender = sender
        self._key = key
        self._work = work
        self._met: set[str] = set()
        self._repeats = False
        self._tables: list[pl.DataFrame] = []

    def read(self) -> ListReading | None:
        """Read on; return where to go on, or None at the end.

        Raise the DestinationError of the first page; one that strikes later only ends this part. A part that ends too
        early, though its last page was asked for again, or in which pages repeat others, is no answer as a whole.
        """
        seen = {self._work.bookmark}
        for turn in range(MOST_PAGES):
            try:
                page = self._page()
                repeated = self._repeated(page)
                self._repeats = self._repeats or repeated > 0
                following = self._work.past(page, repeated)
                self._check(page, following, seen)
            except DestinationError:
                if turn == 0:
                    raise
                return self._work
            self._tables.append(observe(page.contacts, self._work.fields, self._fields, self._key))
            before, self._work = self._work, following
            if page.bookmark is None:
                if not self._work.is_short:
                    return None
                self._work = self._again(before)
                if self._work.pages < before.pages:
                    return self._work
                continue
            self._met.update(_ids(page))
            came_round = page.bookmark in seen
            seen.add(page.bookmark)
            if self._work.contacts >= self._work.total and (came_round or not page.contacts):
                return None
        return self._work

    def _page(self) -> Page:
        """Read the next page; raise ListGone if the account's lists do not name this one."""
        try:
            return self._sender.one(partial(self._api.members, self._work.list, self._work.fields, self._work.bookmark))
        except Unclear:
            if not self._api.list_is_gone(self._work.list, self._sender):
                raise
            raise ListGone("the account does not name the list") from None

    def _repeated(self, page: Page) -> int:
        """Return how many of a page's contacts came before: it stands in place of another, and they account for nobody else."""
        return len(_ids(page)) - len(set(_ids(page)) - self._met)

    def _check(self, page: Page, past: ListReading, seen: set[str | None]) -> None:
        """Raise NoAnswer for a page that leads round, or on and on."""
        most = 2 * past.total // self._page_size + SPARE_PAGES
        leads_round = page.bookmark is not None and page.bookmark in seen
        if (leads_round and past.contacts < past.total) or self._work.pages > most:
            raise NoAnswer("the list was answered with pages without end")

    def _again(self, before: ListReading) -> ListReading:
        """Return what to read after a last page that came too early; raise NoAnswer if that was read often enough."""
        if self._repeats or before.short_ends >= MOST_SHORT_ENDS:
            raise NoAnswer("the list was answered with fewer contacts than it has")
        return before.again()

    def observed(self) -> pl.DataFrame:
        """Return what was read."""
        return pl.concat(self._tables)


def _ids(page: Page) -> list[str]:
    return [contact.contact_id for contact in page.contacts if contact.contact_id]
