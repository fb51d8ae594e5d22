"""Which connections share an account's pace, and at which rates."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from shared.accounts.identities import Identities
from shared.exports.registry import Registry
from shared.reasons.errors import ExportError

RATE_SECONDS: Final = 60.0
"""Seconds for which an instance need not look which other connections share an account's pace."""


class Rates:
    """The rate limits of the connections that lead to an account, as they were within the last minute."""

    def __init__(self, registry: Registry, identities: Identities) -> None:
        self._registry = registry
        self._identities = identities
        self._known: dict[str, tuple[dict[str, float], float]] = {}

    def of(self, account: str) -> dict[str, float]:
        """Return the rate limits of an account's connections, by connection."""
        known = self._known.get(account)
        if known is None or time.monotonic() >= known[1]:
            known = self._known[account] = (dict(self._find(account)), time.monotonic() + RATE_SECONDS)
        return known[0]

    def forget(self) -> None:
        """Look again."""
        self._known.clear()

    def _find(self, account: str) -> Iterator[tuple[str, float]]:
        for name in self._registry.connections():
            if self._identities.home(name) == account:
                with suppress(ExportError):  # one that is damaged leads nowhere
                    if found := self._registry.connection(name):
                        yield name, found[0].rate_limit
