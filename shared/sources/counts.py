"""How many rows tables have: counted once a version of each partition, in bounded time, a table's fault its own."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final, Protocol

import polars as pl

from shared.reasons.errors import ExportError
from shared.sources.catalogue import CUSTOMER_ID, Partition, Table

THREADS: Final = 4
"""Partitions that are read at a time: each holds some tens of megabytes."""

MOST_REMEMBERED: Final = 200_000

READ_AGAIN_SECONDS: Final = 300.0
"""Seconds for which a process need not look what others have counted."""

LATER: Final = "It has not been counted yet: that takes a while. Ask again in a moment."


def version_key(table: Table, partition: Partition, version: str) -> str:
    """Return what names a version of a partition as it is told to be read; `version` is its snapshot or its ETag."""
    dialect = partition.dialect
    told = [
        table.columns,
        partition.path,
        partition.snapshot,
        dialect.delimiter,
        dialect.quote,
        dialect.header,
        version,
    ]
    return sha256(json.dumps(told).encode()).hexdigest()[:32]


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


class Kept(Protocol):
    """Where counts outlive the process; it may forget, and keeps nothing else up."""

    def read(self) -> Mapping[str, int]:
        """Return rows by `version_key`."""
        ...

    def keep(self, counts: Mapping[str, int]) -> None:
        """Add counts, and note that they were asked for."""
        ...


class NotCounted(Exception):
    """There was no time to count."""


class Counts:
    """Remembers how many rows each version of a partition has. Safe for threads."""

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
            versions = [pool.submit(self._source.versions, table) for table in tables]
            counting = [
                self._begin(pool, table, found, deadline, asked) for table, found in zip(tables, versions, strict=True)
            ]
            return {table.name: _sum(parts, deadline) for table, parts in zip(tables, counting, strict=True)}
        finally:
            if self._kept is not None and asked:
                self._kept.keep(dict(asked))
            pool.shutdown(wait=False, cancel_futures=True)

    def _begin(
        self,
        pool: ThreadPoolExecutor,
        table: Table,
        versions: Future[dict[str, str]],
        deadline: float,
        asked: dict[str, int],
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
            version = partition.snapshot or etags.get(partition.path)
            key = version_key(table, partition, version) if version else None
            known = self._remembered.get(key) if key else None
            if known is None:
                parts.append(pool.submit(self._count, table, partition, key, deadline, asked))
            else:
                parts.append(known)
                asked[str(key)] = known
        return parts

    def _learn(self) -> None:
        """Take over what other processes have counted, once in a while."""
        if self._kept is not None and time.monotonic() - self._read_at > READ_AGAIN_SECONDS:
            self._read_at = time.monotonic()
            self._remembered = {**self._remembered, **self._kept.read()}

    def _count(
        self, table: Table, partition: Partition, key: str | None, deadline: float, asked: dict[str, int]
    ) -> int:
        rows = 0
        if time.monotonic() > deadline:
            raise NotCounted
        for batch in self._source.read(replace(table, partitions=(partition,)), [CUSTOMER_ID]):
            rows += batch.height
            if time.monotonic() > deadline:
                raise NotCounted
        if key:
            if len(self._remembered) >= MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered[key] = asked[key] = rows
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
