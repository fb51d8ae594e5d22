"""Calls of the API as any client makes them."""

from __future__ import annotations

import requests

from local.world import World

CONNECTION = {"display_name": "Main", "api_key": "sandbox-key", "agree_to_privacy": True}


def call(world: World, method: str, path: str, body: object = None, **headers: str) -> requests.Response:
    given = {
        "x-functions-key": world.stack.function_key,
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return requests.request(method, f"{world.stack.api_url}/{path}", json=body, headers=given, timeout=60)
