"""In which order tests are handed to the workers of pytest-xdist, and which go together: `make test` ends when the last one does.

What takes long begins first, and beside what waits for running stacks two workers compute, so that the cores are busy
from the beginning to the end. A file stays together, on one worker: its tests may share a running stack.
(`--dist loadgroup` of pytest-xdist 3.8 does nothing under pytest 9: a group is told by a node id that nobody reads any more.)
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from typing import Final

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

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
    "stack/test_failures": 246,
    "stack/test_lies": 204,
    "stack/test_runs": 151,
    "stack/test_pace": 145,
    "stack/test_chaos": 123,
    "stack/test_verification": 107,
    "simulation/test_random": 104,
    "stack/test_source_trouble": 81,
    "stack/test_export": 70,
    "stack/test_poison": 61,
    "azure/test_deadlines": 59,
    "destinations/ortto/test_through_the_app": 57,
    "stack/test_management": 56,
    "upgrade/test_stored_world": 52,
    "stack/test_values": 51,
    "local/test_host": 50,
    "console/test_tasks": 46,
    "stack/test_preview": 45,
    "local/test_commands": 45,
    "console/test_screens": 45,
    "destinations/ortto/test_bad_input": 44,
    "stack/test_telemetry": 43,
    "stack/test_canary": 43,
    "hostile/test_law_of_answers": 42,
    "stack/test_backup": 40,
    "operate/test_keys": 40,
    "infra": 40,
    "console/test_trouble": 40,
    "console/test_keyboard": 40,
    "console/test_clock": 39,
    "console/test_states": 38,
    "sources/blob_export/test_law": 36,
    "hostile/test_transport": 36,
    "stack/test_cli": 35,
    "console/test_edit": 35,
    "operate/test_state": 34,
    "operate/test_runs": 34,
    "stack/test_planning": 32,
    "stack/test_erasure": 27,
    "upgrade/test_newer": 25,
    "stack/test_readme": 22,
    "stack/test_served_schema": 21,
    "stack/test_law": 20,
    "console/test_history": 20,
    "upgrade/test_former_digests": 19,
    "simulation/test_points": 19,
    "hostile/test_requests": 15,
    "delivery/test_estimate": 14,
    "delivery/test_in_flight": 13,
    "hostile/test_tables": 12,
}
"""Seconds that a file, or a folder that stays together, takes by itself, as last measured; what is not here is quick."""

WAITING: Final = (
    "azure/test_deadlines",
    "console/",
    "destinations/ortto/test_bad_input",
    "destinations/ortto/test_through_the_app",
    "delivery/test_in_flight",
    "hostile/test_requests",
    "hostile/test_transport",
    "local/",
    "operate/",
    "stack/",
    "upgrade/",
)
"""How files begin whose tests wait for processes, or for time, most of the while."""

SECONDS_A_TEST: Final = {True: 2.0, False: 0.03}
"""What a test takes in a module of which nothing is known: one that waits, and one that computes."""

COMPUTERS: Final = frozenset({"gw0", "gw1"})
"""The workers that compute, as pytest-xdist calls them: they take what the others leave of the processor."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order units by `in_order`; the tests of a unit keep their order."""
    place = {unit: number for number, unit in enumerate(in_order(item.nodeid for item in items))}
    items.sort(key=lambda item: place[unit_of(item.nodeid)])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Return what hands units to the workers, in the order of the tests."""
    return _Units(config, log)


def pytest_sessionstart() -> None:
    """Let the others go first, on a worker that computes."""
    if os.environ.get("PYTEST_XDIST_WORKER") in COMPUTERS:
        os.nice(5)


class _Units(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Two workers prefer what computes, and the others what waits, so that the cores are busy until the end."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        waits = node.gateway.id not in COMPUTERS
        preferred = next((unit for unit in self.workqueue if is_waiting(unit) is waits), None)
        if preferred is not None:
            self.workqueue.move_to_end(preferred, last=False)
        super()._assign_work_unit(node)


def unit_of(test: str) -> str:
    """Return what a test goes with to one worker, by their node ids: its file, as a rule."""
    file = _file_of(test)
    folder = file.partition("/")[0]
    return folder if folder in TOGETHER else test if file in APART else file


def is_waiting(unit: str) -> bool:
    """Return whether a unit waits for processes, or for time, most of the while."""
    return _file_of(unit).startswith(WAITING)


def in_order(tests: Iterable[str]) -> list[str]:
    """Return the units of tests, given by their node ids: the longest first."""
    sizes = Counter(map(unit_of, tests))
    alike = Counter(map(_file_of, sizes))  # units of one file
    seconds = {
        unit: SECONDS.get(file := _file_of(unit), number * SECONDS_A_TEST[is_waiting(unit)]) / alike[file]
        for unit, number in sizes.items()
    }
    return sorted(seconds, key=lambda unit: -seconds[unit])


def _file_of(test: str) -> str:
    """Return the file of a test within the folder `tests`, without its ending."""
    return test.partition("::")[0].removeprefix("tests/").removesuffix(".py")
