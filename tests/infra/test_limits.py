"""The table of limits in docs/scale.md is what the code holds to."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from shared.exports.configuration import ExportSettings
from shared.state.state import MOST_LISTS

TEXT = (Path(__file__).parents[2] / "docs" / "scale.md").read_text()
ROW = re.compile(r"^\| [^|*]+ \| (\d+)(?: (KiB|MiB|GiB|s))? \| `([\w.]+)` \|$", re.MULTILINE)
UNITS = {"": 1, "s": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
ROWS = [(place, int(number) * UNITS[unit]) for number, unit, place in ROW.findall(TEXT)]


def value(place: str) -> Any:
    """Return what a dotted name stands for; a last part in lower case is a key."""
    *modules, name = place.split(".")
    if name.islower():
        return value(".".join(modules))[name]
    return getattr(import_module(".".join(modules)), name)


def test_the_table_is_found() -> None:
    assert len(ROWS) > 20


@pytest.mark.parametrize(("place", "limit"), ROWS, ids=[place for place, _ in ROWS])
def test_a_limit_is_what_the_table_says(place: str, limit: int) -> None:
    assert value(place) == limit


def test_an_export_has_no_more_segments_than_a_state_has_bits() -> None:
    assert ExportSettings.model_json_schema()["properties"]["segments"]["maxItems"] == MOST_LISTS
