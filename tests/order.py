"""In which order tests are handed to the workers of pytest-xdist: `make test` ends when the last one does.

The files that take long begin first. A file stays together, on one worker: its tests may share a running stack.
(`--dist loadgroup` of pytest-xdist 3.8 does nothing under pytest 9: a group is told by a node id that nobody reads any more.)
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]

SECONDS: Final[Mapping[str, int]] = {
    "stack/test_canary": 115,
    "stack/test_chaos": 132,
    "stack/test_failures": 145,
    "stack/test_lies": 136,
    "stack/test_pace": 274,
    "stack/test_runs": 346,
    "stack/test_preview": 108,
    "stack/test_source_trouble": 120,
    "stack/test_erasure": 89,
    "stack/test_verification": 81,
    "stack/test_export": 73,
    "stack/test_law": 68,
    "stack/test_planning": 50,
    "stack/test_backup": 49,
    "stack/test_management": 39,
    "stack/test_telemetry": 37,
    "stack/test_values": 34,
    "stack/test_poison": 34,
    "stack/test_readme": 25,
    "console/test_states": 60,
    "console/test_tasks": 50,
    "console/test_screens": 40,
    "console/test_page": 12,
    "stack/test_cli": 15,
    "stack/test_served_schema": 10,
    "simulation/test_random": 150,
    "simulation/test_points": 40,
    "local/test_commands": 64,
    "local/test_host": 40,
    "local/test_chaos": 36,
    "infra/test_package": 54,
    "sources/blob_export/test_law": 48,
    "upgrade/test_stored_world": 43,
    "hostile/test_law_of_answers": 28,
    "hostile/test_access": 23,
    "delivery/test_estimate": 18,
    "lifecycle/test_outage": 13,
}
"""Seconds that a module took when it was last looked at (`pytest --durations=0`); what is not here is quick."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first; the tests of a file keep their order."""
    seconds = {item: SECONDS.get(item.path.relative_to(ROOT / "tests").with_suffix("").as_posix(), 0) for item in items}
    items.sort(key=lambda item: -seconds[item])
