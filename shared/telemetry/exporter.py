"""The adapter to OpenTelemetry: spans, metrics and logs to an OTLP endpoint, to Azure Monitor, or to both.

Nothing is instrumented by itself: instrumentation of requests or of Azure's SDK would put addresses, contact ids and names of
blobs into spans. The distribution that would do so (azure-monitor-opentelemetry) is not installed, only its exporters.
"""

from __future__ import annotations

import logging
import os
import random
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from azure.core.settings import settings as azure_settings
from opentelemetry import context, trace
from opentelemetry._logs import SeverityNumber
from opentelemetry.metrics import Meter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.telemetry.names import GAUGES, HISTOGRAMS, UNITS, Attribute, Attributes, Event, Metric

SCOPE: Final = "segment_export"

LOGGERS: Final = ("shared", "export_trigger", "export_worker")
"""Whose log records are sent: ours. Those of SDKs name blobs and URLs."""

SHARE: Final = 0.05
"""Share of the calls that went well of which a span is kept. Those that failed are all kept, and metrics count all."""

FLUSH_EVERY: Final = 5.0
FLUSH_MILLISECONDS: Final = 3000

_SAMPLE_RATE: Final = "_MS.sampleRate"
"""Azure Monitor's mark (percent) of a span that stands for several: its ItemCount is made from it."""

type Exporters = tuple[SpanExporter, MetricExporter, LogRecordExporter]


class OpenTelemetry:
    """Sends what it is told to the places that the environment names."""

    def __init__(self, environment: Mapping[str, str], about: Callable[[], Attributes]) -> None:
        azure_settings.tracing_enabled = False
        resource = _resource()
        self._traces = TracerProvider(sampler=ALWAYS_ON, resource=resource)
        places = _places(environment, self._traces)
        self._logs = LoggerProvider(resource=resource)
        for spans, _, logs in places:
            self._traces.add_span_processor(BatchSpanProcessor(spans))
            self._logs.add_log_record_processor(BatchLogRecordProcessor(logs))
        readers = [PeriodicExportingMetricReader(metrics) for _, metrics, _ in places]
        self._metrics = MeterProvider(metric_readers=readers, resource=resource)
        self._tracer = self._traces.get_tracer(SCOPE)
        self._events = self._logs.get_logger(SCOPE)
        self._instruments = _instruments(self._metrics.get_meter(SCOPE))
        self._share = float(environment.get("OTEL_TRACES_SAMPLER_ARG") or SHARE)
        self._flushing = threading.Lock()
        self._flushed = time.monotonic()
        handler = _LogHandler(self._logs, about)
        for name in LOGGERS:
            logging.getLogger(name).addHandler(handler)
            logging.getLogger(name).setLevel(logging.INFO)

    def begin(self, name: str, attributes: Attributes, *, apart: bool) -> str:
        """Report that something began; return the traceparent of what follows."""
        parent = context.Context() if apart else context.get_current()
        span = self._tracer.start_span(name, parent, attributes=_plain(attributes), links=_links() if apart else ())
        span.end()
        carrier: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(carrier, trace.set_span_in_context(span))
        return carrier["traceparent"]

    def open(self, name: str, traceparent: str | None, attributes: Attributes) -> Callable[[Attributes, str], None]:
        """Begin a span and make it the current one; what is given ends it.

        A run's own trace goes before the one of the function call that works for it, which becomes a link.
        """
        parent = _extracted(traceparent)
        links = () if parent is None else _links()
        span = self._tracer.start_span(name, parent, attributes=_plain(attributes), links=links)
        token = context.attach(trace.set_span_in_context(span))

        def end(more: Attributes, error: str) -> None:
            context.detach(token)
            span.set_attributes(_plain(more))
            if error:
                span.set_status(Status(StatusCode.ERROR))
            span.end()

        return end

    def call(self, name: str, started: int, error: str, attributes: Attributes) -> None:
        """Keep the span of a call that failed, and a share of the others: known when it is over, so no failure is lost."""
        kept = 1.0 if error else self._share
        if random.random() >= kept:  # noqa: S311 - no secret
            return
        span = self._tracer.start_span(name, kind=SpanKind.CLIENT, start_time=started, attributes=_plain(attributes))
        if error:
            span.set_status(Status(StatusCode.ERROR))
        elif kept < 1:
            span.set_attribute(_SAMPLE_RATE, kept * 100)
        span.end()

    def measure(self, metric: Metric, value: float, attributes: Attributes) -> None:
        """Add to a sum, or record a value."""
        self._instruments[metric](value, _plain(attributes))

    def event(self, event: Event, attributes: Attributes, *, is_error: bool) -> None:
        """Emit a log record that stands for something that happened."""
        self._events.emit(
            timestamp=time.time_ns(),
            context=context.get_current(),
            severity_number=SeverityNumber.ERROR if is_error else SeverityNumber.INFO,
            severity_text="ERROR" if is_error else "INFO",
            body=str(event),
            event_name=str(event),
            attributes={**_plain(attributes), str(Attribute.EVENT): str(event)},
        )

    def flush(self) -> None:
        """Begin to send what was gathered, unless that was done just now; nobody waits for a place that is slow."""
        if time.monotonic() - self._flushed >= FLUSH_EVERY and self._flushing.acquire(blocking=False):
            threading.Thread(target=self._flush, name="flush telemetry", daemon=True).start()

    def _flush(self) -> None:
        try:
            self._flushed = time.monotonic()
            for provider in (self._traces, self._metrics, self._logs):
                provider.force_flush(FLUSH_MILLISECONDS)
        finally:
            self._flushing.release()


