"""The adapter to OpenTelemetry: signed in as the app's identity, and nothing instrumented by itself."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.settings import settings as azure_settings
from azure.identity import ManagedIdentityCredential
from azure.monitor.opentelemetry.exporter.export._base import ExportResult
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

from shared.telemetry.exporter import LOGGERS, OpenTelemetry, _azure_monitor, _instruments, _plain
from shared.telemetry.names import Attribute, Event, Metric

NOWHERE = "InstrumentationKey=00000000-0000-0000-0000-000000000000;IngestionEndpoint=https://127.0.0.1:1/"


@pytest.fixture
def silent() -> Iterator[OpenTelemetry]:
    """Yield telemetry that has no place to send to; its log handlers are taken off again."""
    handlers = {name: list(logging.getLogger(name).handlers) for name in LOGGERS}
    levels = {name: logging.getLogger(name).level for name in LOGGERS}
    yield OpenTelemetry({}, dict)
    for name in LOGGERS:
        logging.getLogger(name).handlers[:] = handlers[name]
        logging.getLogger(name).setLevel(levels[name])


def test_azure_monitor_is_signed_in_to_as_the_apps_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPLICATIONINSIGHTS_AUTHENTICATION_STRING", "ClientId=an-id;Authorization=AAD")
    for exporter in _azure_monitor(NOWHERE, TracerProvider()):
        assert isinstance(exporter._credential, ManagedIdentityCredential)  # type: ignore[union-attr]
        exporter.shutdown()


def test_azure_monitors_exporter_says_who_is_speaking_and_logs_no_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It asks the process' tracer provider, which is a proxy here since we set none, unless it is told whom to ask."""
    traces, sent = TracerProvider(resource=Resource({"service.name": "segment-export"})), list[Any]()
    exporter = _azure_monitor(NOWHERE, traces)[0]

    def transmit(envelopes: list[Any]) -> ExportResult:
        sent.extend(envelopes)
        return ExportResult.SUCCESS

    monkeypatch.setattr(exporter, "_transmit", transmit)
    with traces.get_tracer("t").start_as_current_span("deliver chunk") as span:
        pass
    assert isinstance(span, ReadableSpan)
    exporter.export([span])
    exporter.shutdown()
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert sent[0].data.base_data.properties["service.name"] == "segment-export"


def test_azures_sdk_makes_no_spans(silent: OpenTelemetry) -> None:
    assert azure_settings.tracing_enabled() is False


def test_a_runs_trace_is_found_again_from_what_its_record_keeps(silent: OpenTelemetry) -> None:
    kept = silent.begin("start run", {}, apart=True)
    end = silent.open("deliver chunk", kept, {Attribute.CHUNK: "000001"})
    within = silent.begin("inside", {}, apart=False)
    apart = silent.begin("apart", {}, apart=True)
    end({}, "")
    assert within.split("-")[1] == kept.split("-")[1]
    assert apart.split("-")[1] != kept.split("-")[1]


@pytest.mark.parametrize("traceparent", ["", "nonsense", "00-zz-11-01", f"00-{'0' * 32}-{'0' * 16}-01"])
def test_a_traceparent_that_is_none_begins_a_trace(silent: OpenTelemetry, traceparent: str) -> None:
    end = silent.open("deliver chunk", traceparent, {})
    _, trace, span, _ = silent.begin("inside", {}, apart=False).split("-")
    end({}, "")
    assert (len(trace), len(span)) == (32, 16)
    assert int(trace, 16) > 0


def test_attributes_are_plain_values() -> None:
    assert _plain({Attribute.EVENT: Event.RUN_ENDED, "count": 3}) == {
        "event.name": "segment_export.run.ended",
        "count": 3,
    }


def test_a_limit_is_sent_with_whatever_was_counted_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """At one moment: the workbook compares the calls of a minute with the limit of that minute (infra/queries/throughput.kql)."""
    exporter, sent = _azure_monitor(NOWHERE, TracerProvider())[1], list[Any]()

    def transmit(envelopes: list[Any]) -> ExportResult:
        sent.append(
            {it.data.base_data.metrics[0].name: (it.time, it.data.base_data.metrics[0].value) for it in envelopes}
        )
        return ExportResult.SUCCESS

    monkeypatch.setattr(exporter, "_transmit", transmit)
    meters = MeterProvider([PeriodicExportingMetricReader(exporter)])
    made = _instruments(meters.get_meter("t"))
    made[Metric.RATE_LIMIT](20, {})
    for _ in range(2):
        made[Metric.CALL_DURATION](1, {})
        meters.force_flush()
    meters.shutdown()
    for batch in sent[:2]:
        assert set(batch) == {Metric.RATE_LIMIT, Metric.CALL_DURATION}
        assert batch[Metric.RATE_LIMIT] == (batch[Metric.CALL_DURATION][0], 20)
