"""What the peers ask of Ortto, standard library only; how a call is sent, paced and retried is each one's own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bench.peers.calls import OnRefused, Refused, Send
from bench.peers.segment import refused

PEOPLE = 100
"""People in a call (vendor)."""


def put_batch(send: Send, contacts: Sequence[dict[str, Any]], tag: str, on_refused: OnRefused = refused) -> None:
    """Merge up to 100 people in a call and tag each.

    The answer names nobody, and is taken to be in the order of the call, as a script takes it.
    """
    people = [{"fields": _fields(contact), "tags": [tag]} for contact in contacts]
    body = {"people": people, "async": False, "merge_by": ["str::email"], "merge_strategy": 2, "find_strategy": 0}
    answer = send("POST", "/person/merge", body)
    entries = answer.json().get("people" if answer.status_code == 200 else "details")
    if not entries or len(entries) != len(contacts):
        raise Refused(f"{answer.status_code} {answer.text}")
    for contact, entry in zip(contacts, entries, strict=True):
        if "person_id" not in entry:
            on_refused(contact, entry.get("error") or entry["status"])


def _fields(contact: dict[str, Any]) -> dict[str, Any]:
    """Return a contact by the ids of Ortto's fields, each value in its form."""
    custom = contact["custom"]
    found = {
        "str::email": contact["Email"],
        "str::first": contact.get("FirstName"),
        "str::last": contact.get("LastName"),
        "geo::city": {"name": contact["MailingCity"]} if "MailingCity" in contact else None,
        "str:cm:loyalty-tier": custom.get("string--Loyalty--Tier"),
        "int:cm:loyalty-points": custom.get("integer--Loyalty--Points"),
        "dtz:cm:last-purchase": _day(custom["date--Last--Purchase"]),
    }
    return {name: value for name, value in found.items() if value is not None}


def _day(text: str) -> dict[str, int]:
    moment = datetime.fromisoformat(text)
    return {"year": moment.year, "month": moment.month, "day": moment.day}
