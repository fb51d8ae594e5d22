"""A benchmark's report: parts with a table each, shown on a terminal and written as Markdown."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the benchmark: what was asked, the target, a table, whether the target was met, and what was learnt."""

    title: str
    target: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    met: bool
    notes: Sequence[str] = ()

    def show(self, console: Console) -> None:
        """Print the part."""
        verdict = "[green]met[/]" if self.met else "[red]not met[/]"
        console.print(f"\n[bold]{self.title}[/]  target: {self.target}: {verdict}")
        table = Table(box=None, padding=(0, 3, 0, 0), header_style="bold")
        for place, column in enumerate(self.columns):
            table.add_column(column, justify="right" if place else "left")
        for row in self.rows:
            table.add_row(*row)
        console.print(table)

    def as_markdown(self) -> str:
        """Write the part as Markdown."""
        lines = [f"## {self.title}", "", f"Target: {self.target}. **{'Met' if self.met else 'Not met'}.**", ""]
        lines.append("| " + " | ".join(self.columns) + " |")
        lines.append("|" + "|".join("---:" if place else "---" for place in range(len(self.columns))) + "|")
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        return "\n".join([*lines, "", *self.notes]).rstrip() + "\n"


def machine() -> str:
    """Return in one line on what, and when, this was measured."""
    names = ("polars", "azure-functions-runtime", "azure-storage-blob", "requests")
    packages = ", ".join(f"{name} {version(name)}" for name in names)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, {packages}"
    )
