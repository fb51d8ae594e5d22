"""Modules that can be read: none over 300 lines, half of the app's at most 100."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
LONGEST: Final = 300
MEDIAN: Final = 100


def lengths(*folders: str) -> dict[str, int]:
    """Return the lines of each Python module in folders."""
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in found}


@pytest.mark.parametrize("folder", ["shared", "export_trigger", "export_worker", "cli", "local", "bench", "tests"])
def test_no_module_is_longer_than_300_lines(folder: str) -> None:
    found = lengths(folder)
    assert found
    assert {name: lines for name, lines in found.items() if lines > LONGEST} == {}


def test_half_of_the_apps_modules_have_at_most_100_lines() -> None:
    assert median(lengths("shared", "export_trigger", "export_worker").values()) <= MEDIAN
