"""Traces as the steps make them, and the switch of all telemetry: nothing happens unless there is a place to send to.

The trace of a run is kept in its record, not in messages: so a message that supervision writes again, a chunk that
continues another, and a process that starts anew after a crash all find it. What fails here never fails the work.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, Protocol

from shared.process.once import Once
from shared.reasons.errors import ExportError, TryLater
from shared.runs.run import Run, Trigger
from shared.telemetry.names import Attribute, Attributes, Event, Metric, Span

log = logging.getLogger(__name__)

_ASKED_BY_ONE = frozenset({"on_demand", "rejected_rows"})
"""Triggers by which one request starts one run: that run belongs to the request's trace. Others get one of their own."""

_about: ContextVar[Attributes | None] = ContextVar("about", default=None)


class Telemetry(Protocol):
    """What an adapter does. `about` are attributes that everything said meanwhile is marked with."""

    def begin(self, name: str, attributes: Attributes, *, apart: bool) -> str:
        """Report that something began, in the current trace or in one `apart`; return the traceparent of what follows."""
        ...

    def open(self, name: str, traceparent: str | None, attributes: Attributes) -> Callable[[Attributes, str], None]:
        """Begin a span, in the trace given or the current one; what is given ends it, with attributes and an error."""
        ...

    def call(self, name: str, started: int, error: str, attributes: Attributes) -> None:
        """Note a call to another system that began at `started` (nanoseconds since 1970) and has just ended."""
        ...

    def measure(self, metric: Metric, value: float, attributes: Attributes) -> None:
        """Add to a sum, or record a value."""
        ...

    def event(self, event: Event, attributes: Attributes, *, is_error: bool) -> None:
        """Note that something happened."""
        ...

    def flush(self) -> None:
        """Send what was gathered, unless that was done just now."""
        ...


@dataclass(slots=True)
class Call:
    """One call to a destination, as its sender sees it: the status, or why there was none."""

    status: int = 0
    error: str = ""


def about() -> Attributes:
    """Return what the work at hand is about: attributes of every log record."""
    return _about.get() or {}


