"""Reads Bicep files by their grammar (tree-sitter-bicep) into declarations and plain values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

INFRA: Final = Path(__file__).parents[2] / "infra"
"""Where the templates are."""


@dataclass(frozen=True, slots=True)
class Expression:
    """What is only known at deployment: the source text."""

    text: str


@dataclass(frozen=True, slots=True)
class Loop:
    """`[for name in over: body]`."""

    name: str
    over: Any
    body: Any


@dataclass(frozen=True, slots=True)
class Declaration:
    """One `param`, `var`, `resource`, `module` or `output`.

    `type` is a resource's type and version, a module's path, or a param's type; `value` is its object, loop, or default:
    text, numbers, lists and dictionaries as they are, anything worked out at deployment as an Expression.
    """

    kind: str
    name: str
    type: str
    value: Any
    decorators: Mapping[str, Any]
    existing: bool
    node: Node

    @property
    def body(self) -> dict[str, Any]:
        """The object of a resource or module, whether in a loop or not."""
        found = self.value.body if isinstance(self.value, Loop) else self.value
        assert isinstance(found, dict), f"{self.name} has no object"
        return found

    @property
    def resource(self) -> str:
        """A resource's type without its version."""
        return self.type.partition("@")[0]


class File:
    """A Bicep file, parsed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = path.read_text()
        self.root = _parser().parse(self.text.encode()).root_node
        self.declarations = list(_declarations(self.root))

    def of(self, kind: str) -> dict[str, Declaration]:
        """Return the declarations of a kind by name."""
        return {found.name: found for found in self.declarations if found.kind == kind}

    def resources(self, kind: str) -> list[Declaration]:
        """Return the resources of a type that the file creates."""
        return [found for found in self.of("resource").values() if found.resource == kind and not found.existing]

    def var(self, name: str) -> Any:
        """Return a variable's value."""
        return self.of("var")[name].value


@cache
def read(name: str) -> File:
    """Read a template by its path under `infra`."""
    return File(INFRA / name)


def files() -> list[File]:
    """Read every template."""
    return [read(str(path.relative_to(INFRA))) for path in sorted(INFRA.rglob("*.bicep"))]


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and all below it."""
    yield node
    for child in node.children:
        yield from walk(child)


def text(node: Node) -> str:
    """Return a node's source text."""
    return (node.text or b"").decode()


def faults(file: File) -> list[str]:
    """Return where a file is not Bicep."""
    return [
        f"{file.path.name}:{node.start_point.row + 1}: {text(node)[:60]!r}"
        for node in walk(file.root)
        if node.is_error or node.is_missing
    ]


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_bicep.language()))


_KINDS: Final = {
    "parameter_declaration": "param",
    "variable_declaration": "var",
    "resource_declaration": "resource",
    "module_declaration": "module",
    "output_declaration": "output",
}


def _declarations(root: Node) -> Iterator[Declaration]:
    """Yield declarations in order, nested resources included."""
    decorators: dict[str, Any] = {}
    for node in root.named_children:
        if node.type == "decorators":
            decorators = dict(_decorator(child) for child in node.named_children if child.type == "decorator")
        elif node.type in _KINDS:
            yield _declaration(node, decorators)
            decorators = {}
        if node.type != "decorators":
            yield from _declarations(node)


def _decorator(node: Node) -> tuple[str, Any]:
    call = node.named_children[-1]
    name, arguments = call.named_children
    return text(name), [value(argument) for argument in arguments.named_children]


def _declaration(node: Node, decorators: Mapping[str, Any]) -> Declaration:
    parts = [child for child in node.named_children if child.type != "comment"]
    tokens = {child.type for child in node.children}
    kind = _KINDS[node.type]
    about = parts[1] if kind != "var" else None
    rest = parts[2:] if about is not None else parts[1:]
    return Declaration(
        kind=kind,
        name=text(parts[0]),
        type=str(value(about)) if kind in {"resource", "module"} and about else text(about) if about else "",
        value=value(rest[0]) if rest else None,
        decorators=decorators,
        existing="existing" in tokens,
        node=node,
    )


def value(node: Node | None) -> Any:
    """Return a node's value; an Expression if it is only known at deployment."""
    if node is None:
        return None
    parts = [child for child in node.named_children if child.type != "comment"]
    match node.type:
        case "string" if all(part.type in {"string_content", "escape_sequence"} for part in parts):
            return "".join(
                text(part).removeprefix("\\") if part.type == "escape_sequence" else text(part) for part in parts
            )
        case "number":
            return int(text(node))
        case "boolean":
            return text(node) == "true"
        case "null":
            return None
        case "array":
            return [value(part) for part in parts]
        case "object":
            return {
                _key(part.named_children[0]): value(part.named_children[-1])
                for part in parts
                if part.type == "object_property" and part.named_children[0].type != "resource_declaration"
            }
        case "for_statement":
            return Loop(text(parts[0]), value(parts[1]), value(parts[-1]))
        case "if_statement":
            return value(parts[-1])
        case _:
            return Expression(text(node))


def _key(node: Node) -> str:
    found = value(node)
    return found if isinstance(found, str) else text(node)
