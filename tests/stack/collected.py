"""What a collector of telemetry received."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import requests

from local.eventually import eventually
from local.world import World
from shared.telemetry.names import Attribute, Event, Metric


class Collected:
    """What the collector of a world holds."""

    def __init__(self, world: World) -> None:
        self._url = f"{world.stack.collector_url}/telemetry"

    def items(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = requests.get(f"{self._url}/{kind}", timeout=60).json()
        return found

    def raw(self) -> list[bytes]:
        return [bytes.fromhex(body) for body in requests.get(f"{self._url}/raw", timeout=60).json()]

    def turn(self, mode: str) -> None:
        requests.put(f"{self._url}/mode", json={"mode": mode}, timeout=60)

    def wait(self, kind: str, fits: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        """Wait until what came fits, and return it."""
        return eventually(lambda: self.items(kind), fits)

    def end_of(self, run: str) -> dict[str, Any]:
        """Wait for the event of a run's end."""

        def is_end(log: dict[str, Any]) -> bool:
            return bool(log["event"] == Event.RUN_ENDED and log["attributes"][Attribute.RUN] == run)

        return next(filter(is_end, self.wait("logs", lambda logs: any(map(is_end, logs)))))

    def sum(self, metric: Metric, **attributes: object) -> float:
        """Add a counter up over all processes: of each series, that grows, the last value."""
        last: dict[tuple[object, ...], float] = {}
        for point in self.items("points"):
            if point["name"] == metric and attributes.items() <= point["attributes"].items():
                series = (point["resource"]["service.instance.id"], str(sorted(point["attributes"].items())))
                last[series] = point["value"] if "value" in point else point["count"]
        return sum(last.values())

    def settles(self, metric: Metric, value: float, **attributes: object) -> bool:
        """Wait until a counter has come to a value."""
        return eventually(lambda: self.sum(metric, **attributes), lambda found: found >= value) == value
