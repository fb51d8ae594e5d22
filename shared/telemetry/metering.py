"""What runs say in numbers and events: exactly what their records count, each once, by whoever recorded it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from shared.reasons.codes import Reason, Status
from shared.runs.counts import Counts
from shared.runs.run import Run
from shared.telemetry.names import COUNT, Attribute, Event, Metric
from shared.telemetry.tracing import Telemetry, best_effort


@best_effort
def planned(telemetry: Telemetry, run: Run, reasons: Iterable[str]) -> None:
    """Report what a plan that was recorded came to: its calls, and the rows it rejected, each with its reason."""
    _count(telemetry, run, run.counts, Counter(reasons))


@best_effort
def recorded(
    telemetry: Telemetry, run: Run, chunk: str, counts: Counts, reasons: Mapping[str, int], now: datetime
) -> None:
    """Report what a chunk came to whose outcome was recorded first, how old it was, and how far the run is."""
    _count(telemetry, run, counts, reasons)
    if run.planned_at is not None:
        age = (now - run.planned_at).total_seconds()
        telemetry.measure(Metric.CHUNK_AGE, age, _dimensions(run))
    progress: dict[str, str | int] = {
        Attribute.OPERATIONS: run.operations,
        Attribute.SETTLED: run.settled,
        Attribute.CHUNK: chunk,
    }
    telemetry.event(Event.CHUNK_RECORDED, {**_run(run), **progress}, is_error=False)


@best_effort
def called(telemetry: Telemetry, run: Run, calls: Counts) -> None:
    """Report calls of an attempt whose outcome was not recorded, or that were made at a run's end."""
    _count(telemetry, run, calls, {})


@best_effort
def given_up(telemetry: Telemetry, run: Run, chunk: str) -> None:
    """Report that a chunk failed however often it was tried."""
    telemetry.measure(Metric.CHUNKS_GIVEN_UP, 1, _dimensions(run))
    telemetry.event(Event.CHUNK_GIVEN_UP, {**_run(run), Attribute.CHUNK: chunk}, is_error=True)


@best_effort
def ended(telemetry: Telemetry, run: Run) -> None:
    """Report how a run ended, with all its counts, and how long after the refresh that it took up."""
    how: dict[str, str] = {
        Attribute.TRIGGER: run.trigger,
        Attribute.STATUS: run.status,
        Attribute.REASON: run.reason or "none",
    }
    telemetry.measure(Metric.RUNS_ENDED, 1, {**_dimensions(run), **how})
    counts: dict[str, int] = {f"{COUNT}{name}": value for name, value in run.counts.model_dump().items()}
    said: dict[str, str | int] = {**_run(run), **how, **counts, Attribute.QUEUED_AT: run.queued_at.isoformat()}
    telemetry.event(Event.RUN_ENDED, said, is_error=run.status is Status.FAILED)
    if run.refreshed_at is not None and run.ended_at is not None:
        lag = (run.ended_at - run.refreshed_at).total_seconds()
        telemetry.measure(Metric.LAG, lag, {**_dimensions(run), Attribute.STATUS: run.status})


@best_effort
def paced(telemetry: Telemetry, connection: str, limit: float, backlog: float) -> None:
    """Report how many seconds of an account's pace are taken, and what the pace is."""
    telemetry.measure(Metric.BACKLOG, backlog, {Attribute.CONNECTION: connection})
    telemetry.measure(Metric.RATE_LIMIT, limit, {Attribute.CONNECTION: connection})


@best_effort
def source_seen(telemetry: Telemetry, export: str, refreshed_at: datetime | None) -> None:
    """Report when the source was last refreshed of an export that runs with each refresh, in seconds since 1970."""
    if refreshed_at is not None:
        telemetry.measure(Metric.SOURCE_REFRESHED, refreshed_at.timestamp(), {Attribute.EXPORT: export})


@best_effort
def ticked(telemetry: Telemetry, trouble: Reason | None) -> None:
    """Report that a tick came to its end, and why it could not read the source if it could not."""
    telemetry.measure(Metric.TICKS, 1, {Attribute.REASON: trouble or "none"})


def _count(telemetry: Telemetry, run: Run, counts: Counts, reasons: Mapping[str, int]) -> None:
    values = {
        Metric.DELIVERED: counts.delivered,
        Metric.REMOVED: counts.removed,
        Metric.REQUESTS: counts.requests,
        Metric.THROTTLED: counts.throttled,
        Metric.RETRIED: counts.retried,
    }
    for metric, value in values.items():
        if value:
            telemetry.measure(metric, value, _dimensions(run))
    for reason, rows in reasons.items():
        telemetry.measure(Metric.REJECTED, rows, {**_dimensions(run), Attribute.REASON: reason})


def _dimensions(run: Run) -> dict[str, str]:
    """Return what a metric is marked with: few values, so no run and no chunk."""
    return {Attribute.EXPORT: run.export, Attribute.CONNECTION: run.connection or "none"}


def _run(run: Run) -> dict[str, str]:
    return {**_dimensions(run), Attribute.RUN: run.id}
