"""Queries, workbook and alerts: sound Kusto on tables that there are, and no name that the app does not send."""

from __future__ import annotations

import json
import re
from typing import Any, Final, get_args

import pytest

from shared.reasons.codes import Reason, Status
from shared.reasons.rows import RowReason
from shared.runs.counts import Counts
from shared.runs.run import Trigger
from shared.telemetry.names import COUNT, Attribute, Event, Metric
from tests.infra.compiler import INFRA, Compiler, Deployment
from tests.infra.workspace import Analysis, analyse, queries, readings

QUERIES: Final = queries()
EACH: Final = pytest.mark.parametrize("name", QUERIES)

SENT: Final = {*Attribute, *(f"{COUNT}{name}" for name in Counts.model_fields)}
"""Every attribute that the code can send."""


@pytest.fixture(scope="module")
def analyses() -> dict[str, Analysis]:
    return analyse(QUERIES)


@pytest.fixture(scope="session")
def alerts(plain: Deployment) -> dict[str, dict[str, Any]]:
    """Return the properties of every alert that asks a query, by its name."""
    return {found.name: dict(found.properties) for found in plain.of("Microsoft.Insights/scheduledQueryRules")}


def items() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((INFRA / "workbook.json").read_text())["items"]
    return found


@EACH
def test_a_query_is_kusto_on_tables_and_columns_that_there_are(analyses: dict[str, Analysis], name: str) -> None:
    assert analyses[name].diagnostics == []
    assert analyses[name].columns


def test_a_query_that_is_wrong_is_found() -> None:
    """All are given to one process: it takes seconds to start."""
    mistakes = {
        "AppTraces": "AppTrace",
        "TimeGenerated": "TimeGenerate",
        "| where": "| wher",
        "tostring(": "to_string(",
    }
    spoiled = {right: QUERIES["run-failed"].replace(right, wrong, 1) for right, wrong in mistakes.items()}
    assert QUERIES["run-failed"] not in spoiled.values()
    assert [right for right, found in analyse(spoiled).items() if not found.diagnostics] == []


@EACH
def test_a_query_asks_for_names_that_the_code_sends(name: str) -> None:
    for reading in readings(QUERIES[name]):
        assert reading.names <= (set(Event) if "event.name" in reading.attributes else set(Metric))
        assert reading.attributes <= SENT


@EACH
def test_a_query_compares_with_values_that_the_code_sends(name: str) -> None:
    sent = {
        "reason": {*Reason, *RowReason, "none"},
        "status": set(Status),
        "trigger": set(get_args(Trigger)),
    }
    compared = re.findall(r"(reason|status|trigger)(?:'\]\))? (?:==|!=|in|!in) (\([^)]*\)|'[^']*')", QUERIES[name])
    for what, values in compared:
        assert set(re.findall(r"'([^']+)'", values)) <= sent[what]
    assert compared or not re.search(r"(reason|status|trigger)\W+(==|!=|in |!in )", QUERIES[name])


def test_every_query_of_ours_reads_what_it_names() -> None:
    """A query whose names the reader above missed would pass unchecked."""
    for name, text in QUERIES.items():
        known = {word for reading in readings(text) for word in reading.names | reading.attributes}
        assert {
            word for word in text.split("'")[1::2] if word.startswith(("segment_export.", "http.", "url."))
        } <= known
        assert known or name in {"cost", "telemetry-cap"}


def test_the_table_of_runs_shows_every_count() -> None:
    """So that whoever adds them up there finds no row missing."""
    (reading,) = readings(QUERIES["runs"])
    assert {f"{COUNT}{name}" for name in Counts.model_fields} <= reading.attributes


def test_a_name_that_nobody_sends_is_found() -> None:
    (reading,) = readings("AppMetrics | where Name in ('a', 'b') | project tostring(Properties['c'])")
    assert sorted(reading.names) == ["a", "b"]
    assert sorted(reading.attributes) == ["c"]
    assert not reading.names <= set(Metric)


def test_every_query_is_an_alert_of_its_name_or_part_of_the_workbook(
    alerts: dict[str, dict[str, Any]], plain: Deployment
) -> None:
    asked = {name: alert["criteria"]["allOf"][0]["query"] for name, alert in alerts.items()}
    made = json.loads(plain.only("Microsoft.Insights/workbooks").properties["serializedData"])["items"]
    shown = {item["name"]: item["content"]["query"] for item in made if item["type"] == 3}
    assert {**asked, **shown} == QUERIES
    assert set(asked).isdisjoint(shown)


def test_the_alert_before_the_cap_knows_the_cap(bicep: Compiler) -> None:
    made = bicep.deploy("plain", telemetryGigabytesADay=7)
    cap = made.only("Microsoft.OperationalInsights/workspaces", "log-cb3kucmitqala").properties["workspaceCapping"]
    rule = made.only("Microsoft.Insights/scheduledQueryRules", "telemetry-cap").properties
    assert cap == {"dailyQuotaGb": 7}
    assert "let cap = 7.0;" in rule["criteria"]["allOf"][0]["query"]


def test_the_audit_has_a_workspace_of_its_own_without_a_cap(plain: Deployment) -> None:
    workspace = plain.only("Microsoft.OperationalInsights/workspaces", "log-audit-cb3kucmitqala")
    assert "workspaceCapping" not in workspace.properties
    audits = plain.of("Microsoft.Insights/diagnosticSettings")
    assert {audit.properties["workspaceId"] for audit in audits} == {workspace.id}
    places = sorted(place for audit in audits for place in re.findall(r"(\w+Services|vaults)/", audit.id))
    assert places == ["blobServices", "queueServices", "tableServices", "vaults"]


