"""Telemetry that is off costs nothing, and telemetry that fails fails nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from export_trigger.steps.tick import tick
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError, TryLater
from shared.runs.counts import Counts
from shared.runs.run import Run
from shared.telemetry import metering, tracing
from shared.telemetry.names import GAUGES, HISTOGRAMS, UNITS, Attribute, Metric, Span

RUN = Run(
    export="e", id="r", trigger="refresh", requested_by="x", queued_at=datetime.now(UTC), planned_at=datetime.now(UTC)
)
APP: Any = None
ROOT = Path(__file__).parents[2]


class Broken:
    """Telemetry of which everything fails."""

    def __getattr__(self, name: str) -> Any:
        raise OSError(name)


class Recorder(Broken):
    """Telemetry that keeps how spans and calls ended, and what was measured."""

    def __init__(self) -> None:
        self.ends: list[tuple[str, dict[str, Any], str]] = []
        self.calls: list[tuple[str, str]] = []
        self.measured: list[tuple[str, float, Any]] = []

    def open(self, name: str, _: str | None, about: Any) -> Callable[[Any, str], None]:
        return lambda more, error: self.ends.append((name, {**about, **more}, error))

    def call(self, name: str, _: int, error: str, __: Any) -> None:
        self.calls.append((name, error))

    def measure(self, metric: str, value: float, about: Any) -> None:
        self.measured.append((metric, value, about))

    def flush(self) -> None:
        return


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[object], None]]:
    yield lambda telemetry: monkeypatch.setattr(tracing, "_telemetry", lambda: telemetry)


def step(_: Any, run: Run, chunk: str, error: Exception | None = None) -> str:
    with tracing.span(Span.DELIVER, run, chunk=chunk):
        if error:
            raise error
        return f"{run.id} {chunk} {tracing.about()}"


def say_everything() -> None:
    metering.planned(RUN, ["email_missing"])
    metering.recorded(RUN, "000001", Counts(delivered=1), {}, datetime.now(UTC))
    metering.given_up(RUN, "000001")
    metering.ended(RUN)
    metering.paced("main", 20, 3)
    metering.source_seen("e", datetime.now(UTC))
    metering.ticked(None)
    with tracing.answering("GET", "exports", "") as said:
        said.status = 200
    with tracing.calling("GET", "/lists") as call:
        call.status = 200
    tracing.flush()


def test_without_a_place_to_send_to_nothing_is_loaded() -> None:
    script = (
        "import sys; from tests.telemetry import test_tracing as t; t.say_everything();"
        "assert t.step(t.APP, t.RUN, '000001') == 'r 000001 {}'; assert t.tracing.begin('e', 'r', 'refresh') is None;"
        "print([name for name in sys.modules if name.startswith(('opentelemetry', 'azure.monitor'))])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env={}, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_telemetry_that_fails_fails_no_work(use: Callable[[object], None]) -> None:
    use(Broken())
    say_everything()
    assert step(APP, RUN, "000001").startswith("r 000001")
    assert tracing.begin("e", "r", "refresh") is None
    with pytest.raises(ZeroDivisionError):
        step(APP, RUN, "000001", ZeroDivisionError())


def test_telemetry_that_cannot_be_made_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPLICATIONINSIGHTS_CONNECTION_STRING", "this is none")
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    assert tracing._telemetry.__wrapped__() is None


@pytest.mark.parametrize("trouble", [None, Reason.SOURCE_UNREACHABLE])
def test_a_tick_says_that_it_ended_and_why_it_could_not_read_the_source(
    use: Callable[[object], None], trouble: Reason | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for chore in ("owners", "advance_all", "retain_audit", "retain_previews", "sweep_keys"):
        monkeypatch.setattr(f"export_trigger.steps.tick.{chore}", lambda app: [])

    def catalogue() -> object:
        if trouble:
            raise ExportError(trouble)
        return None

    recorder = Recorder()
    use(recorder)
    tick(
        cast(
            "Any", SimpleNamespace(source=SimpleNamespace(catalogue=catalogue), clock=SimpleNamespace(now=lambda: 0.0))
        )
    )
    assert recorder.measured == [(Metric.TICKS, 1, {Attribute.REASON: trouble or "none"})]


def test_waiting_is_no_failure_and_a_fault_is_named_without_its_text(use: Callable[[object], None]) -> None:
    recorder = Recorder()
    use(recorder)
    for error in (TryLater(1, "later"), ValueError("someone@example.com")):
        with pytest.raises(type(error)):
            step(APP, RUN, "000001", error)
    (_, waited, none), (_, failed, fault) = recorder.ends
    assert (waited["segment_export.outcome"], none) == ("postponed", "")
    assert (failed["segment_export.chunk"], fault) == ("000001", "ValueError")
    assert "someone" not in str(recorder.ends)


def break_off(known: str) -> None:
    with tracing.calling("GET", "/lists") as call:
        call.error = known
        raise TryLater(1, "someone@example.com")


def test_a_call_without_an_answer_has_failed_whatever_broke_it_off(use: Callable[[object], None]) -> None:
    recorder = Recorder()
    use(recorder)
    for known, fault in (("ConnectionError", "ConnectionError"), ("", "TryLater")):
        with pytest.raises(TryLater):
            break_off(known)
        assert recorder.calls.pop() == ("GET /lists", fault)


def test_what_a_step_says_is_about_its_run_and_chunk(use: Callable[[object], None]) -> None:
    use(Recorder())
    assert "'segment_export.chunk'" in step(APP, RUN, "000001").replace("Attribute.CHUNK: ", "")
    assert tracing.about() == {}


def test_every_metric_has_a_unit_and_one_kind() -> None:
    assert set(UNITS) == set(Metric)
    assert not GAUGES & HISTOGRAMS


def test_nothing_is_installed_that_instruments_by_itself() -> None:
    locked = (ROOT / "requirements.txt").read_text()
    assert "opentelemetry-sdk==" in locked
    assert "opentelemetry-instrumentation" not in locked
    assert "azure-core-tracing-opentelemetry" not in locked
