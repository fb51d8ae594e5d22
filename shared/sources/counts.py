"""How many rows tables have: counted once a version of each partition, in bounded time, a table's fault its own."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Protocol

from shared.reasons.errors import ExportError
from shared.sources.source import Part, Source, Table

THREADS: Final = 4
"""Parts that are read at a time: each holds some tens of megabytes."""

MOST_REMEMBERED: Final = 200_000

READ_AGAIN_SECONDS: Final = 300.0
"""Seconds for which a process need not look what others have counted."""

LATER: Final = "It has not been counted yet: that takes a while. Ask again in a moment."


@dataclass(frozen=True, slots=True)
class Members:
    """A table's rows, or None and why they are not known."""

    rows: int | None
    why: str = ""


class Kept(Protocol):
    """Where counts outlive the process; it may forget, and keeps nothing else up."""

    def read(self) -> Mapping[str, int]:
        """Return rows by the version of a part."""
        ...

    def keep(self, counts: Mapping[str, int]) -> None:
        """Add counts, and note that they were asked for."""
        ...


class NotCounted(Exception):
    """There was no time to count."""


class Counts:
    """Remembers how many rows each version of a part has. Safe for threads."""

    def __init__(self, source: Source, kept: Kept | None = None) -> None:
        self._source = source
        self._kept = kept
        self._remembered: dict[str, int] = {}
        self._read_at = -math.inf

    def of(self, tables: Sequence[Table], seconds: float) -> dict[str, Members]:
        """Count tables within `seconds`, by name. What there is no time for is left for the next call."""
        deadline = time.monotonic() + seconds
        self._learn()
        asked: dict[str, int] = {}
        pool = ThreadPoolExecutor(THREADS)
        try:
            parts = [pool.submit(self._source.parts, table) for table in tables]
            counting = [
                self._begin(pool, table, found, deadline, asked) for table, found in zip(tables, parts, strict=True)
            ]
            return {table.name: _sum(rows, deadline) for table, rows in zip(tables, counting, strict=True)}
        finally:
            if self._kept is not None and asked:
                self._kept.keep(dict(asked))
            pool.shutdown(wait=False, cancel_futures=True)

    def _begin(
        self,
        pool: ThreadPoolExecutor,
        table: Table,
        parts: Future[Sequence[Part]],
        deadline: float,
        asked: dict[str, int],
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
            known = self._remembered.get(part.version) if part.version else None
            if known is None:
                counting.append(pool.submit(self._count, table, part, deadline, asked))
            else:
                counting.append(known)
                asked[str(part.version)] = known
        return counting

    def _learn(self) -> None:
        """Take over what other processes have counted, once in a while."""
        if self._kept is not None and time.monotonic() - self._read_at > READ_AGAIN_SECONDS:
            self._read_at = time.monotonic()
            self._remembered = {**self._remembered, **self._kept.read()}

    def _count(self, table: Table, part: Part, deadline: float, asked: dict[str, int]) -> int:
        rows = 0
        if time.monotonic() > deadline:
            raise NotCounted
        for more in self._source.count(table, part):
            rows += more
            if time.monotonic() > deadline:
                raise NotCounted
        if part.version:
            if len(self._remembered) >= MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered[part.version] = asked[part.version] = rows
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
