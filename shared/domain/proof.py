"""Prove which call puts contacts on a list for an account, instead of believing or doubting it.

Sources contradict each other on the bulk call (reference/autopilot-api section 4), and the description of
`_autopilot_list` says "on creation" (section 3.1). So the proof takes a contact that exists and is not on the list,
sends it with the list, by the quickest call first, and reads the membership back after each: what holds for an
existing contact is assumed to hold for a new one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.domain.account import Account, Filling
from shared.domain.chunks import Operation
from shared.domain.sending import Sender

CANDIDATES: Final = 3
"""Contacts to try before giving up: one that is on the list already proves nothing."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a proof showed, and whom it sent with a list: contact ids by person."""

    filling: Filling | None
    listed: Mapping[int, str]


def prove(api: Account, sender: Sender, operations: Sequence[Operation], lists: Sequence[str]) -> Proof:
    """Show which call fills lists; none if no operation could show it. Six calls at most for the one that shows it.

    Raise the AutopilotError that a call ended with.
    """
    candidates = [operation for operation in operations if operation.fields and operation.add]
    for operation in candidates[:CANDIDATES]:
        contact = _not_yet_on(operation, api, sender, lists[operation.add[0]])
        if contact is not None:
            filling = _shown_by(operation, contact, api, sender, lists[operation.add[0]])
            return Proof(filling, {operation.person: contact})
    return Proof(None, {})


def _not_yet_on(operation: Operation, api: Account, sender: Sender, list_id: str) -> str | None:
    """Send a contact without a list; return its id, or None if it shows nothing, being on the list already."""
    fields = dict(operation.fields or {})
    contact = sender.one(lambda: api.upsert([fields])).get(str(fields["Email"]).lower())
    if contact is None or sender.one(lambda: api.is_member(list_id, contact)):
        return None
    return contact


def _shown_by(operation: Operation, contact: str, api: Account, sender: Sender, list_id: str) -> Filling:
    listed = {**(operation.fields or {}), "_autopilot_list": list_id}
    sender.one(lambda: api.upsert([listed]))
    if sender.one(lambda: api.is_member(list_id, contact)):
        return Filling.BULK
    sender.one(lambda: api.upsert_one(listed))
    if sender.one(lambda: api.is_member(list_id, contact)):
        return Filling.CONTACT
    return Filling.MEMBERSHIP
