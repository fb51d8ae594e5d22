"""How things look on a terminal: a run as it goes, a run as it ended, tables of what there is."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from cli.terminal import harmless

POLL_SECONDS: Final = 0.5

FINAL: Final = {"Successful", "Completed with warnings", "Failed", "Canceled", "Skipped"}

_COLORS: Final = {
    "Successful": "green",
    "Completed with warnings": "yellow",
    "Failed": "red",
    "Canceled": "yellow",
    "Skipped": "yellow",
}

_ROWS: Final = ("delivered", "unchanged", "duplicates", "rejected", "suppressed", "undelivered")


def watch(console: Console, read: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Show a run's progress until it has ended: a bar with counts, rate and time left; return the run at its end."""
    columns = (
        TextColumn("[bold]{task.description}"),
        BarColumn(bar_width=32),
        TaskProgressColumn(),
        TextColumn("{task.fields[counts]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=not console.is_terminal) as progress:
        task = progress.add_task("Queued", total=None, counts="")
        speed = Speed()
        while True:
            run = read()
            done, total = run["progress"]["settled"], run["progress"]["operations"]
            progress.update(
                task,
                description=_stage(run),
                total=total or (1 if run["status"] in FINAL else None),
                completed=done if total else int(run["status"] in FINAL),
                counts=_counts(run, speed.of(run["counts"]["requests"])),
            )
            if run["status"] in FINAL:
                return run
            time.sleep(POLL_SECONDS)


class Speed:
    """Requests a second, over the last few looks."""

    def __init__(self) -> None:
        self._looks: list[tuple[float, int]] = []

    def of(self, requests: int) -> float:
        """Take one more look and return the speed."""
        now = time.monotonic()
        self._looks = [look for look in self._looks if now - look[0] < 10] + [(now, requests)]
        (start, first), (end, last) = self._looks[0], self._looks[-1]
        return (last - first) / (end - start) if end - start > 0.2 else 0.0


def _stage(run: dict[str, Any]) -> str:
    if run["status"] == "Processing":
        if run["unreachable_since"]:
            return escape(harmless(run.get("detail") or "Waiting").partition(". ")[0])
        if run.get("waits_until"):
            return f"Waiting for {_WAITS[run['waits_for']]} until {_clock(run['waits_until'])}"
        return "Delivering" if run["planned_at"] else "Planning"
    return str(run["status"])


_WAITS = {
    "pace": "the account's pace",
    "autopilot": "the destination",
    "key_vault": "Key Vault",
    "source": "Customer Insights",
}


def _clock(moment: str) -> str:
    from datetime import datetime

    return f"{datetime.fromisoformat(moment).astimezone():%H:%M:%S}"


def _counts(run: dict[str, Any], speed: float) -> str:
    progress = run["progress"]
    parts = [f"{progress['settled']:,}/{progress['operations']:,} people"] if progress["operations"] else []
    if speed >= 0.5 and run["status"] not in FINAL:
        parts.append(f"{speed:.0f} calls/s")
    if progress["expected_end"]:
        left = max(0, round(_seconds_until(progress["expected_end"])))
        parts.append(f"{left // 60}:{left % 60:02d} left")
    return " · ".join(parts)


def _seconds_until(moment: str) -> float:
    from datetime import UTC, datetime

    return (datetime.fromisoformat(moment) - datetime.now(UTC)).total_seconds()


def run_table(run: dict[str, Any]) -> Table:
    """Show how a run ended: its status, every row accounted for, and what it did at its destination."""
    counts = run["counts"]
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(justify="right", style="bold")
    table.add_column()
    table.add_row(f"{counts['rows_read']:,}", "rows read, of which")
    for name in _ROWS:
        if counts.get(name) or name in {"delivered", "unchanged"}:
            table.add_row(f"{counts[name]:,}", f"  {name}")
    table.add_row(f"{counts['joiners']:,}", f"joiners, {counts['changed']:,} changed, {counts['leavers']:,} leavers")
    if counts["values_omitted"]:
        table.add_row(f"{counts['values_omitted']:,}", "values left out, which their field cannot take")
    table.add_row(
        f"{counts['requests']:,}",
        f"calls to the destination ({counts['throttled']:,} throttled, {counts['retried']:,} repeated)",
    )
    return table


def headline(run: dict[str, Any]) -> Text:
    """Return in one line how a run stands."""
    color = _COLORS.get(run["status"], "cyan")
    parts = [(harmless(run["status"]), f"bold {color}")]
    parts += [(f" ({harmless(run['reason'])})", "dim")] if run["reason"] else []
    said = run["advice"] or run.get("detail")
    parts += [(f". {harmless(said)}", "")] if said else []
    return Text.assemble(*parts)


def table_of(columns: Sequence[str], rows: Iterable[Sequence[object]], whole: Collection[str] = ()) -> Table:
    """Lay rows out as a table, cells as text; the first column and those in `whole` are never folded."""
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="bold")
    for place, column in enumerate(columns):
        table.add_column(column, no_wrap=place == 0 or column in whole, overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(cell)) for cell in row))
    return table


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else harmless(value)
