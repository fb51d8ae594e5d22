"""What a test says in the app's place, or changes of what the app says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Route

from tests.console.tab import Tab

Change = Callable[[dict[str, Any]], None]


def refuse(tab: Tab, path: str, status: int, method: str = "GET", **problem: object) -> None:
    """Answer calls of `path` (as a pattern below `/api`) with a problem."""
    tab.expected.add(str(status))
    body = {"type": "about:blank", "title": "x", "status": status, **problem}

    def handle(route: Route) -> None:
        if route.request.method != method:
            return route.fallback()
        return route.fulfill(status=status, content_type="application/problem+json", body=json.dumps(body))

    tab.page.route(re.compile(rf"/api/{path}(\?.*)?$"), handle)


def alter(tab: Tab, path: str, change: Change) -> None:
    """Let the app answer, and change what it says."""

    def handle(route: Route) -> None:
        headers = {name: value for name, value in route.request.headers.items() if name != "if-none-match"}
        answer = route.fetch(headers=headers)
        if not answer.ok:
            return route.fulfill(response=answer)
        content = answer.json()
        change(content)
        return route.fulfill(response=answer, json=content, headers={"content-type": "application/json"})

    tab.page.route(re.compile(rf"/api/{path}(\?.*)?$"), handle)


def as_role(role: str) -> Change:
    def change(me: dict[str, Any]) -> None:
        (may,) = (item["may"] for item in me["roles"] if item["role"] == role)
        me.update(role=role, may=may, mode="entra")

    return change
