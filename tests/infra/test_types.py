"""Types that say something: no `Any` in a public signature of the ports and of the domain."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]

DOMAIN: Final = (
    "accounts",
    "cleaning",
    "composition",
    "delivery",
    "erasure",
    "exports",
    "lifecycle",
    "planning",
    "reasons",
    "retry",
    "runs",
    "sources",
    "state",
    "verification",
)
"""Rooms of `shared/` that hold the domain, and its ports: a destination's is in `delivery`, a source's in `sources`.

An adapter's own room may say `Any` of what another's library or a foreign answer holds.
"""


def signatures(body: list[ast.stmt], owner: str = "") -> Iterator[tuple[str, ast.expr]]:
    """Return the annotations of all that is public: parameters, results, and fields of types, each with its name."""
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from signatures(node.body, f"{node.name}.")
        elif isinstance(node, ast.FunctionDef) and (not node.name.startswith("_") or node.name.endswith("__")):
            given = node.args
            parameters = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
            annotations = [each.annotation for each in parameters if each] + [node.returns]
            yield from ((f"{owner}{node.name}", annotation) for annotation in annotations if annotation)
        elif isinstance(node, ast.AnnAssign) and not ast.unparse(node.target).startswith("_"):
            yield f"{owner}{ast.unparse(node.target)}", node.annotation
        elif isinstance(node, ast.TypeAlias):
            yield f"{owner}{node.name.id}", node.value


@pytest.mark.parametrize("room", DOMAIN)
def test_no_public_signature_says_any(room: str) -> None:
    found = [
        (f"{path.relative_to(ROOT)}: {name}", ast.unparse(annotation))
        for path in (ROOT / "shared" / room).rglob("*.py")
        for name, annotation in signatures(ast.parse(path.read_text()).body)
    ]
    assert found
    assert [
        (name, text)
        for name, text in found
        if "Any" in text.replace("[", " ").replace(",", " ").replace("]", " ").split()
    ] == []
