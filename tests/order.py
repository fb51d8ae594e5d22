"""In which order tests are handed to the workers of pytest-xdist, and which go together: `make test` ends when the last one does.

What takes long begins first, and what waits for running stacks is mixed with what computes, so that the cores are busy
from the beginning to the end. A file stays together, on one worker: its tests may share a running stack.
(`--dist loadgroup` of pytest-xdist 3.8 does nothing under pytest 9: a group is told by a node id that nobody reads any more.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

TOGETHER: Final = frozenset({"infra"})
"""Folders that stay together as well: their files ask one Bicep compiler, which takes seconds to become quick."""

APART: Final = frozenset(
    {
        "azure/test_deadlines",
        "local/test_commands",
        "local/test_host",
        "simulation/test_points",
        "simulation/test_random",
        "sources/blob_export/test_law",
        "stack/test_erasure",
        "stack/test_pace",
        "stack/test_runs",
    }
)
"""Long files whose tests share nothing: each of them may go to another worker."""

SECONDS: Final = {
    "stack/test_failures": 337,
    "stack/test_lies": 283,
    "simulation/test_random": 236,
    "stack/test_runs": 212,
    "stack/test_verification": 202,
    "stack/test_pace": 160,
    "destinations/ortto/test_bad_input": 148,
    "stack/test_export": 138,
    "stack/test_values": 137,
    "infra": 124,
    "destinations/ortto/test_through_the_app": 121,
    "local/test_commands": 117,
    "stack/test_chaos": 108,
    "operate/test_state": 98,
    "stack/test_poison": 93,
    "stack/test_source_trouble": 90,
    "stack/test_telemetry": 89,
    "simulation/test_points": 81,
    "stack/test_canary": 80,
    "stack/test_law": 80,
    "operate/test_runs": 78,
    "stack/test_management": 75,
    "console/test_trouble": 73,
    "local/test_host": 71,
    "console/test_states": 71,
    "sources/blob_export/test_law": 71,
    "operate/test_keys": 65,
    "azure/test_deadlines": 65,
    "delivery/test_estimate": 65,
    "stack/test_cli": 61,
    "hostile/test_law_of_answers": 61,
    "cleaning/test_values": 60,
    "stack/test_planning": 60,
    "console/test_tasks": 60,
    "console/test_keyboard": 60,
    "console/test_screens": 58,
    "upgrade/test_stored_world": 58,
    "stack/test_served_schema": 56,
    "planning/test_plan": 55,
    "stack/test_erasure": 54,
    "stack/test_preview": 51,
    "console/test_clock": 50,
    "console/test_edit": 48,
    "upgrade/test_newer": 48,
    "stack/test_backup": 48,
    "console/test_history": 45,
    "hostile/test_tables": 43,
    "planning/test_law_of_the_source": 42,
    "hostile/test_documents": 40,
    "upgrade/test_former_digests": 39,
    "hostile/test_keys": 37,
    "hostile/test_transport": 37,
    "cleaning/test_hints": 34,
    "hostile/test_law_of_answers_at_ortto": 34,
    "stack/test_readme": 33,
    "destinations/autopilot/test_contract": 31,
    "destinations/ortto/test_migrate": 29,
    "destinations/memory/test_registration": 29,
    "destinations/ortto/test_contract": 20,
    "sources/blob_export/test_contract": 15,
    "sources/blob_export/test_cases": 15,
}
"""Seconds that a file, or a folder that stays together, took when it was last looked at (`--durations=0`); what is not here is quick."""

WAITING: Final = (
    "azure/test_deadlines",
    "console/",
    "destinations/ortto/test_bad_input",
    "destinations/ortto/test_through_the_app",
    "local/",
    "operate/",
    "stack/",
    "upgrade/",
)
"""How files begin whose tests wait for processes, or for time, most of the while."""

SECONDS_A_TEST: Final = {True: 2.0, False: 0.1}
"""What a test takes in a module of which nothing is known: one that waits, and one that computes."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order units by `in_order`; the tests of a unit keep their order."""
    place = {unit: number for number, unit in enumerate(in_order(item.nodeid for item in items))}
    items.sort(key=lambda item: place[unit_of(item.nodeid)])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Return what hands units to the workers, in the order of the tests."""
    return _Units(config, log)


class _Units(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)


def unit_of(test: str) -> str:
    """Return what a test goes with to one worker, by their node ids: its file, as a rule."""
    file = _file_of(test)
    folder = file.partition("/")[0]
    return folder if folder in TOGETHER else test if file in APART else file


def in_order(tests: Iterable[str]) -> list[str]:
    """Return the units of tests, given by their node ids: those that wait and those that compute proceed side by side."""
    sizes = Counter(map(unit_of, tests))
    alike = Counter(_file_of(unit) for unit in sizes)  # units of one file
    begins: dict[str, float] = {}
    for waiting in (True, False):
        seconds = {
            unit: SECONDS.get(file := _file_of(unit), number * SECONDS_A_TEST[waiting]) / alike[file]
            for unit, number in sizes.items()
            if _file_of(unit).startswith(WAITING) is waiting
        }
        before, total = 0.0, sum(seconds.values())
        for unit in sorted(seconds, key=lambda unit: -seconds[unit]):
            begins[unit] = before / total
            before += seconds[unit]
    return sorted(begins, key=lambda unit: begins[unit])


def _file_of(test: str) -> str:
    """Return the file of a test within the folder `tests`, without its ending."""
    return test.partition("::")[0].removeprefix("tests/").removesuffix(".py")
