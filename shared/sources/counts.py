"""How many rows tables have: counted once a version of each part, in bounded time, a table's fault its own."""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from shared.reasons.errors import ExportError
from shared.sources.source import Part, Source, Table

THREADS: Final = 4
"""Parts that are read at a time: each holds some tens of megabytes."""

MOST_REMEMBERED: Final = 200_000

LATER: Final = "It has not been counted yet: that takes a while. Ask again in a moment."


@dataclass(frozen=True, slots=True)
class Members:
    """A table's rows, or None and why they are not known."""

    rows: int | None
    why: str = ""


class NotCounted(Exception):
    """There was no time to count."""


class Counts:
    """Remembers how many rows each version of a part has. Safe for threads."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._remembered: dict[Hashable, int] = {}

    def of(self, tables: Sequence[Table], seconds: float) -> dict[str, Members]:
        """Count tables within `seconds`, by name. What there is no time for is left for the next call."""
        deadline = time.monotonic() + seconds
        pool = ThreadPoolExecutor(THREADS)
        try:
            parts = [pool.submit(self._source.parts, table) for table in tables]
            counting = [self._begin(pool, table, found, deadline) for table, found in zip(tables, parts, strict=True)]
            return {table.name: _sum(rows, deadline) for table, rows in zip(tables, counting, strict=True)}
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _begin(
        self, pool: ThreadPoolExecutor, table: Table, parts: Future[Sequence[Part]], deadline: float
    ) -> Iterable[Future[int] | int] | ExportError | NotCounted:
        """Begin to count the parts that are not remembered."""
        try:
            found = parts.result(max(0.0, deadline - time.monotonic()))
        except ExportError as end:
            return end
        except TimeoutError:
            return NotCounted()
        counting: list[Future[int] | int] = []
        for part in found:
            known = None if part.version is None else self._remembered.get(part.version)
            counting.append(pool.submit(self._count, table, part, deadline) if known is None else known)
        return counting

    def _count(self, table: Table, part: Part, deadline: float) -> int:
        rows = 0
        if time.monotonic() > deadline:
            raise NotCounted
        for more in self._source.count(table, part):
            rows += more
            if time.monotonic() > deadline:
                raise NotCounted
        if part.version is not None:
            if len(self._remembered) >= MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered[part.version] = rows
        return rows


def _sum(parts: Iterable[Future[int] | int] | ExportError | NotCounted, deadline: float) -> Members:
    if isinstance(parts, NotCounted):
        return Members(None, LATER)
    if isinstance(parts, ExportError):
        return Members(None, parts.detail or parts.reason.advice)
    rows = 0
    try:
        for part in parts:
            rows += part if isinstance(part, int) else part.result(max(0.0, deadline - time.monotonic()))
    except ExportError as end:
        return Members(None, end.detail or end.reason.advice)
    except (NotCounted, TimeoutError):
        return Members(None, LATER)
    return Members(rows)
