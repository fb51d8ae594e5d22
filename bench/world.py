"""A world for benchmarks: a stack of its own, quick to settle, that nothing runs on by itself."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from local.stack import Stack
from local.targets import AUTOPILOT, ORTTO, Target
from local.world import World

QUICK_ORTTO: Final = replace(
    ORTTO, connection={**ORTTO.connection, "calls_in_flight": 8}, export={"new_people": "subscribed"}
)
"""Ortto as it is measured: in the fewest calls, and with as many of them at a time as use the rate."""

SETTINGS: Final = {"SETTLE_SECONDS": "0", "EXPORT_SCHEDULE": "0 0 0 1 1 *"}


@contextmanager
def open_world(
    *,
    instances: int = 1,
    knobs: Mapping[str, Any] | None = None,
    in_memory: bool = False,
    storage_log: bool = False,
    target: Target = AUTOPILOT,
) -> Iterator[World]:
    """Yield a world, and take it down afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        stack = Stack(
            Path(directory),
            instances=instances,
            settings=SETTINGS,
            knobs=knobs,
            in_memory=in_memory,
            storage_log=storage_log,
            targets=(target,),
        )
        with stack:
            world = World(stack)
            try:
                yield world
            finally:
                world.close()
