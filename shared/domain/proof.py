"""Prove whether an account's bulk call puts contacts on `_autopilot_list`, instead of believing or doubting it.

Sources contradict each other (reference/autopilot-api section 4), and the field's description says "on creation". So
the proof takes a contact that exists and is not on the list, sends it by the bulk call with the list, and reads the
membership back: what holds for an existing contact is assumed to hold for a new one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shared.domain.chunks import Operation
from shared.domain.delivery import Account
from shared.domain.sending import Sender

CANDIDATES: Final = 3
"""Contacts to try before giving up: one that is on the list already proves nothing."""


def prove(api: Account, sender: Sender, operations: Sequence[Operation], lists: Sequence[str]) -> bool | None:
    """Say whether the bulk call fills lists; None if no operation could show it. Five calls at most a candidate.

    Raises the AutopilotError that a call ended with.
    """
    candidates = [operation for operation in operations if operation.fields and operation.add]
    for operation in candidates[:CANDIDATES]:
        fields, list_id = dict(operation.fields or {}), lists[operation.add[0]]
        email = str(fields["Email"])
        contact_id = sender.one(lambda fields=fields: api.upsert([fields])).get(email.lower())  # type: ignore[misc]
        if contact_id is None:
            continue
        if sender.one(lambda contact=contact_id, on=list_id: api.is_member(on, contact)):  # type: ignore[misc]
            continue
        sender.one(lambda fields=fields, on=list_id: api.upsert([{**fields, "_autopilot_list": on}]))  # type: ignore[misc]
        return sender.one(lambda contact=contact_id, on=list_id: api.is_member(on, contact))  # type: ignore[misc]
    return None
