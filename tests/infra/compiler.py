"""Microsoft's Bicep compiler: what it says of a template, and what its evaluator says would be deployed.

One process answers everything (`bicep jsonrpc`): started anew for each question it would take three seconds each time.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from local.bicep import environment
from local.package import ROOT

INFRA: Final = ROOT / "infra"
"""Where the templates are."""

SWITCHES: Final = ROOT / "tests/infra/switches"
"""One parameters file for each combination of switches, and beside it what it deploys."""

REQUIRED: Final = "CI_REQUIRE_BICEP"
"""Environment variable: without the compiler tests fail instead of being skipped."""

ASSUMED: Final = {
    "subscriptionId": "22222222-2222-2222-2222-222222222222",
    "tenantId": "33333333-3333-3333-3333-333333333333",
    "location": "westeurope",
    "deploymentName": "main",
}
"""Where the evaluator is told that it deploys."""


class Refused(Exception):
    """The deployment is refused before anything is made; the text is the reason."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource as it would be deployed; what only Azure knows is an expression in brackets.

    `name` is the path of names from its top resource; `id` is its whole resource id. Both may be expressions.
    """

    type: str
    name: str
    id: str
    body: Mapping[str, Any]

    @property
    def properties(self) -> Mapping[str, Any]:
        """Its properties; empty if it has none."""
        found: Mapping[str, Any] = self.body.get("properties", {})
        return found


@dataclass(frozen=True, slots=True)
class Deployment:
    """Everything that a deployment would make, and its outputs."""

    resources: tuple[Resource, ...]
    outputs: Mapping[str, Any]

    def of(self, kind: str) -> list[Resource]:
        """Return the resources of a type."""
        return [found for found in self.resources if found.type == kind]

    def only(self, kind: str, name: str = "") -> Resource:
        """Return the one resource of a type, whose name ends in `name`."""
        (found,) = [found for found in self.of(kind) if found.name.endswith(name)]
        return found

    def last_names(self, kind: str) -> list[str]:
        """Return the last part of the name of each resource of a type."""
        return [found.name.rpartition("/")[2] for found in self.of(kind)]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A template as Azure gets it, and what the compiler and its linter say of it."""

    template: Mapping[str, Any]
    diagnostics: tuple[str, ...]


class Compiler:
    """The compiler, running; a context manager."""

    def __init__(self, program: str, folder: Path) -> None:
        self._folder = folder
        self._asked = 0
        self._process = subprocess.Popen(
            [program, "jsonrpc", "--stdio"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
        )
        self._deployments: dict[str, Deployment] = {}
        self._compiled: dict[Path, Compiled] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def compile(self, path: Path) -> Compiled:
        """Compile a Bicep file, once."""
        if path not in self._compiled:
            self._compiled[path] = self._compile(path)
        return self._compiled[path]

    def formatted(self, path: Path) -> str:
        """Return a Bicep file as the compiler formats it."""
        return str(self._ask("bicep/format", {"path": str(path)})["result"]["contents"])

    def switched(self, name: str) -> Deployment:
        """Return what the parameters file of that name deploys."""
        if name not in self._deployments:
            self._deployments[name] = self._evaluate(SWITCHES / f"{name}.bicepparam")
        return self._deployments[name]

    def deploy(self, name: str, **parameters: str | int | bool | dict[str, str]) -> Deployment:
        """Return what a parameters file deploys with some parameters set otherwise; raise Refused."""
        lines = [
            line
            for line in (SWITCHES / f"{name}.bicepparam").read_text().splitlines()
            if line.startswith("param ") and line.split()[1] not in parameters
        ]
        lines += [f"param {name} = {_literal(value)}" for name, value in parameters.items()]
        self._asked += 1
        path = self._folder / f"{self._asked}.bicepparam"
        using = os.path.relpath(INFRA / "main.bicep", self._folder)
        path.write_text("\n".join([f"using '{using}'", *lines, ""]))
        return self._evaluate(path)

    def _compile(self, path: Path) -> Compiled:
        answer = self._ask("bicep/compile", {"path": str(path)})["result"]
        return Compiled(
            json.loads(answer.get("contents") or "{}"),
            tuple(
                f"{Path(found['source']).name}:{found['range']['start']['line'] + 1}: {found['code']}: {found['message']}"
                for found in answer["diagnostics"]
            ),
        )

    def _evaluate(self, path: Path) -> Deployment:
        answer = self._ask("bicep/getSnapshot", {"path": str(path), "metadata": ASSUMED, "externalInputs": []})
        if "error" in answer:
            raise Refused(answer["error"]["data"]["message"])
        found = json.loads(answer["result"]["snapshot"])
        assert found["diagnostics"] == [], found["diagnostics"]
        return Deployment(
            tuple(Resource(item["type"], item["name"], item["id"], item) for item in found["predictedResources"]),
            found["outputs"],
        )

    def _ask(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._asked += 1
        body = json.dumps({"jsonrpc": "2.0", "id": self._asked, "method": method, "params": [params]}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._process.stdin.flush()
        length = 0
        while line := self._process.stdout.readline().strip():
            if found := re.fullmatch(rb"content-length: *(\d+)", line, re.IGNORECASE):
                length = int(found[1])
        assert length, "the compiler ended without an answer"
        answer: dict[str, Any] = json.loads(self._process.stdout.read(length))
        return answer


def _literal(value: str | int | bool | dict[str, str]) -> str:
    """Return a value as Bicep writes it."""
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'").replace("${", "\\${") + "'"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_literal(each)}" for name, each in value.items()) + "}"
    return str(value).lower()
