"""The threat model: every boundary says what is done, and every test that it names exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
MODEL: Final = (ROOT / "docs/security.md").read_text()
NAMED: Final = sorted(set(re.findall(r"`([a-z_/]+\.py)(?:::(\w+))?`", MODEL)))


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_a_test_that_is_named_exists(file: str, name: str) -> None:
    source = ROOT / "tests" / file
    assert source.is_file()
    tests = {item.name for item in ast.parse(source.read_text()).body if isinstance(item, ast.FunctionDef)}
    assert not name or name in tests


def test_every_threat_is_shown_to_be_met() -> None:
    boundaries = MODEL.split("\n### ")[1:]
    assert len(boundaries) == 7
    for boundary in boundaries:
        rows = [line for line in boundary.splitlines() if line.startswith("| ") and not line.startswith("| threat")]
        assert rows
        assert [row for row in rows if "::test_" not in row.rpartition(" | ")[2]] == []
        assert "Crosses:" in boundary
