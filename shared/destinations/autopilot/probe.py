"""Prove which call puts contacts on a list for an account, instead of believing or doubting it.

Sources contradict each other on the bulk call (docs/decisions/05-filling-lists.md), and a third-party client describes
`_autopilot_list` as a list that a contact joins "on creation". So the proof takes a contact that exists and is not on the list,
sends it with the list, by the quickest call first, and reads the membership back after each, from the contact's own
document: what holds for an existing contact is assumed to hold for a new one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from shared.delivery.account import Account, Caller, Proof
from shared.delivery.capabilities import ListMethod
from shared.delivery.contacts import Contact, Held
from shared.delivery.errors import ContactGone, ListGone, Refused
from shared.destinations.autopilot.list_methods import BULK, CONTACT, MEMBERSHIP

CANDIDATES: Final = 3
"""Contacts to try before giving up: one that is on the list already proves nothing."""


def prove(api: Account, contacts: Sequence[Contact], caller: Caller) -> Proof:
    """Show which call fills lists; none if no contact could show it. Seven calls at most for the one that shows it.

    Raise the DestinationError that a call ended with: a ListGone where there is no list that could be filled.
    """
    listed: dict[str, str] = {}
    for contact in [contact for contact in contacts if contact.fields and contact.add][:CANDIDATES]:
        try:
            contact_id = _not_yet_on(contact, api, caller)
            if contact_id is not None:
                listed[contact.address] = contact_id
                return Proof(_shown_by(contact, contact_id, api, caller), listed)
        except ListGone:
            raise
        except Refused:  # of this contact: another may show it
            continue
    return Proof(None, listed)


def _not_yet_on(contact: Contact, api: Account, caller: Caller) -> str | None:
    """Send a contact without a list; return its id, or None if it shows nothing, being on the list already."""
    (result,) = caller.one(lambda: api.send([replace(contact, add=(), remove=())], MEMBERSHIP))
    if not isinstance(result, Held) or _is_on(contact, result.contact_id, api, caller):
        return None
    return result.contact_id


def _shown_by(contact: Contact, contact_id: str, api: Account, caller: Caller) -> ListMethod:
    listed = replace(contact, add=contact.add[:1], remove=())
    for method in (BULK, CONTACT):
        caller.one(lambda method=method: api.send([listed], method))  # type: ignore[misc]
        if _is_on(contact, contact_id, api, caller):
            return method
    if api.list_is_gone(contact.add[0], caller):
        raise ListGone("the list is there no more")
    return MEMBERSHIP


def _is_on(contact: Contact, contact_id: str, api: Account, caller: Caller) -> bool:
    """Read whether a contact is on the first of its lists; raise ContactGone if there is no such contact."""
    (seen,) = caller.one(lambda: api.look([contact_id]))
    if seen is None:
        raise ContactGone("there is no such contact")
    return contact.add[0] in seen.lists
