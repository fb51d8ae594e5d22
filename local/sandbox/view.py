"""The view: what the sandbox holds and what was asked of it, for people, tests and comparisons. Not part of Autopilot."""

from __future__ import annotations

import json
from collections import Counter, deque
from typing import Any
from urllib.parse import unquote

from local.sandbox.account import Account
from local.sandbox.api import Reply

WRITES = ("POST", "PUT", "DELETE")


class Statistics:
    """Counts of requests, by endpoint and status, and by second."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.seconds: Counter[int] = Counter()
        self.lies: Counter[str] = Counter()
        self.journal: deque[dict[str, Any]] = deque(maxlen=10_000)

    def note(self, endpoint: str, status: int, now: float, body: bytes | None, lie: str | None) -> None:
        """Note one request that was answered, or not answered (status 0)."""
        self.calls[endpoint] += 1
        self.statuses[status] += 1
        self.seconds[int(now)] += 1
        entry: dict[str, Any] = {"endpoint": endpoint, "status": status, "at": now}
        if body is not None:
            entry["body"] = body.decode(errors="replace")
        if lie is not None:
            self.lies[lie] += 1
        self.journal.append(entry)

    def summary(self) -> dict[str, Any]:
        """Return the counts. `writes` are requests that may change something."""
        return {
            "requests": sum(self.calls.values()),
            "writes": sum(count for name, count in self.calls.items() if name.startswith(WRITES)),
            "calls": dict(self.calls),
            "statuses": {str(status): count for status, count in self.statuses.items()},
            "throttled": self.statuses[429],
            "lies": dict(self.lies),
            "seconds": {str(second): count for second, count in sorted(self.seconds.items())},
        }


def look(account: Account, statistics: Statistics, method: str, path: str) -> Reply | None:
    """Answer a GET under /sandbox; None if there is no such thing."""
    match [method, *(unquote(part) for part in path.strip("/").split("/")[1:])]:
        case ["GET", "lists"]:
            lists = [
                {"list_id": list_id, "title": title, "members": len(account.members[list_id])}
                for list_id, title in account.titles.items()
            ]
            return Reply(200, {"lists": lists})
        case ["GET", "lists", list_id, "emails"] if list_id in account.members:
            return Reply(200, sorted(account.emails_of(list_id)))
        case ["GET", "contacts"]:
            return Reply(200, [contact.document() for contact in account.contacts.values()])
        case ["GET", "contacts", email] if found := account.find(email):
            return Reply(200, {**found.document(), "custom": found.custom})
        case ["GET", "stats"]:
            return Reply(200, statistics.summary())
        case ["GET", "journal"]:
            return Reply(200, list(statistics.journal))
        case _:
            return None


def do_by_hand(account: Account, method: str, path: str, change: object) -> Reply | None:
    """Do under /sandbox what people do in the product, `change` being the request's body; None if there is no such thing."""
    match [method, *(unquote(part) for part in path.strip("/").split("/")[1:])]:
        case ["DELETE", "lists", list_id] if list_id in account.members:
            account.delete_list(list_id)
            return Reply(204)
        case ["DELETE", "contacts", email] if found := account.find(email):
            account.delete(found)
            return Reply(204)
        case ["POST", "contacts", email, "merge", other] if (gone := account.find(email)) and (
            into := account.find(other)
        ):
            account.merge(gone, into)
            return Reply(204)
        case ["PUT", "contacts", email] if (found := account.find(email)) and isinstance(change, dict):
            account.upsert({**change, "Email": found.email}, honour_list=False)
            return Reply(204)
        case _:
            return None


def encode(body: object) -> bytes:
    """Write an answer's body."""
    return b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
