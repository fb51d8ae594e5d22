"""Read a list back from Autopilot, page by page, keeping digests only."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import polars as pl

from shared.app import App
from shared.domain.answers import AutopilotError, ContactGone, KeyRefused, ListGone, Refused
from shared.domain.chunks import UnreadableChunk
from shared.domain.digests import DigestKey
from shared.domain.sending import Sender
from shared.domain.verification import observe
from shared.reasons import Reason, RunEnded
from shared.run import Run
from shared.steps.busy import BusySlots
from shared.steps.files import write_table
from shared.steps.record import Outcome
from shared.steps.window import DEADLINE, calls_of, nothing_done, open_account

MOST_PAGES: Final = 500
"""Pages that one chunk reads; what is left of a longer list continues it."""


def reading(list_id: str, fields: Sequence[str], bookmark: str | None = None) -> bytes:
    """Write the chunk that asks for a list to be read, from `bookmark` on; an empty id is a list that does not exist."""
    return json.dumps({"list": list_id, "fields": list(fields), "bookmark": bookmark}).encode()


def read_back(app: App, run: Run, chunk: bytes) -> Outcome:
    """Read a list, or a part of it; the receipts are its contacts as `observe` keeps them, empty if there is no list.

    Raises TryLater if nothing could be read.
    """
    work = _asked(chunk)
    if run.stop or not work["list"]:
        return Outcome(stop=run.stop, settled=1)
    try:
        account = open_account(app, run)
        key = app.digest_key()
    except RunEnded as end:
        return Outcome(stop=end.reason, left=1)
    sender = app.sender(account, seconds=DEADLINE / 2, slots=BusySlots(app, run, account.slots))
    reader = _Reader(partial(account.api.members, work["list"]), sender, key, work["fields"])
    try:
        rest = reader.read(work["bookmark"])
    except (ContactGone, ListGone):
        return Outcome(counts=calls_of(sender), settled=1)
    except KeyRefused:
        return Outcome(stop=Reason.KEY_REFUSED, counts=calls_of(sender), left=1)
    except Refused:
        return Outcome(stop=Reason.AUTOPILOT_REFUSED, counts=calls_of(sender), left=1)
    except AutopilotError:
        return Outcome(stop=nothing_done(app, run, account, sender), counts=calls_of(sender), left=1)
    return Outcome(
        receipts=write_table(reader.observed(), [work["list"]]),
        rest=reading(work["list"], work["fields"], rest) if rest else None,
        counts=calls_of(sender),
        settled=int(rest is None),
    )


def _asked(chunk: bytes) -> dict[str, Any]:
    """Return what `reading` wrote; raise UnreadableChunk for anything else, with nothing of it."""
    try:
        work: dict[str, Any] = json.loads(chunk)
        sound = (
            isinstance(work["list"], str)
            and isinstance(work["bookmark"], str | None)
            and isinstance(work["fields"], list)
            and all(isinstance(field, str) for field in work["fields"])
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        sound = False
    if not sound:
        raise UnreadableChunk("it does not say which list to read")
    return work


class _Reader:
    """Reads pages one after the other: each says where the next one begins."""

    def __init__(self, page: Any, sender: Sender, key: DigestKey, fields: Sequence[str]) -> None:
        self._page = page
        self._sender = sender
        self._key = key
        self._fields = fields
        self._tables: list[pl.DataFrame] = []

    def read(self, bookmark: str | None) -> str | None:
        """Read on from `bookmark`; gives where to go on, or None at the end.

        Raises the AutopilotError of the first page; one that strikes later only ends this part.
        """
        seen = {bookmark}
        for turn in range(MOST_PAGES):
            try:
                page = self._sender.one(partial(self._page, bookmark))
            except AutopilotError:
                if turn == 0:
                    raise
                return bookmark
            self._tables.append(observe(page.contacts, self._fields, self._key))
            bookmark = page.bookmark
            if bookmark in seen or bookmark is None:  # a bookmark that comes again would lead round for ever
                return None
            seen.add(bookmark)
        return bookmark

    def observed(self) -> pl.DataFrame:
        """Give what was read."""
        return pl.concat(self._tables)
