"""The adapter to the operator's webhook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests


class WebhookFailed(Exception):
    """The webhook did not take the notice; it may be sent again."""


def post(http: requests.Session, url: str, notice: Mapping[str, Any]) -> None:
    """Send one notice as JSON; raises WebhookFailed unless the answer is a success."""
    try:
        answer = http.post(url, json=notice, timeout=(5, 20), allow_redirects=False)
    except requests.RequestException as error:
        raise WebhookFailed(f"the webhook does not answer ({type(error).__name__})") from None
    if not answer.ok:
        raise WebhookFailed(f"the webhook answered {answer.status_code}")
