"""What leaves the app as telemetry, received by a collector over OTLP: one trace a run, exact sums, failures, no person."""

from __future__ import annotations

import secrets
from collections import Counter
from typing import Any

import pytest
import requests
from azure.storage.blob import BlobServiceClient

from local.eventually import eventually
from local.world import SIMPLE, World, people
from shared.telemetry.names import COUNT, Attribute, Metric, Span
from tests.infra.workspace import Reading, queries, readings
from tests.stack.chunks import last_chunk
from tests.stack.collected import Collected
from tests.stack.conftest import MakeWorld

MARK = "zqcanaryqz"


EVERYBODY = [f"{MARK}{n}@example.com" for n in range(700)]
MANY = [f"{MARK}-many{n}@example.com" for n in range(600)]


SUMS = {
    Metric.DELIVERED: "delivered",
    Metric.REMOVED: "removed",
    Metric.REQUESTS: "requests",
    Metric.THROTTLED: "throttled",
    Metric.RETRIED: "retried",
    Metric.REJECTED: "rejected",
}


@pytest.fixture(scope="module")
def watched(make_lasting_world: MakeWorld) -> World:
    """Return a world of two instances whose telemetry is collected, and whose calls sometimes fail."""
    world = make_lasting_world(instances=2, telemetry=True, settings={"OTEL_TRACES_SAMPLER_ARG": "0.1"})
    world.publish({"All": people(*EVERYBODY, "nobody", None, f"poison{MARK}@example.com")})
    world.connect()
    world.save("all", segments=["All"], mapping=SIMPLE)
    world.turn(faults={"throttle": 0.03, "error": 0.03})
    return world


@pytest.fixture(scope="module")
def collected(watched: World) -> Collected:
    return Collected(watched)


@pytest.fixture(scope="module")
def run(watched: World) -> dict[str, Any]:
    """Return a run that was asked for in a trace of the caller's own, `trace`."""
    trace = secrets.token_hex(16)
    started = requests.post(
        f"{watched.stack.api_url}/exports/all/runs",
        headers={"x-functions-key": watched.stack.function_key, "traceparent": f"00-{trace}-{'1' * 16}-01"},
        timeout=60,
    ).json()
    ended = watched.wait("all", started["run"])
    assert ended["reason"] == "rows_rejected"
    return {**ended, "trace": trace}


def test_a_run_is_one_trace_from_the_request_to_its_end(collected: Collected, run: dict[str, Any]) -> None:
    collected.end_of(run["id"])
    spans = collected.wait(
        "spans", lambda spans: any(s["name"] == Span.FINISH and s["trace"] == run["trace"] for s in spans)
    )
    ours = [span for span in spans if span["attributes"].get(Attribute.RUN) == run["id"]]
    assert {span["trace"] for span in ours} == {run["trace"]}
    names = Counter(span["name"] for span in spans if span["trace"] == run["trace"])
    assert names["POST /exports/{export}/runs"] == names[Span.START] == names[Span.PLAN] == names[Span.FINISH] == 1
    assert names[Span.DELIVER] >= 2
    ids = {span["id"] for span in spans if span["trace"] == run["trace"]}
    assert [span["name"] for span in ours if span["parent"] not in ids] == []


def test_sums_are_the_runs_counts_exactly(collected: Collected, run: dict[str, Any]) -> None:
    assert run["counts"]["delivered"] == len(EVERYBODY)
    assert run["counts"]["throttled"] > 0
    assert run["counts"]["retried"] > 0
    for metric, count in SUMS.items():
        expected = run["counts"][count]
        assert collected.settles(metric, expected, **{Attribute.EXPORT: "all"}), (metric, expected)


def test_rejected_rows_are_counted_by_reason(collected: Collected, run: dict[str, Any]) -> None:
    for reason in ("email_missing", "email_invalid", "refused_by_autopilot"):
        assert collected.settles(Metric.REJECTED, 1, **{Attribute.REASON: reason})


def test_the_end_of_a_run_is_an_event_with_all_its_counts(collected: Collected, run: dict[str, Any]) -> None:
    said = collected.end_of(run["id"])["attributes"]
    assert {name.removeprefix(COUNT): value for name, value in said.items() if name.startswith(COUNT)} == run["counts"]
    assert (said[Attribute.STATUS], said[Attribute.REASON]) == (run["status"], run["reason"])
    assert collected.settles(Metric.RUNS_ENDED, 1, **{Attribute.EXPORT: "all", Attribute.REASON: "rows_rejected"})