@Once
def _telemetry() -> Telemetry | None:
    """Return the adapter, made when it is first needed; None if there is nowhere to send to, or it cannot be made."""
    if not (os.environ.get("APPLICATIONINSIGHTS_CONNECTION_STRING") or os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")):
        return None
    try:
        from shared.telemetry.exporter import OpenTelemetry

        return OpenTelemetry(os.environ, about)
    except Exception as error:  # noqa: BLE001 - the work goes on without
        log.warning("telemetry is off: %s", type(error).__name__)
        return None


def listen() -> None:
    """Have the log heard from here on: at the start of whatever the platform calls, since a line before it reaches nobody."""
    _telemetry()


def best_effort[**P](say: Callable[Concatenate[Telemetry, P], None]) -> Callable[P, None]:
    """Make a function report only where there is somewhere to report to, and never fail."""

    @wraps(say)
    def said(*args: P.args, **kwargs: P.kwargs) -> None:
        telemetry = _telemetry()
        if telemetry is None:
            return
        try:
            say(telemetry, *args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the work goes on without
            log.debug("telemetry failed: %s", type(error).__name__)

    return said


def begin(export: str, run_id: str, trigger: Trigger) -> str | None:
    """Begin the trace of a run; return what its record keeps."""
    telemetry = _telemetry()
    if telemetry is None:
        return None
    attributes: Attributes = {Attribute.EXPORT: export, Attribute.RUN: run_id, Attribute.TRIGGER: trigger}
    try:
        return telemetry.begin(Span.START, attributes, apart=trigger not in _ASKED_BY_ONE)
    except Exception as error:  # noqa: BLE001 - the work goes on without
        log.debug("telemetry failed: %s", type(error).__name__)
        return None


@contextmanager
def span(name: Span, run: Run, *, chunk: str | None = None) -> Iterator[None]:
    """Make what is done meanwhile a span of the run's trace, then send what was gathered.

    ```
    with tracing.span(Span.DELIVER, run, chunk=chunk):
        ...
    ```
    """
    attributes: dict[str, str] = {Attribute.EXPORT: run.export, Attribute.RUN: run.id}
    if run.connection:
        attributes[Attribute.CONNECTION] = run.connection
    if chunk is not None:
        attributes[Attribute.CHUNK] = chunk
    try:
        with _spanning(name, run.traceparent, attributes):
            yield
    finally:
        flush()


@contextmanager
def answering(method: str, path: str, traceparent: str | None) -> Iterator[Call]:
    """Make the answer to one request of the API a span of its caller's trace, named by its route's template."""
    answer = Call()
    route = f"/{path}"
    with _spanning(f"{method} {route}", traceparent or None, {Attribute.METHOD: method, Attribute.ROUTE: route}) as end:
        yield answer
        end[Attribute.HTTP_STATUS] = answer.status
        if answer.status >= 500:
            end[Attribute.ERROR] = str(answer.status)


@contextmanager
def calling(method: str, template: str) -> Iterator[Call]:
    """Note one call to a destination: how long it took and how it ended. Only the endpoint's template names it."""
    call, started, began = Call(), time.time_ns(), time.monotonic()
    try:
        yield call
    except Exception as error:
        call.error = call.error or type(error).__name__  # such as an answer that has no end
        raise
    finally:
        _note_call(method, template, call, started, time.monotonic() - began)


@contextmanager
def _spanning(name: str, traceparent: str | None, attributes: Attributes) -> Iterator[dict[str, str | int]]:
    """Be in a span; to what is given more attributes can be added. Only unexpected exceptions are its failure."""
    telemetry = _telemetry()
    more: dict[str, str | int] = {}
    if telemetry is None:
        yield more
        return
    token = _about.set({**about(), **attributes})
    close = _opened(telemetry, name, traceparent, attributes)
    try:
        yield more
    except TryLater:
        more[Attribute.OUTCOME] = "postponed"
        raise
    except ExportError as end:
        more[Attribute.REASON] = end.reason
        raise
    except Exception as error:
        more[Attribute.ERROR] = type(error).__name__
        raise
    finally:
        _about.reset(token)
        close(more)


def _opened(
    telemetry: Telemetry, name: str, traceparent: str | None, attributes: Attributes
) -> Callable[[Attributes], None]:
    """Open a span and return what closes it; neither can fail."""
    try:
        end = telemetry.open(name, traceparent, attributes)
    except Exception as error:  # noqa: BLE001 - the work goes on without
        log.debug("telemetry failed: %s", type(error).__name__)
        return lambda _: None

    def close(more: Attributes) -> None:
        try:
            end(more, str(more.get(Attribute.ERROR, "")))
        except Exception as error:  # noqa: BLE001 - the work goes on without
            log.debug("telemetry failed: %s", type(error).__name__)

    return close


@best_effort
def _note_call(telemetry: Telemetry, method: str, template: str, call: Call, started: int, seconds: float) -> None:
    error = call.error or (str(call.status) if call.status >= 400 else "")
    said: dict[str, str | int] = {Attribute.METHOD: method, Attribute.TEMPLATE: template}
    if call.status:
        said[Attribute.HTTP_STATUS] = call.status
    if error:
        said[Attribute.ERROR] = error
    few = {name: value for name, value in about().items() if name in {Attribute.EXPORT, Attribute.CONNECTION}}
    telemetry.measure(Metric.CALL_DURATION, seconds, {**few, **said})
    telemetry.call(f"{method} {template}", started, error, {**about(), **said})


@best_effort
def flush(telemetry: Telemetry) -> None:
    """Send what was gathered: at the end of long work, so that a worker that is scaled in takes little with it."""
    telemetry.flush()
