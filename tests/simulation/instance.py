"""An instance of the app on the stage: its settings, and its clock."""

from __future__ import annotations

from typing import Final

from shared.azure.settings import Settings, StorageAccount
from tests.simulation.autopilot import URL
from tests.simulation.stage import Stage

_NOWHERE: Final = StorageAccount(connection_string="-")


SETTINGS: Final = Settings(
    storage=_NOWHERE,
    key_vault_url="https://vault.example",
    urls={"autopilot": URL},
    settle_seconds=0,
    outage_minutes=30,
)


class StageClock:
    """An actor's clock, off by so many seconds."""

    def __init__(self, stage: Stage, skew: float) -> None:
        self._stage = stage
        self._skew = skew

    def now(self) -> float:
        """Return the time."""
        return self._stage.now + self._skew

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self._stage.sleep(seconds)
