"""Prove which call puts contacts on a list for an account, instead of believing or doubting it.

Sources contradict each other on the bulk call (docs/decisions/05-filling-lists.md), and the description of
`_autopilot_list` says "on creation" (section 3.1). So the proof takes a contact that exists and is not on the list,
sends it with the list, by the quickest call first, and reads the membership back after each, from the contact's own
document: what holds for an existing contact is assumed to hold for a new one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.delivery.account import Account, Filling, ListNames
from shared.delivery.chunks import Operation
from shared.delivery.errors import ListGone, Refused
from shared.delivery.sending import Sender

CANDIDATES: Final = 3
"""Contacts to try before giving up: one that is on the list already proves nothing."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a proof showed, and whom it sent with a list: contact ids by person."""

    filling: Filling | None
    listed: Mapping[int, str]


def prove(api: Account, sender: Sender, operations: Sequence[Operation], lists: Sequence[str]) -> Proof:
    """Show which call fills lists; none if no operation could show it. Seven calls at most for the one that shows it.

    Raise the DestinationError that a call ended with: a ListGone where there is no list that could be filled.
    """
    listed: dict[int, str] = {}
    candidates = [operation for operation in operations if operation.fields and operation.add]
    for operation in candidates[:CANDIDATES]:
        list_id = lists[operation.add[0]]
        try:
            contact = _not_yet_on(operation, api, sender, list_id)
            if contact is not None:
                listed[operation.person] = contact
                return Proof(_shown_by(operation, contact, api, sender, list_id), listed)
        except ListGone:
            raise
        except Refused:  # of this contact: another may show it
            continue
    return Proof(None, listed)


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
    if not list_exists(api, sender, list_id):
        raise ListGone("GET /lists names the list no more")
    return Filling.MEMBERSHIP


def list_exists(api: ListNames, sender: Sender, list_id: str) -> bool:
    """Read whether there is a list of this id."""
    return any(list_id in ids for ids in sender.one(api.lists).values())
