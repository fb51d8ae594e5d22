"""The page's procedures: the commands of its blocks, taken from it, given to a shell one after the other."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from local.package import ROOT

TEXT: Final = (ROOT / "docs/operate.md").read_text()
ELSEWHERE: Final = ("az ", "azd ", "git ", "export ", "rm ")
"""How lines begin that are not run here: they need Azure, or a clone, or belong to such lines."""

PATIENCE: Final = 240.0
_NAME: Final = re.compile(r"\b[A-Z]{2,}\b")


@dataclass(frozen=True, slots=True)
class Command:
    """One line of a block, without its comment, and the heading that it stands under."""

    heading: str
    line: str

    @property
    def is_run_here(self) -> bool:
        """Whether a test can run it."""
        return not self.line.startswith(ELSEWHERE)


def commands() -> list[Command]:
    """Return the commands of all blocks of the page, in their order."""
    found, heading, inside = [], "", False
    for line in TEXT.splitlines():
        if not inside and line.startswith("#"):
            heading = line.strip("# ")
        elif line.strip().startswith("```"):
            inside = not inside and line.strip() == "```sh"
        elif inside:
            found.append(Command(heading, re.sub(r"\s+# .*$", "", line.strip())))
    return found


class Procedure:
    """The commands under one heading, in their order; whoever leaves it early, or finds another command, fails."""

    def __init__(self, heading: str, folder: Path, environment: Mapping[str, str]) -> None:
        self._left = [command for command in commands() if command.heading == heading and command.is_run_here]
        assert self._left, f"the page has no block under {heading!r}"
        self._folder = folder
        self._environment = {**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "80", **environment}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        if kind is None:
            assert self._left == [], "the page shows more than was done"

    def do(self, begins: str, *, answers: str = "", ends: int = 0, **names: str) -> str:
        """Run the next command, which begins with these words after `python -m`; return what it printed.

        `names` stand for the page's words in capitals, `answers` is what is typed, `ends` how the command shall end.
        """
        command = self._left.pop(0)
        assert f" -m {begins}" in command.line, f"the page says {command.line!r}"
        done = subprocess.run(
            ["/bin/sh", "-c", _NAME.sub(lambda word: names[word[0]], command.line)],
            cwd=self._folder,
            env=self._environment,
            input=answers,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == ends, (command.line, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        return done.stdout
