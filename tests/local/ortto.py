"""The sandbox of Ortto, as its callers see it."""

from __future__ import annotations

from typing import Any

import requests


class Ortto:
    """The sandbox, as its callers see it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = requests.Session()

    def call(self, method: str, path: str, body: object, key: str = "sandbox-key") -> requests.Response:
        headers = {"X-Api-Key": key}
        return self.http.request(method, f"{self.url}/v1{path}", json=body, headers=headers, timeout=60)

    def turn(self, **knobs: Any) -> None:
        assert self.http.put(f"{self.url}/sandbox/knobs", json=knobs, timeout=60).ok

    def look(self, path: str) -> Any:
        return self.http.get(f"{self.url}/sandbox/{path}", timeout=60).json()

    def by_hand(self, method: str, path: str, body: object = None) -> None:
        assert self.http.request(method, f"{self.url}/sandbox/{path}", json=body, timeout=60).ok

    def merge(self, *people: dict[str, Any], **more: Any) -> requests.Response:
        body = {"people": list(people), "async": False, "merge_by": ["str::email"], "merge_strategy": 2, **more}
        return self.call("POST", "/person/merge", body)

    def merged(self, *people: dict[str, Any], **more: Any) -> list[dict[str, str]]:
        answer = self.merge(*people, **more)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, str]] = answer.json()["people"]
        return found

    def get(self, **body: Any) -> Any:
        return self.call("POST", "/person/get", body).json()
