"""Rooms: who may import whom. Arrows point down; docs/architecture.md has the same order."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "docs/architecture.md").read_text().partition("## Rooms")[2].partition("\n## ")[0]
ROOMS = [name.replace("/", ".") for name in re.findall(r"^\| `([\w/]+?)/?` \|", TABLE, re.MULTILINE)]
"""From the top of the house down, as the table in docs/architecture.md has them."""

SYSTEMS = {
    "azure.core": {"shared.azure", "shared.sources.blob_export", "shared.telemetry"},
    "azure.data": {"shared.azure", "shared.composition"},
    "azure.identity": {"shared.azure"},
    "azure.keyvault": {"shared.azure"},
    "azure.storage": {"shared.azure", "shared.composition", "shared.sources.blob_export"},
    "azure.functions": {"function_app", "export_trigger", "export_worker"},
    "opentelemetry": {"shared.telemetry"},
    "requests": {"shared.http", "shared.composition"},
}
"""The libraries of outside systems, and the rooms that may import them."""


def modules() -> Iterator[tuple[str, Path]]:
    """Return every module of the app with its file."""
    for path in sorted([ROOT / "function_app.py", *ROOT.glob("shared/**/*.py"), *ROOT.glob("export_*/**/*.py")]):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        yield name, path


def room_of(module: str) -> str:
    """Return the innermost room a module lies in."""
    return max((room for room in ROOMS if f"{module}.".startswith(f"{room}.")), key=len, default="")


@cache
def imports(path: Path) -> tuple[str, ...]:
    """Return what a file imports, at run time or for its types, as whole names."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return tuple(found)


def arrows() -> Iterator[tuple[str, str]]:
    """Return each import that goes from one room to another: the module that imports, and the room it imports from."""
    for name, path in modules():
        for imported in imports(path):
            if imported.startswith(("shared.", "export_trigger.", "export_worker.")):
                there = room_of(imported)
                if there != room_of(name):
                    yield name, there


def test_every_module_lies_in_a_room() -> None:
    assert len(ROOMS) > 15
    assert [name for name, path in modules() if not room_of(name)] == ["shared"]  # its docstring


def test_every_room_has_somebody_in_it() -> None:
    assert set(ROOMS) == {room_of(name) for name, _ in modules()} - {""}


def test_arrows_point_down() -> None:
    upward = {(name, there) for name, there in arrows() if ROOMS.index(there) <= ROOMS.index(room_of(name))}
    assert not upward


@pytest.mark.parametrize("library", SYSTEMS)
def test_a_system_is_known_to_its_adapter_alone(library: str) -> None:
    users = {
        room_of(name)
        for name, path in modules()
        if any(f"{imported}.".startswith(f"{library}.") for imported in imports(path))
    }
    assert users, "nobody imports it: take it off the list"
    assert users <= SYSTEMS[library]
