"""The adapter to the operator's webhook: one notice, one answer's status, nothing else of what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from http.client import HTTPException
from typing import Any, Final

import requests
from urllib3.exceptions import HTTPError

from shared.http.connections import within

SECONDS: Final = 15.0
"""For the whole call, from connecting to the last header."""


class WebhookFailed(Exception):
    """The webhook did not take the notice; it may be sent again. The text names no URL: a token may stand in it."""


def post(http: requests.Session, url: str, notice: Mapping[str, Any], *, seconds: float = SECONDS) -> None:
    """Send one notice as JSON; raise WebhookFailed unless the answer is 2xx and comes in time.

    A redirect is not followed, and does not count as taken: the notice would go where nobody configured. The answer's
    body is not read.
    """
    try:
        with (
            within(seconds),
            http.post(url, json=notice, timeout=seconds, allow_redirects=False, stream=True) as answer,
        ):
            status = answer.status_code
    except (requests.RequestException, HTTPError, HTTPException, OSError, ValueError) as error:  # or no such host name
        raise WebhookFailed(f"the webhook does not answer ({type(error).__name__})") from None
    if not 200 <= status < 300:
        raise WebhookFailed(f"the webhook answered {status}")
