"""How many rows tables have: counted once a version of each partition, in bounded time, a table's fault its own."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final, Protocol

import polars as pl

from shared.reasons.errors import ExportError
from shared.sources.catalogue import CUSTOMER_ID, Partition, Table

THREADS: Final = 4
"""Partitions that are read at a time: each holds some tens of megabytes."""

MOST_REMEMBERED: Final = 200_000

LATER: Final = "It has not been counted yet: that takes a while. Ask again in a moment."

type Version = tuple[tuple[str, ...], Partition, str]
"""A partition as it is told to be read, and what names the version of it: its snapshot or its ETag."""


@dataclass(frozen=True, slots=True)
class Members:
    """A table's rows, or None and why they are not known."""

    rows: int | None
    why: str = ""


class Source(Protocol):
    """What is needed of the source."""

    def versions(self, table: Table) -> dict[str, str]:
        """Return the ETags of a table's partitions by path; raise ExportError."""
        ...

    def read(self, table: Table, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Return a table's rows in batches; raise ExportError."""
        ...


class NotCounted(Exception):
    """There was no time to count."""


class Counts:
    """Remembers how many rows each version of a partition has. Safe for threads."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._remembered: dict[Version, int] = {}

    def of(self, tables: Sequence[Table], seconds: float) -> dict[str, Members]:
        """Count tables within `seconds`, by name. What there is no time for is left for the next call."""
        deadline = time.monotonic() + seconds
        pool = ThreadPoolExecutor(THREADS)
        try:
            versions = [pool.submit(self._source.versions, table) for table in tables]
            counting = [
                self._begin(pool, table, found, deadline) for table, found in zip(tables, versions, strict=True)
            ]
            return {table.name: _sum(parts, deadline) for table, parts in zip(tables, counting, strict=True)}
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _begin(
        self, pool: ThreadPoolExecutor, table: Table, versions: Future[dict[str, str]], deadline: float
    ) -> Iterable[Future[int] | int] | ExportError | NotCounted:
        """Begin to count the partitions that are not remembered."""
        try:
            etags = versions.result(max(0.0, deadline - time.monotonic()))
        except ExportError as end:
            return end
        except TimeoutError:
            return NotCounted()
        parts: list[Future[int] | int] = []
        for partition in table.partitions:
            name = partition.snapshot or etags.get(partition.path)
            known = self._remembered.get((table.columns, partition, name)) if name else None
            parts.append(pool.submit(self._count, table, partition, name, deadline) if known is None else known)
        return parts

    def _count(self, table: Table, partition: Partition, name: str | None, deadline: float) -> int:
        rows = 0
        if time.monotonic() > deadline:
            raise NotCounted
        for batch in self._source.read(replace(table, partitions=(partition,)), [CUSTOMER_ID]):
            rows += batch.height
            if time.monotonic() > deadline:
                raise NotCounted
        if name:
            if len(self._remembered) >= MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered[table.columns, partition, name] = rows
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
