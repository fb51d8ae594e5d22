"""What can be read: no module over 300 lines, half of the app's at most 100, no function over a screen."""

from __future__ import annotations

import ast
from pathlib import Path
from statistics import median
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
LONGEST: Final = 300
MEDIAN: Final = 100
SCREEN: Final = 60


def lengths(*folders: str) -> dict[str, int]:
    """Return the lines of each Python module in folders."""
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in found}


FOLDERS: Final = ("shared", "export_trigger", "export_worker", "cli", "local", "bench", "tests")


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_module_is_longer_than_300_lines(folder: str) -> None:
    found = lengths(folder)
    assert found
    assert {name: lines for name, lines in found.items() if lines > LONGEST} == {}


def test_half_of_the_apps_modules_have_at_most_100_lines() -> None:
    assert median(lengths("shared", "export_trigger", "export_worker").values()) <= MEDIAN


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_function_is_longer_than_a_screen(folder: str) -> None:
    functions = [
        (path.name, node.name, (node.end_lineno or 0) - node.lineno + 1)
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert functions
    assert [found for found in functions if found[2] > SCREEN] == []
