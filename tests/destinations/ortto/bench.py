"""The Ortto sandbox as the contract works on it."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from local.ortto.knobs import Knobs
from local.processes import ServerProcess, Start
from shared.azure.vault import GivenKey
from shared.delivery.account import Account
from shared.delivery.destination import Place
from shared.destinations.ortto.destination import OrttoDestination
from tests.destinations.bench import Bench
from tests.destinations.memory.destination import MemoryNotes

KEY = "sandbox-key"


@contextmanager
def serving(folder: Path, start: Start) -> Iterator[str]:
    """Run the sandbox; return its URL."""
    started = ServerProcess("ortto", ["-m", "local.ortto"], os.environ, folder / "log", start=start)
    started.start()
    yield str(started.ready["url"])
    started.stop()


class OrttoBench(Bench):
    """The sandbox, by its knobs and its view: empty, and with `knobs` turned. Nothing is remembered of another bench."""

    def __init__(self, url: str, http: requests.Session, **knobs: Any) -> None:
        self.destination = OrttoDestination()
        self.notes = MemoryNotes()
        self._url = url
        self._http = http
        self._knobs = {**Knobs(ban=None).model_dump(), **knobs}
        self.turn()
        assert http.post(f"{url}/sandbox/empty", timeout=60).ok

    def account(self, key: str | None = None) -> Account:
        return self.destination.open(Place(url=f"{self._url}/v1"), GivenKey(key or KEY), self._http, self.notes)

    def contact(self, address: str, first_name: str) -> Mapping[str, Any]:
        return {"str::email": address, "str::first": first_name}

    def first_names(self) -> Mapping[str, str | None]:
        held = [item["fields"] for item in reversed(self.look("people"))]  # of two with one address the first is told
        return {fields["str::email"]: fields.get("str::first") for fields in held if "str::email" in fields}

    def members(self, list_id: str) -> set[str]:
        answer = self._http.get(f"{self._url}/sandbox/tags/{quote(list_id, safe='')}/emails", timeout=60)
        return set(answer.json()) if answer.ok else set()

    def delete_contact(self, address: str) -> None:
        self.by_hand("DELETE", f"people/{address}")

    def delete_list(self, list_id: str) -> None:
        self.by_hand("DELETE", f"tags/{list_id}")

    def refused(self, number: int) -> str:
        return f"poison{number}@example.com"

    @contextmanager
    def leaving_out(self) -> Iterator[None]:
        self.turn(faults={"drop_row": 1.0})
        yield
        self.turn()

    @contextmanager
    def losing_answers(self) -> Iterator[None]:
        self.turn(faults={"timeout_done": 0.25, "reset_done": 0.25})
        yield
        self.turn()

    @contextmanager
    def throttling(self) -> Iterator[None]:
        self.turn(faults={"throttle": 0.3})
        yield
        self.turn()

    def turn(self, **knobs: Any) -> None:
        """Turn the sandbox's knobs, the others back to where this bench has them."""
        answer = self._http.put(f"{self._url}/sandbox/knobs", json={**self._knobs, **knobs}, timeout=60)
        assert answer.ok, answer.text

    def by_hand(self, method: str, path: str, body: object = None) -> None:
        """Do what a person does in the product."""
        assert self._http.request(method, f"{self._url}/sandbox/{path}", json=body, timeout=60).ok

    def look(self, path: str) -> Any:
        """Look at what the account holds."""
        return self._http.get(f"{self._url}/sandbox/{path}", timeout=60).json()

    def calls(self) -> dict[str, int]:
        """Return how often each call was made since this was asked last."""
        made: dict[str, int] = self.look("stats")["calls"]
        self.by_hand("POST", "reset")
        return made


def people(count: int) -> Iterator[str]:
    """Return addresses."""
    return (f"p{number}@example.com" for number in itertools.islice(itertools.count(), count))
