"""What a call of a peer is: how it is sent is each one's own, what its answers mean is the destination's."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Protocol


class Answer(Protocol):
    """An answer, as `requests` gives it."""

    status_code: int
    text: str

    def json(self) -> Any:
        """Return the body."""


Send = Callable[[str, str, object], Answer]
"""Method, path and body to an answer: 2xx, or a 4xx that trying again does not help."""

AS_DOCUMENTED = os.environ.get("PEER_AS_DOCUMENTED") == "1"
"""Let a refused batch fail, since no documentation says what else to do."""

OnRefused = Callable[[dict[str, Any], str], None]
"""What to do with a contact that is refused, and why."""


class Refused(Exception):
    """The destination said no where it must not; the text is its answer."""