def test_calls_are_counted_by_template_and_status_and_every_failure_has_its_span(
    collected: Collected, run: dict[str, Any]
) -> None:
    collected.settles(Metric.REQUESTS, run["counts"]["requests"], **{Attribute.EXPORT: "all"})
    calls = {(p["attributes"][Attribute.METHOD], p["attributes"][Attribute.TEMPLATE]) for p in durations(collected)}
    assert {("POST", "/contact"), ("GET", "/contact/{contact}")} <= calls
    assert ("POST", "/contacts") in calls
    assert not any("%40" in template or "@" in template for _, template in calls)
    throttled = collected.sum(Metric.CALL_DURATION, **{Attribute.EXPORT: "all", Attribute.HTTP_STATUS: 429})
    assert throttled == run["counts"]["throttled"]
    spans = [span for span in collected.items("spans") if span["attributes"].get(Attribute.RUN) == run["id"]]
    assert sum(span["attributes"].get(Attribute.HTTP_STATUS) == 429 for span in spans) == throttled
    went_well = [span for span in spans if span["attributes"].get(Attribute.HTTP_STATUS) == 200]
    assert 0 < len(went_well) < run["counts"]["requests"] / 2
    assert all(span["attributes"]["_MS.sampleRate"] == 10 for span in went_well)


def durations(collected: Collected) -> list[dict[str, Any]]:
    return [point for point in collected.items("points") if point["name"] == Metric.CALL_DURATION]


def test_log_records_say_what_they_are_about_in_attributes(collected: Collected, run: dict[str, Any]) -> None:
    collected.end_of(run["id"])
    lines = [log for log in collected.items("logs") if log["body"].startswith("recorded export=")]
    assert lines
    for line in lines:
        about = line["attributes"]
        assert (about[Attribute.RUN], about[Attribute.EXPORT], about[Attribute.CONNECTION]) == (
            run["id"],
            "all",
            "main",
        )
        assert about[Attribute.CHUNK]
        assert line["trace"] == run["trace"]


def test_only_our_own_loggers_and_scope_are_heard(collected: Collected, run: dict[str, Any]) -> None:
    loggers = {log["logger"].partition(".")[0] for log in collected.items("logs")}
    assert loggers <= {"shared", "export_trigger", "export_worker", "segment_export"}
    assert {span["attributes"].get("az.namespace") for span in collected.items("spans")} == {None}
    assert not any(
        "url.full" in span["attributes"] or "http.url" in span["attributes"] for span in collected.items("spans")
    )


def test_a_chunks_age_and_the_accounts_pace_are_measured(collected: Collected, run: dict[str, Any]) -> None:
    measured = {Metric.CHUNK_AGE, Metric.BACKLOG, Metric.RATE_LIMIT}
    collected.wait("points", lambda points: measured <= {point["name"] for point in points})


