"""What all workers share about one account: its pace, its lists, and how contacts get on them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Final

from shared.accounts.claims import Claims
from shared.accounts.identities import Identities
from shared.accounts.stored_keys import StoredKeys
from shared.azure.locks import Locks
from shared.azure.records import Record
from shared.azure.tables import Change, Table
from shared.delivery.pace import Pace, Window
from shared.delivery.sending import Clock

LONGEST_WINDOW: Final = 5.0
"""Seconds of a window. What comes behind a longer one would wait for it, and then for its own first answers, while
nobody sends: shorter windows let chunks take turns."""

SHORT_WINDOW: Final = 0.25
"""Seconds for which an instance reserves at once, for all its chunks, where it sends less than the pace allows."""

LONGEST_WAIT: Final = 1.0
"""Seconds that a chunk waits for another's reservation before it makes its own: perhaps the table does not answer."""

CREATION_STANDS: Final = 3600.0
"""Seconds for which a list that we asked for may still appear, under whatever title."""

NO_WINDOW: Final = Window(0.0, 1.0, 0)


class PaceRecord(Record):
    """The account's pace as stored: see `shared.delivery.pace`."""

    next_free: float = 0.0
    speed: float = 1.0
    throttled_at: float = 0.0


class ListRecord(Record):
    """One of the account's lists: its title and id."""

    title: str
    list_id: str


class CreationRecord(Record):
    """A list that we asked the account to make, without an answer that says which: when, and what lists there were then."""

    at: float
    before: str
    made: str | None = None
    """The id that an answer named under another title."""

    def knows(self, list_id: str) -> bool:
        """Return whether a list was there before."""
        return short(list_id) in self.before.split()


class NoteRecord(Record):
    """Something that a destination remembers of the account: see `shared.delivery.destination.Notes`."""

    name: str
    text: str


class ListMethodRecord(Record):
    """How contacts get on the account's lists, as a proof showed: the name of one of its destination's list methods."""

    filling: str


class Accounts:
    """Shared knowledge about accounts, one partition an account: see `shared.accounts.identities` for its name."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock
        self.locks = Locks(table, clock.now)
        self.identities = Identities(table)
        self.claims = Claims(table, clock)
        self.stored_keys = StoredKeys(table)

    def pace(self, account: str) -> Pace:
        """Return the account's pace as it stands."""
        return self._pace(account)[0]

    def change_pace[T](self, account: str, how: Callable[[Pace], tuple[Pace, T]]) -> T:
        """Change the account's pace for everybody and return what `how` returns beside it."""
        while True:
            pace, etag = self._pace(account)
            changed, answer = how(pace)
            if changed == pace:
                return answer
            record = PaceRecord(next_free=changed.next_free, speed=changed.speed, throttled_at=changed.throttled_at)
            if self._table.try_write(account, [Change("pace", record, etag)]):
                return answer

    def list_id(self, account: str, title: str) -> str | None:
        """Return the id of the list that stands for `title`, or None."""
        found = self._table.get(account, _list_key(title), ListRecord)
        return found[0].list_id if found else None

    def remember_list(self, account: str, title: str, list_id: str | None) -> None:
        """Remember which list stands for `title`; None forgets it."""
        if list_id is None:
            self._table.delete(account, [_list_key(title)])
            return
        self._table.put(account, _list_key(title), ListRecord(title=title, list_id=list_id))

    def lists(self, account: str) -> dict[str, str]:
        """Return the ids of all lists that stand for a title, by title."""
        return {
            record.title: record.list_id for _, record in self._table.between(account, "list-", "list-~", ListRecord)
        }

    def creation(self, account: str, title: str) -> CreationRecord | None:
        """Return what is noted of a list's creation that nobody confirmed, if that was not long ago."""
        found = self._table.get(account, _creation_key(title), CreationRecord)
        return found[0] if found and self._clock.now() < found[0].at + CREATION_STANDS else None

    def note_creation(self, account: str, title: str, before: Iterable[str], made: str | None = None) -> None:
        """Note that a list is asked for; `before` are the ids of the account's lists, `made` one that an answer named."""
        known = " ".join(map(short, before))
        self._table.put(account, _creation_key(title), CreationRecord(at=self._clock.now(), before=known, made=made))

    def forget_creation(self, account: str, title: str) -> None:
        """Forget a list's creation: it was found, or surely not made."""
        self._table.delete(account, [_creation_key(title)])

    def list_method(self, account: str) -> str | None:
        """Return the name of the method that fills the account's lists, or None if nobody has proved it yet."""
        found = self._table.get(account, "filling", ListMethodRecord)
        return found[0].filling if found else None

    def remember_list_method(self, account: str, name: str | None) -> None:
        """Remember what a proof showed; None asks for a new one."""
        if name is None:
            self._table.delete(account, ["filling"])
        else:
            self._table.put(account, "filling", ListMethodRecord(filling=name))

    def forget_proofs(self, account: str) -> None:
        """Forget what was proved of an account: how its lists are filled, and its destination's notes that begin with `proof:`."""
        self.remember_list_method(account, None)
        for name in self.notes(account):
            if name.startswith("proof:"):
                self.remember_note(account, name, None)

    def notes(self, account: str) -> dict[str, str]:
        """Return what a destination remembers of the account, by name."""
        found = self._table.between(account, "note-", "note-~", NoteRecord)
        return {record.name: record.text for _, record in found}

    def remember_note(self, account: str, name: str, text: str | None) -> None:
        """Remember a destination's note; None forgets it."""
        key = "note-" + sha256(name.encode()).hexdigest()[:32]
        if text is None:
            self._table.delete(account, [key])
        else:
            self._table.put(account, key, NoteRecord(name=name, text=text))

    def _pace(self, account: str) -> tuple[Pace, str | None]:
        found = self._table.get(account, "pace", PaceRecord)
        if found is None:
            return Pace(), None
        record, etag = found
        return Pace(record.next_free, record.speed, record.throttled_at), etag


