"""The collector's faces: OTLP/HTTP with protobuf bodies, Azure Monitor's ingestion, and a view of what came, as JSON.

`GET /telemetry/spans`, `/telemetry/points`, `/telemetry/logs` give flat items, `/telemetry/envelopes` Azure Monitor's own; `/telemetry/raw` every body as it came, in
hexadecimal digits, for a look at what really left the app; `PUT /telemetry/mode` switches faults on: up, down.
"""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any, Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

type Item = dict[str, Any]

KINDS: Final = ("spans", "points", "logs", "envelopes")


@dataclass(slots=True)
class Received:
    """What came: flat items by kind, and the bodies as they were."""

    items: dict[str, list[Item]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    raw: list[bytes] = field(default_factory=list)
    mode: str = "up"
    lock: threading.Lock = field(default_factory=threading.Lock)


class CollectorHandler(BaseHTTPRequestHandler):
    """Takes exports and shows them."""

    protocol_version = "HTTP/1.1"
    received: Received

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Log nothing."""

    def do_POST(self) -> None:
        """Take an export."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        found = _SIGNALS.get(self.path)
        if self.received.mode == "down":
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, b"", "text/plain")
            return
        if found is None:
            self._answer(HTTPStatus.NOT_FOUND, b"", "text/plain")
            return
        kind, read = found
        with self.received.lock:
            self.received.raw.append(body)
            items = list(read(body))
            self.received.items[kind].extend(items)
        accepted = json.dumps({"itemsReceived": len(items), "itemsAccepted": len(items), "errors": []}).encode()
        is_envelope = kind == "envelopes"
        self._answer(
            HTTPStatus.OK,
            accepted if is_envelope else b"",
            "application/json" if is_envelope else "application/x-protobuf",
        )

    def do_GET(self) -> None:
        """Show what came."""
        kind = self.path.removeprefix("/telemetry/")
        with self.received.lock:
            shown: object = (
                [body.hex() for body in self.received.raw] if kind == "raw" else self.received.items.get(kind)
            )
            content = json.dumps(shown).encode()
        self._answer(HTTPStatus.OK, content, "application/json")

    def do_PUT(self) -> None:
        """Switch: {"mode": "up" | "down"}."""
        self.received.mode = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))["mode"]
        self._answer(HTTPStatus.OK, b"{}", "application/json")

    def _answer(self, status: HTTPStatus, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _spans(body: bytes) -> Iterator[Item]:
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield {
                    "name": span.name,
                    "trace": span.trace_id.hex(),
                    "id": span.span_id.hex(),
                    "parent": span.parent_span_id.hex(),
                    "links": [link.trace_id.hex() for link in span.links],
                    "kind": span.kind,
                    "is_error": span.status.code == 2,
                    "nanoseconds": span.end_time_unix_nano - span.start_time_unix_nano,
                    "attributes": _read(span.attributes),
                    "resource": _read(resource.resource.attributes),
                    "events": len(span.events),
                }


def _points(body: bytes) -> Iterator[Item]:
    for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                kind = metric.WhichOneof("data")
                for point in getattr(metric, str(kind)).data_points:
                    value = (
                        {"count": point.count, "sum": point.sum}
                        if kind == "histogram"
                        else {"value": getattr(point, point.WhichOneof("value"))}
                    )
                    yield {
                        "name": metric.name,
                        "unit": metric.unit,
                        "kind": kind,
                        **value,
                        "started": point.start_time_unix_nano,
                        "time": point.time_unix_nano,
                        "attributes": _read(point.attributes),
                        "resource": _read(resource.resource.attributes),
                    }


def _logs(body: bytes) -> Iterator[Item]:
    for resource in ExportLogsServiceRequest.FromString(body).resource_logs:
        for scope in resource.scope_logs:
            for record in scope.log_records:
                yield {
                    "logger": scope.scope.name,
                    "event": record.event_name,
                    "severity": record.severity_text,
                    "body": _value(record.body),
                    "trace": record.trace_id.hex(),
                    "attributes": _read(record.attributes),
                    "resource": _read(resource.resource.attributes),
                }


def _envelopes(body: bytes) -> Iterator[Item]:
    yield from json.loads(body)


def _read(attributes: Sequence[KeyValue]) -> Item:
    return {item.key: _value(item.value) for item in attributes}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    return None if kind is None else getattr(value, kind)


_SIGNALS: Final[Mapping[str, tuple[str, Callable[[bytes], Iterator[Item]]]]] = {
    "/v1/traces": ("spans", _spans),
    "/v1/metrics": ("points", _points),
    "/v1/logs": ("logs", _logs),
    "/v2.1/track": ("envelopes", _envelopes),
}