def test_a_refused_key_is_an_error_in_traces_events_and_metrics(
    watched: World, collected: Collected, run: dict[str, Any]
) -> None:
    watched.turn(key="another", faults={})
    failed = watched.run("all")
    watched.turn(key="sandbox-key")
    assert failed["reason"] == "key_refused"
    said = collected.end_of(failed["id"])
    assert (said["severity"], said["attributes"][Attribute.REASON]) == ("ERROR", "key_refused")
    assert collected.settles(Metric.RUNS_ENDED, 1, **{Attribute.REASON: "key_refused", Attribute.STATUS: "Failed"})

    def refused(spans: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [span for span in spans if span["attributes"].get(Attribute.HTTP_STATUS) == 401]

    assert all(span["is_error"] for span in refused(collected.wait("spans", lambda spans: bool(refused(spans)))))


def test_a_run_that_the_schedule_started_has_a_trace_of_its_own_and_its_lag_is_known(make_world: MakeWorld) -> None:
    world = make_world(settings={"EXPORT_SCHEDULE": "*/1 * * * * *"}, telemetry=True)
    collected = Collected(world)
    world.publish({"Team": people("a@example.com")})
    world.connect()
    for name in ("one", "two"):
        world.save(name, segments=[{"segment": "Team", "list": name}], mapping=SIMPLE)
    collected.wait("points", lambda points: any(point["name"] == Metric.SOURCE_REFRESHED for point in points))

    def refreshed() -> list[Any]:
        world.publish({"Team": people("a@example.com", "b@example.com")})
        return [world.api.get(f"exports/{name}/runs")["items"] for name in ("one", "two")]

    runs = [found[-1] for found in eventually(refreshed, all, every=2)]
    ended = [world.wait(run["export"], run["id"]) for run in runs]
    for run in ended:
        collected.end_of(run["id"])
    lags = (Metric.LAG, "one")
    collected.wait(
        "points", lambda points: lags in {(p["name"], p["attributes"].get(Attribute.EXPORT)) for p in points}
    )
    traces = {span["trace"] for span in collected.items("spans") if span["name"] == Span.START}
    assert len(traces) >= 2


def test_a_run_whose_host_is_killed_keeps_its_trace(watched: World, collected: Collected, run: dict[str, Any]) -> None:
    watched.publish({"Many": people(*MANY)})
    watched.turn(faults={})
    watched.connect(rate_limit=200)
    watched.save("many", segments=["Many"], mapping=SIMPLE)
    killed = watched.start("many")
    # Past the proof of what fills lists, whose lock a dead worker keeps for two minutes.
    eventually(lambda: len(watched.members("Many")) > 20, every=0.1)
    watched.stack.restart_host(1)
    assert watched.wait("many", killed)["status"] == "Successful"
    collected.end_of(killed)

    def ours(spans: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [span for span in spans if span["attributes"].get(Attribute.RUN) == killed]

    spans = collected.wait("spans", lambda spans: any(span["name"] == Span.FINISH for span in ours(spans)))
    assert len({span["trace"] for span in ours(spans)}) == 1


def columns(envelope: dict[str, Any]) -> tuple[str, str, set[str]]:
    """Return what Application Insights makes of an envelope: its table, the name to look for, and its properties."""
    data = envelope["data"]["baseData"]
    properties = data.get("properties") or {}
    match envelope["data"]["baseType"]:
        case "MetricData":
            return "AppMetrics", data["metrics"][0]["name"], set(properties)
        case "MessageData":
            return "AppTraces", properties.get("event.name", ""), set(properties)
        case other:
            return str(other), "", set(properties)


def unanswered(envelopes: list[dict[str, Any]], reading: Reading) -> list[tuple[str, str]]:
    """Return the names, each with an attribute, that a query asks for and no envelope has."""
    sent: dict[tuple[str, str], set[str]] = {}
    for table, name, properties in map(columns, envelopes):
        sent.setdefault((table, name), set()).update(properties)
    return [
        (name, attribute)
        for name in reading.names
        for attribute in reading.attributes | {""}
        if (reading.table, name) not in sent or attribute not in sent[reading.table, name] | {""}
    ]


def test_what_azure_monitors_exporters_send_answers_every_query(make_world: MakeWorld) -> None:
    """A run that goes well, one of whose calls are refused a connection, and one with a chunk that cannot be read."""
    settings = {"LOCAL_HOST_RETRY_SECONDS": "0", "EXPORT_SCHEDULE": "*/1 * * * * *"}
    world = make_world(settings=settings, telemetry=True)
    collected = Collected(world)
    world.publish({"All": people(*EVERYBODY, "nobody"), "Few": people("a@example.com")})
    world.connect(rate_limit=2000)
    world.save("all", segments=["All"], mapping=SIMPLE, schedule={"on": "off"})
    world.save("few", segments=["Few"], mapping=SIMPLE)
    world.turn(faults={"reset": 0.3}, latency_ms=300)
    run = world.start("all")
    with BlobServiceClient.from_connection_string(world.stack.storage) as service:
        chunks = service.get_container_client("chunks")
        chunks.delete_blob(last_chunk(chunks, "all", "000002"))
    assert world.wait("all", run)["reason"] == "chunk_damaged"
    world.turn(faults={}, latency_ms=0)

    def refreshed() -> list[Any]:
        world.publish({"All": people(*EVERYBODY, "nobody"), "Few": people("a@example.com", "b@example.com")})
        items: list[Any] = world.api.get("exports/few/runs")["items"]
        return items

    collected.end_of(world.wait("few", eventually(refreshed, every=2)[0]["id"])["id"])
    asked = [(name, reading) for name, text in queries().items() for reading in readings(text)]

    def missing() -> list[tuple[str, list[tuple[str, str]]]]:
        sent = collected.items("envelopes")
        return [(name, left) for name, reading in asked if (left := unanswered(sent, reading))]

    eventually(missing, lambda left: not left, every=0.5)
    assert unanswered(collected.items("envelopes"), Reading("AppMetrics", frozenset({Metric.LAG}), frozenset({"x"})))


def test_a_collector_that_is_down_costs_no_run(watched: World, collected: Collected, run: dict[str, Any]) -> None:
    collected.turn("down")
    watched.publish({"All": people(*EVERYBODY, "another@example.com")})
    again = watched.run("all")
    collected.turn("up")
    assert again["status"] == "Successful"
    assert again["counts"]["delivered"] == 1


def test_no_address_and_no_key_is_in_anything_that_was_sent(
    watched: World, collected: Collected, run: dict[str, Any]
) -> None:
    bodies = collected.raw()
    assert sum(map(len, bodies)) > 10_000
    everything = b"".join(bodies)
    held = watched.look(f"contacts/{EVERYBODY[0]}")
    for secret in (MARK, "@example.com", "%40example.com", "sandbox-key", held["contact_id"], "Name0"):
        assert secret.encode() not in everything, secret
