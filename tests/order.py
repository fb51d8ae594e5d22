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
    "stack/test_failures": 326,
    "simulation/test_random": 309,
    "stack/test_lies": 266,
    "stack/test_verification": 259,
    "stack/test_export": 216,
    "stack/test_runs": 208,
    "stack/test_pace": 162,
    "sources/blob_export/test_law": 135,
    "destinations/ortto/test_through_the_app": 118,
    "stack/test_chaos": 114,
    "local/test_host": 108,
    "local/test_commands": 105,
    "stack/test_management": 105,
    "stack/test_source_trouble": 103,
    "stack/test_telemetry": 91,
    "stack/test_poison": 87,
    "operate/test_state": 84,
    "hostile/test_law_of_answers": 82,
    "stack/test_values": 79,
    "console/test_tasks": 78,
    "stack/test_canary": 72,
    "console/test_states": 69,
    "stack/test_backup": 68,
    "stack/test_planning": 67,
    "stack/test_law": 59,
    "azure/test_deadlines": 59,
    "console/test_screens": 57,
    "operate/test_runs": 57,
    "stack/test_erasure": 56,
    "simulation/test_points": 56,
    "operate/test_keys": 51,
    "sources/blob_export/test_contract": 50,
    "stack/test_cli": 49,
    "upgrade/test_stored_world": 49,
    "hostile/test_values": 49,
    "hostile/test_tables": 45,
    "export_trigger/steps/test_erase": 44,
    "destinations/autopilot/test_contract": 42,
    "infra/test_templates": 39,
    "cleaning/test_values": 38,
    "hostile/test_accounts": 38,
    "stack/test_preview": 37,
    "hostile/test_law_of_answers_at_ortto": 35,
    "hostile/test_keys": 35,
    "stack/test_readme": 33,
    "planning/test_plan": 31,
    "infra/test_rights": 31,
    "destinations/ortto/test_contract": 31,
    "hostile/test_documents": 30,
}
"""Seconds that a module took when it was last looked at (`pytest --durations=0`); what is not here is quick."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first; the tests of a file keep their order."""
    seconds = {item: SECONDS.get(item.path.relative_to(ROOT / "tests").with_suffix("").as_posix(), 0) for item in items}
    items.sort(key=lambda item: -seconds[item])
