"""Asking the app while its processes die and its storage is away: until there is an answer."""

from __future__ import annotations

import time
from itertools import count
from typing import Any, Final

import requests

from cli.client import ApiError, Client

PATIENCE_SECONDS: Final = 300.0
"""Seconds after which somebody who asks gives up."""

PAUSE_SECONDS: Final = 0.2


def persistently(api: Client, method: str, path: str, *body: object) -> Any:
    """Call the API until it answers; raise what it answers if that is a refusal, or the last fault after PATIENCE_SECONDS.

    What a call before may have done, whose answer was lost, is done: a run that is going was started by it, and what is not
    there any more was deleted by it.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    for turn in count():
        try:
            return getattr(api, method)(path, *body)
        except ApiError as error:
            if error.code == "run_in_progress" and path.endswith("/runs"):
                return {"run": error.content["run"]}
            if turn and method == "delete" and error.status == requests.codes.not_found:
                return None
            if error.status < 500 or time.monotonic() > deadline:
                raise
        except requests.RequestException:
            if time.monotonic() > deadline:
                raise
        time.sleep(PAUSE_SECONDS)
    raise AssertionError
