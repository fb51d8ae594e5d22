"""How a person stands to one list of an export, and why: what the segment, erasure, our record and the destination say together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from export_trigger.steps.find_person import Looked
from shared.exports.configuration import Export, SegmentTarget


class Why(StrEnum):
    """Why somebody is on a list, or is not. The codes are a contract with users and their tools."""

    MEMBER = "member"
    NOT_IN_SEGMENT = "not_in_segment"
    PERHAPS = "perhaps_unreadable"
    ERASED = "erased"
    REJECTED = "rejected"
    NOT_DELIVERED = "not_delivered_yet"
    TAKEN_OFF = "taken_off_there"
    UNCONFIRMED = "unconfirmed"
    LEAVES = "leaves_with_next_run"
    KEPT = "kept"
    STAYS = "stays_without_address"
    BY_OTHERS = "put_there_by_others"
    SUPPRESSED = "suppressed"
    UNKNOWN = "segment_unreadable"

    @property
    def advice(self) -> str:
        """One sentence: what it means and what to do."""
        return _ADVICE[self]


_ADVICE: Final = {
    Why.MEMBER: "They are in the segment, were delivered, and nothing says that they are not on the list.",
    Why.NOT_IN_SEGMENT: "No row of the segment has this address. Look at the segment's rule, and at the profile's address, in Customer Insights.",
    Why.PERHAPS: "No row of the segment that can be read has this address, but some rows cannot be read, or have the CustomerId of another, and one of them may be theirs. Run the Blob export again; whoever is on the list stays on it until then.",
    Why.ERASED: "This person asked to be erased: no run delivers them again. Take the profile out of Customer Insights' sources too.",
    Why.REJECTED: "A row of theirs is rejected, and the contact waits for it; the row says why and what to do.",
    Why.NOT_DELIVERED: "They are in the segment, and the next run delivers them.",
    Why.TAKEN_OFF: "They were delivered and are not on the list any more: somebody took them off there. Verify the export with repair to put them back.",
    Why.UNCONFIRMED: "They were sent, and nobody confirmed it. The next run sends them again.",
    Why.LEAVES: "No row of the segment has this address any more: the next run takes them off the list.",
    Why.KEPT: "They left the segment, and the export keeps who left on the list (leavers: keep).",
    Why.STAYS: "Their row is in the segment without a valid address, so they count as members until it has another one.",
    Why.BY_OTHERS: "They are on the list and this export did not put them there; it does not take them off.",
    Why.SUPPRESSED: "Their address is on the destination's suppression list, so they are not created there. They are sent again when their values change; to create them all the same, save the export with create_suppressed.",
    Why.UNKNOWN: "The segment could not be read, so whether they are in it is not known.",
}


@dataclass(frozen=True, slots=True)
class Recorded:
    """What we know the destination to hold of the person, by digests, as the record of `run` says."""

    run: str
    contact_id: str | None
    customer: int | None
    content: int | None
    lists: frozenset[str]
    attempted: frozenset[str]
    is_current: bool | None = None
    """Whether what was confirmed is what would be sent now; None if one of them is not known."""

    @property
    def is_suppressed(self) -> bool:
        """Whether the destination did not take the person, since their address is on its suppression list."""
        return self.contact_id is None and not self.attempted

    def with_content(self, content: int | None) -> Recorded:
        """Return it compared with the contact that would be sent now."""
        known = content is not None and self.content is not None
        return replace(self, is_current=self.content == content if known else None)


@dataclass(frozen=True, slots=True)
class There:
    """What the destination says at this moment; None where it was not asked, or gave no answer, for the reason in `code`.

    `lists` are the ids of all lists that the contact is on; None where only the contact's being there could be asked.
    """

    exists: bool | None = None
    lists: frozenset[str] | None = None
    code: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class OnList:
    """How the person stands to one list."""

    target: SegmentTarget
    in_segment: bool | None
    delivered: bool
    on_list: bool | None
    why: Why


@dataclass(frozen=True, slots=True)
class Known:
    """What holds of the person whatever the list; with `waits` a row of theirs is rejected, in whatever segment, and nothing is sent."""

    erased_at: datetime | None
    recorded: Recorded | None
    there: There
    waits: bool = False

    def on_list(self, export: Export, target: SegmentTarget, looked: Looked, list_id: str | None) -> OnList:
        """Return how the person stands to one list."""
        in_segment = None if looked.fault else any(row.is_by_address for row in looked.rows)
        recorded = self.recorded
        delivered = bool(recorded and not recorded.is_suppressed and list_id in recorded.lists)
        on_list = None if self.there.lists is None else list_id in self.there.lists
        why = self._why(export, looked, in_segment, delivered, on_list, list_id)
        return OnList(target, in_segment, delivered, on_list, why)

    def _why(
        self,
        export: Export,
        looked: Looked,
        in_segment: bool | None,
        delivered: bool,
        on_list: bool | None,
        list_id: str | None,
    ) -> Why:
        if self.erased_at is not None:
            return Why.ERASED
        if in_segment is None:
            return Why.UNKNOWN
        if in_segment:
            return self._inside(export, looked, delivered, on_list, list_id)
        return self._outside(export, looked, delivered, on_list)

    def _inside(
        self, export: Export, looked: Looked, delivered: bool, on_list: bool | None, list_id: str | None
    ) -> Why:
        if not any(row.is_by_address and row.reason is None for row in looked.rows):
            return Why.REJECTED
        if delivered:
            return Why.TAKEN_OFF if on_list is False else Why.MEMBER
        if self.waits:
            return Why.REJECTED
        recorded = self.recorded
        if recorded and recorded.is_suppressed and recorded.is_current is not False and not export.create_suppressed:
            return Why.SUPPRESSED
        attempted = recorded is not None and list_id in recorded.attempted
        return Why.UNCONFIRMED if attempted else Why.NOT_DELIVERED

    @staticmethod
    def _outside(export: Export, looked: Looked, delivered: bool, on_list: bool | None) -> Why:
        if delivered and any(row.is_without_address for row in looked.rows):
            return Why.STAYS
        if delivered and looked.may_hold(export.guards.max_unread_percent):
            return Why.PERHAPS
        if delivered:
            return Why.LEAVES if export.leavers == "remove" else Why.KEPT
        if on_list:
            return Why.BY_OTHERS
        if looked.rows:  # known by CustomerId alone, with another address or none
            return Why.REJECTED if any(row.is_without_address for row in looked.rows) else Why.NOT_IN_SEGMENT
        return Why.PERHAPS if looked.unreadable else Why.NOT_IN_SEGMENT
