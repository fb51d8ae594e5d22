"""Believe an answer that names nobody: by what the contacts hold when they are read back by the ids that it gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from shared.delivery.contacts import Contact, Held, NotHeld, Result, Seen
from shared.delivery.errors import DestinationError, NoAnswer

_UNCONFIRMED: Final = NoAnswer("what was read back does not show what was sent")

type Answer = Sequence[Result | DestinationError] | DestinationError
"""What is known of each contact of a call, or the error that it ended with."""


def confirmed(
    contacts: Sequence[Contact], results: Sequence[Result], seen: Sequence[Seen | None] | DestinationError
) -> list[Result | DestinationError]:
    """Return what is known of each contact of a call.

    `results` are those that the answer gave in order, `seen` the contacts that it says are held, in the same order, or the
    error that reading them ended with. Who is read back with its address and its lists is held, wherever it stood in the
    answer. Where the answer kept another order than the call, of the others only that is known which is true of all of them.
    """
    if isinstance(seen, DestinationError):
        return [seen] * len(contacts)
    held = [contact.address for contact, result in zip(contacts, results, strict=True) if isinstance(result, Held)]
    in_order = [item.address if item else None for item in seen] == held
    found = {item.address: item for item in seen if item and item.address}
    others = {result for result in results if not isinstance(result, Held)}
    is_each_found = sum(contact.address in found for contact in contacts) == len(held)
    of_all = others.pop() if len(others) == 1 and is_each_found else None
    return [
        _one(contact, found) if contact.address in found else of_all or _of_one(result, in_order)
        for contact, result in zip(contacts, results, strict=True)
    ]


def told_apart(
    contacts: Sequence[Contact], results: Sequence[Result], looks: Mapping[str, Seen | DestinationError | None]
) -> list[Result | DestinationError]:
    """Return what is known of each contact of a call, of whose ids those in `looks` are shared, and were read back.

    Who has not the address that is read there was not taken, as far as the answer tells.
    """
    return [
        _owner(contact, looks[result.contact_id]) if isinstance(result, Held) and result.contact_id in looks else result
        for contact, result in zip(contacts, results, strict=True)
    ]


def there(contacts: Sequence[Contact], answer: Answer) -> list[Contact]:
    """Return the contacts of a call that are known to be there."""
    if isinstance(answer, DestinationError):
        return []
    return [contact for contact, result in zip(contacts, answer, strict=True) if isinstance(result, Held)]


def both(known: Answer, sent: Answer) -> Answer:
    """Return what is known of a call's contacts, of which those that were there were sent on."""
    if isinstance(known, DestinationError) or isinstance(sent, DestinationError):
        return sent
    results = iter(sent)
    return [next(results) if isinstance(result, Held) else result for result in known]


def _owner(contact: Contact, seen: Seen | DestinationError | None) -> Result | DestinationError:
    if isinstance(seen, DestinationError):
        return seen
    address = (seen.address or "").lower() if seen else ""
    return _one(contact, {address: seen}) if seen and address == contact.address else NotHeld.MISSING


def _of_one(result: Result, in_order: bool) -> Result | DestinationError:
    return _UNCONFIRMED if isinstance(result, Held) or not in_order else result


def _one(contact: Contact, found: Mapping[str, Seen]) -> Result | DestinationError:
    seen = found[contact.address]
    if seen.contact_id is None or not holds(seen, contact.add, contact.remove):
        return _UNCONFIRMED
    return Held(seen.contact_id)


def holds(seen: Seen, add: Sequence[str], remove: Sequence[str]) -> bool:
    """Whether a contact that was read back is on the lists `add`, and on none of `remove`."""
    return seen.lists.issuperset(add) and seen.lists.isdisjoint(remove)