class _LogHandler(logging.Handler):
    """Sends log records: the text, and what the work at hand is about. No traceback: its texts are not ours."""

    def __init__(self, provider: LoggerProvider, about: Callable[[], Attributes]) -> None:
        super().__init__()
        self._provider = provider
        self._about = about

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record."""
        attributes = _plain(self._about())
        if record.exc_info and record.exc_info[0]:
            attributes[str(Attribute.ERROR)] = record.exc_info[0].__name__
        self._provider.get_logger(record.name).emit(
            timestamp=int(record.created * 1e9),
            context=context.get_current(),
            severity_number=_SEVERITIES.get(record.levelno, SeverityNumber.INFO),
            severity_text=record.levelname,
            body=record.getMessage(),
            attributes=attributes,
        )


_SEVERITIES: Final = {
    logging.DEBUG: SeverityNumber.DEBUG,
    logging.INFO: SeverityNumber.INFO,
    logging.WARNING: SeverityNumber.WARN,
    logging.ERROR: SeverityNumber.ERROR,
    logging.CRITICAL: SeverityNumber.FATAL,
}


def _places(environment: Mapping[str, str], traces: TracerProvider) -> list[Exporters]:
    """Make the exporters of every place that the environment names; each loads with its first use."""
    found: list[Exporters] = []
    if environment.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        found.append(_otlp())
    if connection := environment.get("APPLICATIONINSIGHTS_CONNECTION_STRING"):
        found.append(_azure_monitor(connection, traces))
    return found


def _otlp() -> Exporters:
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(), OTLPMetricExporter(), OTLPLogExporter()


def _azure_monitor(connection: str, traces: TracerProvider) -> Exporters:
    """Make Azure Monitor's exporters, which sign in as APPLICATIONINSIGHTS_AUTHENTICATION_STRING says: as the app's identity.

    The one for spans asks `traces` who is speaking. Otherwise it would ask the process' own provider, which we do not
    set, and log an error with a traceback at each export.
    """
    os.environ.setdefault("APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL", "true")
    from azure.monitor.opentelemetry.exporter import (
        AzureMonitorLogExporter,
        AzureMonitorMetricExporter,
        AzureMonitorTraceExporter,
    )

    # An instance's disk goes with it, so what could not be sent is not kept on it.
    options: dict[str, Any] = {"connection_string": connection, "disable_offline_storage": True}
    return (
        AzureMonitorTraceExporter(**options, tracer_provider=traces),
        AzureMonitorMetricExporter(**options),
        AzureMonitorLogExporter(**options),
    )


def _resource() -> Resource:
    """Report who is speaking; OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES go before."""
    known = Resource({"service.name": "segment-export", "service.instance.id": str(uuid.uuid4())})
    return known.merge(OTELResourceDetector().detect())


def _instruments(meter: Meter) -> dict[Metric, Callable[[float, dict[str, Any]], None]]:
    made: dict[Metric, Callable[[float, dict[str, Any]], None]] = {}
    for metric in Metric:
        if metric in GAUGES:
            made[metric] = meter.create_gauge(metric, UNITS[metric]).set
        elif metric in HISTOGRAMS:
            made[metric] = meter.create_histogram(metric, UNITS[metric]).record
        else:
            made[metric] = meter.create_counter(metric, UNITS[metric]).add
    return made


def _extracted(traceparent: str | None) -> context.Context | None:
    if traceparent is None:
        return None
    return TraceContextTextMapPropagator().extract({"traceparent": traceparent}, context.Context())


def _links() -> list[Link]:
    """Return a link to the trace that the platform runs this function in, if it does."""
    current: SpanContext = trace.get_current_span().get_span_context()
    return [Link(current)] if current.is_valid else []


def _plain(attributes: Attributes) -> dict[str, Any]:
    return {str(name): value if isinstance(value, int | float) else str(value) for name, value in attributes.items()}
