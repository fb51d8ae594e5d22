"""The names of everything that telemetry says: spans, metrics, events and attributes, in one place.

Names follow OpenTelemetry's semantic conventions: lower case, dotted, no unit and no `total` in a metric's name, standard
attributes where there is one (`http.request.method`, `url.template`, `error.type`). Queries in infra/queries use no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

type Attributes = Mapping[str, str | int | float]
"""What something said is marked with: values by `Attribute`."""


class Span(StrEnum):
    """A piece of work of a run, or one answer of the API. A call to a destination is named by method and template."""

    START = "start run"
    PLAN = "plan run"
    DELIVER = "deliver chunk"
    FINISH = "finish run"
    END = "end run"
    SUPERVISE = "issue again"


class Metric(StrEnum):
    """What is measured. The unit is in UNITS; the attributes are `Attribute`s."""

    DELIVERED = "segment_export.rows.delivered"
    REJECTED = "segment_export.rows.rejected"
    REMOVED = "segment_export.memberships.removed"
    REQUESTS = "segment_export.requests.sent"
    THROTTLED = "segment_export.requests.throttled"
    RETRIED = "segment_export.requests.retried"
    # Not http.client.request.duration: Azure Monitor's exporter turns that name into its own standard metric and drops
    # the template, by which alone calls can be told apart without naming anybody.
    CALL_DURATION = "segment_export.autopilot.request.duration"
    CHUNK_AGE = "segment_export.chunk.age"
    CHUNKS_GIVEN_UP = "segment_export.chunks.given_up"
    LAG = "segment_export.run.lag"
    RUNS_ENDED = "segment_export.runs.ended"
    BACKLOG = "segment_export.pace.backlog"
    RATE_LIMIT = "segment_export.pace.limit"
    # A moment and no age: exporters send a gauge's last value again and again, and an age that is sent later is wrong.
    SOURCE_REFRESHED = "segment_export.source.refreshed"
    TICKS = "segment_export.ticks"


UNITS = {
    Metric.DELIVERED: "{row}",
    Metric.REJECTED: "{row}",
    Metric.REMOVED: "{membership}",
    Metric.REQUESTS: "{request}",
    Metric.THROTTLED: "{request}",
    Metric.RETRIED: "{request}",
    Metric.CALL_DURATION: "s",
    Metric.CHUNK_AGE: "s",
    Metric.CHUNKS_GIVEN_UP: "{chunk}",
    Metric.LAG: "s",
    Metric.RUNS_ENDED: "{run}",
    Metric.BACKLOG: "s",
    Metric.RATE_LIMIT: "{request}/s",
    Metric.SOURCE_REFRESHED: "s",
    Metric.TICKS: "{tick}",
}
"""Units as UCUM writes them."""

GAUGES = frozenset({Metric.RATE_LIMIT, Metric.SOURCE_REFRESHED})
"""Metrics of which the last value counts, also long after it was measured."""

HISTOGRAMS = frozenset({Metric.BACKLOG, Metric.CALL_DURATION, Metric.CHUNK_AGE, Metric.LAG})
"""Metrics of which the distribution counts. All others are sums."""


class Event(StrEnum):
    """A log record that stands for something that happened, for queries to find by `event.name`."""

    RUN_ENDED = "segment_export.run.ended"
    CHUNK_RECORDED = "segment_export.chunk.recorded"
    CHUNK_GIVEN_UP = "segment_export.chunk.given_up"


class Attribute(StrEnum):
    """What spans, metrics and log records are marked with. None ever holds personal data."""

    EXPORT = "segment_export.export"
    RUN = "segment_export.run"
    CONNECTION = "segment_export.connection"
    CHUNK = "segment_export.chunk"
    TRIGGER = "segment_export.trigger"
    STATUS = "segment_export.status"
    REASON = "segment_export.reason"
    OUTCOME = "segment_export.outcome"
    OPERATIONS = "segment_export.operations"
    SETTLED = "segment_export.settled"
    QUEUED_AT = "segment_export.queued_at"
    EVENT = "event.name"
    METHOD = "http.request.method"
    TEMPLATE = "url.template"
    ROUTE = "http.route"
    HTTP_STATUS = "http.response.status_code"
    ERROR = "error.type"


COUNT = "segment_export.count."
"""What a count of a run is called as an attribute of RUN_ENDED: this and the count's name."""