def test_what_administrators_change_is_told(plain: Deployment) -> None:
    told = {
        rule.name: {
            str(condition["equals"])
            for part in rule.properties["condition"]["allOf"]
            for condition in part.get("anyOf", [])
        }
        for rule in plain.of("Microsoft.Insights/activityLogAlerts")
    }
    assert "Microsoft.Authorization/roleAssignments/write" in told["rights-changed"]
    assert "Microsoft.Web/sites/config/write" in told["settings-changed"]


def test_nobody_becomes_the_app_or_blinds_its_audit_in_silence(plain: Deployment) -> None:
    """A federated credential gives all the app's rights, and no role; an audit goes off by a write as well as by a deletion."""
    told = {
        str(condition["equals"])
        for rule in plain.of("Microsoft.Insights/activityLogAlerts")
        for part in rule.properties["condition"]["allOf"]
        for condition in part.get("anyOf", [])
    }
    assert told >= {
        "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write",
        "Microsoft.Insights/diagnosticSettings/write",
        "Microsoft.Insights/diagnosticSettings/delete",
        "Microsoft.Storage/storageAccounts/blobServices/write",
    }


def test_the_workbook_is_found_and_reads_where_the_telemetry_is(plain: Deployment) -> None:
    workbook = plain.only("Microsoft.Insights/workbooks").properties
    telemetry = plain.only("Microsoft.Insights/components").properties["WorkspaceResourceId"]
    assert workbook["sourceId"] == telemetry
    assert json.loads(workbook["serializedData"])["fallbackResourceIds"] == [telemetry]


def test_the_workbook_leaves_its_queries_to_their_files() -> None:
    assert all("query" not in item["content"] for item in items())
    parameters = {p["name"] for item in items() for p in item["content"].get("parameters", [])}
    assert {item["content"].get("timeContextFromParameter") for item in items() if item["type"] == 3} == parameters


def test_the_workbook_shows_what_the_plan_bills_from_the_apps_own_metrics(plain: Deployment) -> None:
    """Names are those of Microsoft's list of metrics for Flex Consumption, which also says what is billed by them."""
    made = json.loads(plain.only("Microsoft.Insights/workbooks").properties["serializedData"])["items"]
    (part,) = [item["content"] for item in made if item["type"] == 10]
    assert {metric["metric"] for metric in part["metrics"]} == {
        f"microsoft.web/sites--OnDemandFunctionExecution{what}" for what in ("Count", "Units")
    }
    assert part["resourceIds"] == [plain.only("Microsoft.Web/sites").id]


def test_an_alert_can_be_split_by_export(analyses: dict[str, Analysis], alerts: dict[str, dict[str, Any]]) -> None:
    for name, alert in alerts.items():
        (condition,) = alert["criteria"]["allOf"]
        assert [dimension["name"] for dimension in condition["dimensions"]] == ["export"]
        assert {"TimeGenerated", "export"} <= set(analyses[name].columns)


def test_an_alert_names_the_export_that_it_is_about(alerts: dict[str, dict[str, Any]]) -> None:
    """Ticks and the bill belong to no export; whatever else is measured says whose it is, and who is woken needs that first."""
    for name in alerts:
        for reading in readings(QUERIES[name]):
            assert Attribute.EXPORT in reading.attributes or reading.names <= {Metric.TICKS}, name


def test_an_alert_that_looks_far_back_speaks_of_now(alerts: dict[str, dict[str, Any]]) -> None:
    """The rule counts rows in bins of `windowSize` by their TimeGenerated: one of the last tick, or of the last hour's bill, is older."""
    far = [name for name, alert in alerts.items() if alert["overrideQueryTimeRange"]]
    assert len(far) == 4
    for name in far:
        assert alerts[name]["windowSize"] == "PT15M"
        assert "| project TimeGenerated = now(), export" in QUERIES[name]


def test_a_source_is_unreachable_only_after_most_of_an_hour() -> None:
    """So the first ticks of a new app, whose role is not active yet, wake nobody: there is nothing before them."""
    text = QUERIES["source-unreachable"]
    assert "since = min(TimeGenerated)" in text
    assert "failed == ticks and since < ago(45m)" in text


def test_the_limit_is_that_of_its_minute() -> None:
    """The largest of a whole day would stay for a day when `rate_limit` is lowered, as the runbook advises."""
    text = QUERIES["throughput"]
    assert re.findall(r"summarize (\w+) = .* by connection = [^,]+, bin\(TimeGenerated, 1m\)", text) == [
        "limit",
        "requests",
    ]
    assert "limits on connection, TimeGenerated\n" in text


def test_every_alert_reaches_the_action_group(alerts: dict[str, dict[str, Any]], plain: Deployment) -> None:
    group = plain.only("Microsoft.Insights/actionGroups").id
    others = [*plain.of("Microsoft.Insights/metricAlerts"), *plain.of("Microsoft.Insights/activityLogAlerts")]
    assert len(others) == 3
    assert all(group in str(found.properties["actions"]) and found.properties["enabled"] for found in others)
    for alert in alerts.values():
        assert alert["actions"] == {"actionGroups": [plain.only("Microsoft.Insights/actionGroups").id]}
        assert alert["enabled"] is True


def test_what_can_go_wrong_has_its_alert(alerts: dict[str, dict[str, Any]]) -> None:
    assert set(alerts) == {
        *("run-failed", "key-refused", "nothing-exported", "source-unreachable", "silent"),
        *("chunk-given-up", "rejected-share", "unusual-removals", "chunks-old", "telemetry-cap"),
    }
