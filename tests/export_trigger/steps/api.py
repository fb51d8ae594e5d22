"""An account that people are erased at, played."""

from __future__ import annotations

from shared.delivery.errors import ContactGone, DestinationError
from shared.reasons.errors import ExportError


class Api:
    """One account as an erasure sees it: who is in it, and what goes wrong."""

    def __init__(self, *people: str) -> None:
        self.people = set(people)
        self.calls: list[str] = []
        self.fault: DestinationError | ExportError | None = None
        self.deletes = True

    def delete(self, address: str) -> None:
        self._called("delete")
        if address not in self.people:
            raise ContactGone("DELETE answered 404")
        if self.deletes:
            self.people.discard(address)

    def find(self, address: str) -> dict[str, str] | None:
        self._called("read")
        return {"contact_id": "person_1"} if address in self.people else None

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.fault is not None:
            raise self.fault
