"""The runbook has an entry for everything that can happen."""

from __future__ import annotations

import re
from typing import Final

import pytest

from local.package import ROOT
from shared.reasons.codes import Reason
from shared.reasons.rows import RowReason
from shared.telemetry.names import GAUGES, HISTOGRAMS, UNITS, Event
from tests.infra.compiler import Deployment
from tests.infra.workspace import queries

TEXT: Final = (ROOT / "docs/operate.md").read_text()


def section(heading: str) -> str:
    """Return the text under a heading of the second level."""
    return TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize(("heading", "codes"), [("Reasons of a run", Reason), ("Reasons of a row", RowReason)])
def test_every_reason_has_its_row_and_no_other_is_there(heading: str, codes: type[Reason] | type[RowReason]) -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", section(heading), flags=re.MULTILINE)
    assert sorted(code for code, _ in rows) == sorted(codes)
    assert all(len(said) > 15 or code == "nothing_to_do" for code, said in rows)


def test_every_metric_is_named_with_its_unit_and_no_other_is() -> None:
    rows = re.findall(
        r"^\| `(segment_export\.[\w.]+)` \| (\w+) \| `(.+?)` \| .{10,} \|$", section("What the workbook shows"), re.M
    )
    assert {name: unit for name, _, unit in rows} == UNITS
    assert {name for name, kind, _ in rows if kind == "gauge"} == GAUGES
    assert {name for name, kind, _ in rows if kind == "histogram"} == HISTOGRAMS


def test_every_event_is_named() -> None:
    assert [event for event in Event if f"`{event}`" not in section("What the workbook shows")] == []


def test_the_api_names_every_reason_of_a_rejected_row() -> None:
    sentence = (ROOT / "docs/api.md").read_text().partition("A row is rejected as ")[2].partition(".")[0]
    assert set(re.findall(r"`(\w+)`", sentence)) == set(RowReason) - {RowReason.VALUE_OMITTED}


def test_every_alert_has_its_entry_and_no_other_is_there(plain: Deployment) -> None:
    kinds = ("scheduledQueryRules", "metricAlerts", "activityLogAlerts")
    alerts = [name for kind in kinds for name in plain.last_names(f"Microsoft.Insights/{kind}")]
    entries = re.findall(r"^### (\S+)\n\n(.+)$", section("Alerts"), flags=re.MULTILINE)
    assert sorted(name for name, _ in entries) == sorted(alerts)
    assert set(plain.last_names("Microsoft.Insights/scheduledQueryRules")) <= set(queries())


def test_every_link_leads_somewhere() -> None:
    headings = {re.sub(r"[^\w-]", "", line.lower().replace(" ", "-")) for line in re.findall(r"^#+ (.+)$", TEXT, re.M)}
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= headings
    assert [link for link in re.findall(r"\]\(([^)#:]+)\)", TEXT) if not (ROOT / "docs" / link).exists()] == []


def test_what_an_operator_does_is_described() -> None:
    for heading in ("Upgrade", "Key rotation", "Backup and restore of state", "Moving to another environment"):
        assert len(section(heading)) > 300
    assert len(section("Erasure requests")) > 300
