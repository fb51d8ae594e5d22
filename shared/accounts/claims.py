"""Claims: which export fills which list of an account. At most one does: two would take off what the other put on.

A claim is made before the export is saved, by compare-and-swap, and holds as long as the export's stored document says
the same. One that no document bears out is nobody's: its maker died, or its export was changed or deleted since.

Titles that look the same are one list, as they are where lists are found. Before a run, lists are claimed by their ids too.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from shared.azure.records import Record, Unreadable
from shared.azure.tables import Change, Lost, Table
from shared.delivery.sending import Clock
from shared.exports.titles import fold

SAVING: Final = 120.0
"""Seconds for which a claim holds whose export is not saved yet."""


class ClaimRecord(Record):
    """One list of an account: its title, the export that fills it, by which attempt at saving it was claimed, and when."""

    title: str
    export: str
    attempt: str
    at: float


class Claimed(Exception):
    """Another export fills the list."""

    def __init__(self, title: str, export: str) -> None:
        super().__init__(f"the export {export!r} fills the list {title!r}")
        self.title = title
        self.export = export


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at claiming lists of an account: what it made is taken back if the export is not saved after all."""

    account: str
    id: str
    new: tuple[str, ...]


IsHeld = Callable[[str, str], bool]
"""Whether an export's document says that it fills the list of a title; true also where that cannot be known now."""


class Claims:
    """Makes claims, verifies those of others against documents, and releases what is over."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def make(self, account: str, export: str, titles: Sequence[str], is_held: IsHeld) -> Attempt:
        """Claim lists of an account for an export, all or none; raise Claimed."""
        return self._make(account, export, {title: title for title in titles}, _BY_TITLE, is_held)

    def make_by_id(self, account: str, export: str, lists: Mapping[str, str], is_held: IsHeld) -> None:
        """Claim lists by their ids, each with the title that led to it; raise Claimed.

        A list that people renamed there is found by two titles.
        """
        if not self._are_ours(account, export, lists):
            self._make(account, export, lists, _BY_ID, is_held)
        keys, titles = set(map(_BY_ID.key, lists)), set(lists.values())
        self._release(account, _BY_ID, export, lambda claim: claim.key not in keys and claim.record.title in titles)

    def check(self, account: str, export: str, titles: Sequence[str], is_held: IsHeld) -> None:
        """Raise Claimed if another export fills one of these lists. Nothing is claimed."""
        known = self._known(account, _BY_TITLE)
        for title in titles:
            self._check(known.get(_BY_TITLE.key(title), ()), export, title, is_held)

    def holds(self, account: str, export: str, titles: Sequence[str]) -> bool:
        """Return whether an export holds the claims of lists, and no other claims them."""
        known = self._known(account, _BY_TITLE)
        found = [known.get(_BY_TITLE.key(title), ()) for title in titles]
        return all(claims and all(claim.record.export == export for claim in claims) for claims in found)

    def take_back(self, attempt: Attempt) -> None:
        """Release what an attempt newly claimed, as far as nobody claimed it since."""
        for title in attempt.new:
            key = _BY_TITLE.key(title)
            found = self._table.get(attempt.account, key, ClaimRecord)
            if found and found[0].attempt == attempt.id:
                self._remove(attempt.account, key, found[1])

    def release(self, account: str, export: str, *, but: Iterable[str] = ()) -> None:
        """Release an export's claims at an account, but those of `but`."""
        kept = {fold(title) for title in but}
        for kind in (_BY_TITLE, _BY_ID):
            self._release(account, kind, export, lambda claim: fold(claim.record.title) not in kept)

    def _release(self, account: str, kind: _Kind, export: str, which: Callable[[_Claim], bool]) -> None:
        """Release those of an export's claims."""
        for claims in self._known(account, kind).values():
            for claim in claims:
                found = claim.record.export == export and which(claim)
                stored = self._table.get(account, claim.key, ClaimRecord) if found else None
                if stored and stored[0] == claim.record:
                    self._remove(account, claim.key, stored[1])

    def _make(self, account: str, export: str, named: Mapping[str, str], kind: _Kind, is_held: IsHeld) -> Attempt:
        """Claim what `named` names, each with its title."""
        attempt = secrets.token_hex(8)
        while True:
            changes: dict[str, Change] = {}
            new: list[str] = []
            known = self._known(account, kind)
            for name, title in named.items():
                key = kind.key(name)
                self._check(known.get(key, ()), export, title, is_held)
                found = self._table.get(account, key, ClaimRecord)
                if found and found[0].attempt == attempt:  # written, but the answer was lost and the client asked again
                    new.append(title)
                    continue
                if found and found[0].export != export:  # made since, or one that no longer stands
                    self._check([_Claim(key, found[0])], export, title, is_held)
                if found is None or found[0].export != export:
                    new.append(title)
                record = ClaimRecord(title=title, export=export, attempt=attempt, at=self._clock.now())
                changes[key] = Change(key, record, found[1] if found else None)
            if not changes or self._table.try_write(account, list(changes.values())):
                return Attempt(account, attempt, tuple(new))

    def _are_ours(self, account: str, export: str, lists: Mapping[str, str]) -> bool:
        known = self._known(account, _BY_ID)
        ours = {(key, claim.record.title) for key in known for claim in known[key] if claim.record.export == export}
        return all((_BY_ID.key(list_id), title) in ours for list_id, title in lists.items())

    def _known(self, account: str, kind: _Kind) -> dict[str, list[_Claim]]:
        """Return an account's claims by the key that they have now: the one that counts first.

        Claims of a former version have keys of their own, for titles that look alike several: of them the oldest counts.
        """
        found: dict[str, list[_Claim]] = {}
        for key, record in self._table.rows(account, kind.prefix, f"{kind.prefix}~", ClaimRecord):
            if not isinstance(record, Unreadable):
                found.setdefault(kind.key_now(key, record), []).append(_Claim(key, record))
        return {
            key: sorted(claims, key=lambda claim: (claim.key != key, claim.record.at, claim.key))
            for key, claims in found.items()
        }

    def _check(self, claims: Iterable[_Claim], export: str, title: str, is_held: IsHeld) -> None:
        """Raise Claimed if the first of these claims that stands is another export's."""
        for claim in claims:
            if claim.record.export == export:
                return
            if self._stands(claim.record, is_held):
                raise Claimed(title, claim.record.export)

    def _stands(self, claim: ClaimRecord, is_held: IsHeld) -> bool:
        """Return whether a claim keeps others away: it is just being made, or its export's document bears it out."""
        return self._clock.now() < claim.at + SAVING or is_held(claim.export, claim.title)

    def _remove(self, account: str, key: str, etag: str) -> None:
        with suppress(Lost):
            self._table.delete_version(account, key, etag)


@dataclass(frozen=True, slots=True)
class _Claim:
    """A claim, and the key under which it is kept."""

    key: str
    record: ClaimRecord


@dataclass(frozen=True, slots=True)
class _Kind:
    """What claims name a list by: how their keys begin, and what all names of one list have in common."""

    prefix: str
    common: Callable[[str], str]
    by_title: bool

    def key(self, name: str) -> str:
        """Name a claim's record: names hold what keys may not."""
        return self.prefix + sha256(self.common(name).encode()).hexdigest()[:32]

    def key_now(self, key: str, record: ClaimRecord) -> str:
        """Return the key that a stored claim would have if it were made now."""
        return self.key(record.title) if self.by_title else key


_BY_TITLE: Final = _Kind("claim-", fold, by_title=True)
_BY_ID: Final = _Kind("filled-", str, by_title=False)
