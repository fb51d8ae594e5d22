"""What every peer shares, standard library only: reading a segment's CSV, and the mapping of a row to a contact.

The mapping is the same as ours in this benchmark, so that all send the same contacts.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

SEGMENT = Path(os.environ.get("SEGMENT_CSV", "segment.csv"))
LIST = os.environ.get("SEGMENT_LIST", "Everyone")
URL = os.environ.get("PEER_URL", "")
HEADERS = {os.environ.get("PEER_KEY_HEADER", "autopilotapikey"): os.environ.get("PEER_KEY", "")}
RATE = int(os.environ.get("PEER_RATE", "20"))
THREADS = 16
"""Calls under way at once: enough to fill the rate at the sandbox's latency, with room to spare."""


def pace() -> tuple[int, int]:
    """Return how many calls in how many milliseconds keep the rate: measured, the quickest that is never throttled."""
    calls = min(15, max(1, RATE // 5))
    return calls, round(calls * 1000 / RATE)


def say(text: str) -> None:
    """Write a line to standard output, at once."""
    print(text, flush=True)


def contacts(file: Path = SEGMENT, tell: Callable[[str], object] = say) -> Iterator[dict[str, Any]]:
    """Yield the segment's contacts; says which rows it leaves out, as a careful script would."""
    with file.open(encoding="utf-8", newline="") as text:
        for number, row in enumerate(csv.DictReader(text), start=2):
            email = (row["Email"] or "").strip()
            if "@" not in email:
                tell(f"line {number}: left out, no e-mail address: {row['CustomerId']} {email!r}")
                continue
            yield {"Email": email, **_fields(row)}


def refused(contact: dict[str, Any], text: str, tell: Callable[[str], object] = say) -> None:
    """Note that the destination refused a contact."""
    tell(f"refused: {contact['Email']}: {text}")


def _fields(row: dict[str, str]) -> dict[str, Any]:
    plain = {"FirstName": row["FirstName"], "LastName": row["LastName"], "MailingCity": row["City"]}
    bought = datetime.strptime(row["LastPurchase"], "%m/%d/%Y").strftime("%Y-%m-%dT00:00:00.000Z")  # noqa: DTZ007
    custom = {
        "string--Loyalty--Tier": row["LoyaltyTier"],
        "integer--Loyalty--Points": int(row["Points"]),
        "date--Last--Purchase": bought,
    }
    kept = {name: value for name, value in custom.items() if value not in ("", None)}
    return {**{name: value for name, value in plain.items() if value}, "custom": kept}
