"""What the host is told: host.json, app settings, `%SETTING%` expressions."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_EXPRESSION: Final = re.compile(r"%([^%]+)%")


class SettingMissing(Exception):
    """A `%SETTING%` names a setting that there is not."""


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """`extensions.queues` of host.json; times in seconds. Defaults are the real host's."""

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    visibility_timeout: float = 0
    max_polling_interval: float = 60

    @property
    def most_parallel(self) -> int:
        """Messages of one queue that one instance handles at a time."""
        return self.batch_size + self.new_batch_threshold


@dataclass(frozen=True, slots=True)
class HostOptions:
    """host.json, as far as this host knows it."""

    route_prefix: str
    function_timeout: float
    queues: QueueOptions


def read_host_json(app: Path) -> HostOptions:
    """Read host.json in the app's folder."""
    content: dict[str, Any] = json.loads((app / "host.json").read_text())
    extensions = content.get("extensions", {})
    queues = extensions.get("queues", {})
    default = QueueOptions()
    batch = queues.get("batchSize", default.batch_size)
    return HostOptions(
        route_prefix=extensions.get("http", {}).get("routePrefix", "api"),
        function_timeout=_seconds(content.get("functionTimeout", "00:30:00")),
        queues=QueueOptions(
            batch_size=batch,
            new_batch_threshold=queues.get("newBatchThreshold", batch // 2),
            max_dequeue_count=queues.get("maxDequeueCount", default.max_dequeue_count),
            visibility_timeout=_seconds(queues.get("visibilityTimeout", "00:00:00")),
            max_polling_interval=_seconds(queues.get("maxPollingInterval", "00:01:00")),
        ),
    )


def read_local_settings(app: Path) -> None:
    """Put the `Values` of local.settings.json into the environment, where they are not set already."""
    file = app / "local.settings.json"
    if file.exists():
        for name, value in json.loads(file.read_text()).get("Values", {}).items():
            os.environ.setdefault(name, str(value))


def resolve(value: str) -> str:
    """Replace every `%SETTING%` by the setting; raises SettingMissing."""

    def setting(found: re.Match[str]) -> str:
        name = found[1]
        if name not in os.environ:
            raise SettingMissing(f"'%{name}%' does not resolve to a value: set {name}.")
        return os.environ[name]

    return _EXPRESSION.sub(setting, value)


def _seconds(span: str) -> float:
    hours, minutes, seconds = span.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
