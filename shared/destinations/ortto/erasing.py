"""Erasing somebody at Ortto: archived first, then deleted, by id only; whoever has the address, in the archive too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from shared.delivery.account import Caller
from shared.delivery.errors import NoAnswer
from shared.destinations.ortto.answers import Call
from shared.destinations.ortto.client import Ortto
from shared.destinations.ortto.limits import PAGE
from shared.destinations.ortto.pages import read_all

EMAIL: Final = "str::email"


class Erasing:
    """Finds and deletes people."""

    def __init__(self, api: Ortto) -> None:
        self._api = api

    def erase(self, address: str, caller: Caller) -> bool:
        """Archive and delete everybody with this address; return False if there was nobody."""
        living = self.people(address, caller)
        if living:
            caller.one(lambda: self._act(Call.ARCHIVE, living))
        found = list(dict.fromkeys([*living, *self.archived(address, caller)]))
        if found:
            caller.one(lambda: self._act(Call.DELETE, found))
        return bool(found)

    def people(self, address: str, caller: Caller) -> list[str]:
        """Return the ids of those who have an address; two may have it (vendor)."""
        asked = {"$str::is": {"field_id": EMAIL, "value": address}}
        found = read_all(self._api, {"limit": PAGE, "fields": [EMAIL], "filter": {"$and": [asked]}}, caller)
        if not all(_has(item, address) for item in found):
            raise NoAnswer(f"{Call.PAGE} was answered with others than were asked for")
        return [item["id"] for item in found]

    def archived(self, address: str, caller: Caller) -> list[str]:
        """Return the ids of those in the archive who have an address; the search there may find others too.

        What beside the search may be asked of the archive is not known (vendor: only the search). A page that tells
        nobody's address, since it keeps to fields of its own, does not tell that they are others.
        """
        found = read_all(self._api, {"type": "archived", "q": address, "limit": PAGE, "fields": [EMAIL]}, caller)
        if found and not any(EMAIL in item["fields"] for item in found):
            raise NoAnswer(f"{Call.PAGE} does not tell the addresses of the archive")
        return [item["id"] for item in found if _has(item, address)]

    def _act(self, call: Call, ids: Sequence[str]) -> None:
        """Archive or delete people by their ids; a call without any is never made: what it would do nobody knows."""
        self._api.call(call, {"inclusion_ids": list(ids)})


def _has(item: Mapping[str, Any], address: str) -> bool:
    email = item["fields"].get(EMAIL)
    return isinstance(email, str) and email.strip().lower() == address.lower()
