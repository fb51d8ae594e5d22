"""The benchmark's own arithmetic: the churn it makes, the truth it compares with, the table it prints."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bench.peers.__main__ import table
from bench.peers.population import Churn, two_refreshes
from bench.peers.run import Comparison, Leg, Result, Scenario
from bench.peers.segment import contacts

LEG = Leg(
    seconds=2.0,
    seconds_to_end=4.0,
    seconds_to_first_call=0.5,
    calls=1234,
    throttled=0,
    peak_mib=50.4,
    stand_ins_mib=0,
    end="ended",
    missing=0,
    wrong=0,
    stale=0,
    bad_rows=3,
    named=3,
)


def test_a_churn_is_what_it_says() -> None:
    churn = Churn.of(1200, 0.01)
    before, after = two_refreshes(1200, churn)
    old, new = (dict(each.rows.select("CustomerId", "Points").iter_rows()) for each in (before, after))
    assert len(new.keys() - old.keys()) == churn.joined == 4
    assert len(old.keys() - new.keys()) == churn.left == 4
    assert sum(old[customer] != new[customer] for customer in old.keys() & new.keys()) == churn.changed == 4


def test_what_a_peer_reads_is_the_truth_but_for_what_autopilot_refuses(tmp_path: Path) -> None:
    before, _ = two_refreshes(1200, Churn.of(1200, 0.01))
    file = tmp_path / "segment.csv"
    before.table.write_csv(file, quote_style="always")
    left_out: list[str] = []
    sent = {contact["Email"].lower() for contact in contacts(file, left_out.append)}
    deliverable = {email for email in sent if "@" in email and not email.startswith("poison")}
    assert deliverable == before.members
    assert len(left_out) + sum(email.startswith("poison") for email in sent) == len(before.bad_rows)


def test_a_table_shows_times_by_ours_whoever_is_ahead() -> None:
    slow = replace(LEG, seconds=3.0, seconds_to_end=10.0)
    quick = replace(LEG, seconds=1.0, seconds_to_first_call=None, calls=7)
    results = (Result("ours", LEG, LEG), Result("peer", slow, quick))
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in table(Comparison(Scenario(), results)).splitlines()
    ]
    assert [len(line) for line in lines] == [15] * 6
    assert lines[3][:8] == ["1", "peer", "3.0 s", "1.50", "10.0 s", "2.50", "0.5 s", "1,234"]
    assert lines[5][:8] == ["2", "peer", "1.0 s", "0.50", "4.0 s", "1.00", "", "7"]


def test_a_table_without_ours_has_no_ratios() -> None:
    assert "| peer " in table(Comparison(Scenario(), (Result("peer", LEG, LEG),)))