class AccountNotes:
    """The notes of one account, as its destination keeps them."""

    def __init__(self, accounts: Accounts, account: str) -> None:
        self._accounts = accounts
        self._account = account

    def read(self) -> dict[str, str]:
        """Return all notes by name."""
        return self._accounts.notes(self._account)

    def write(self, name: str, text: str | None) -> None:
        """Keep a note; None drops it."""
        self._accounts.remember_note(self._account, name, text)


class AccountSlots:
    """The slots of one account, shared by every instance through the table, and by an instance's chunks through this.

    Where one window follows the other at once, since an instance sends less than the pace allows, one reservation is
    made for all its chunks: otherwise they would ask the table all the time instead of the destination.
    """

    def __init__(self, accounts: Accounts, account: str, rate: float, clock: Clock) -> None:
        self._accounts = accounts
        self._account = account
        self._rate = rate
        self._clock = clock
        self._left = NO_WINDOW
        self._asked_at = 0.0
        self._lock = threading.Lock()

    def reserve(self, slots: int, latest: float) -> Window:
        """Take the next free window: of `slots`, or of fewer if that were longer than LONGEST_WINDOW; none after `latest`."""
        if not self._lock.acquire(timeout=LONGEST_WAIT):
            return self._reserve(slots, 0.0, latest)
        try:
            left = self._left.from_now(self._clock.now())
            if not left.slots:
                left = self._reserve(slots, self._prefetch_seconds(), latest)
            window, self._left = left.split(min(slots, left.until(latest)))
        finally:
            self._lock.release()
        return window

    def _prefetch_seconds(self) -> float:
        """Return how far ahead to reserve; if the last reservation was a moment ago, the rate limit is not the bottleneck."""
        before, self._asked_at = self._asked_at, self._clock.now()
        return SHORT_WINDOW if self._asked_at - before < SHORT_WINDOW else 0.0

    def _reserve(self, slots: int, seconds: float, latest: float) -> Window:
        """Reserve `slots`, and at least those that begin within `seconds`.

        Where the account's next slot is further away, as it is where the pace is what one waits for, that is no more
        than `slots`.
        """

        def reserved(pace: Pace) -> tuple[Pace, Window]:
            rate, now = self._rate * pace.speed, self._clock.now()
            wanted = max(slots, int(rate * (seconds - pace.backlog(now))))
            most = max(1, int(rate * LONGEST_WINDOW))
            return pace.reserve(min(wanted, most), self._rate, now, latest)

        return self._accounts.change_pace(self._account, reserved)

    def throttled(self, retry_after: float | None) -> None:
        """Tell everybody that the destination asked to slow down."""
        self._left = NO_WINDOW
        self._accounts.change_pace(self._account, lambda pace: (pace.throttled(self._clock.now(), retry_after), None))

    def backlog(self) -> float:
        """How many seconds away the next free slot is."""
        return self._accounts.pace(self._account).backlog(self._clock.now())


def _list_key(title: str) -> str:
    """Name a list's record: titles hold what keys may not."""
    return "list-" + sha256(title.encode()).hexdigest()[:32]


def _creation_key(title: str) -> str:
    return "creation-" + sha256(title.encode()).hexdigest()[:32]


def short(list_id: str) -> str:
    """Name a list in few letters: an account may have thousands."""
    return sha256(list_id.encode()).hexdigest()[:8]
