"""The benchmark's own arithmetic: the churn it makes, the truth it compares with, the table it prints."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import batched
from pathlib import Path
from typing import Any

import pytest

from bench.peers.__main__ import table
from bench.peers.calls import Refused
from bench.peers.ortto import put_batch
from bench.peers.part import part_of
from bench.peers.population import Churn, two_refreshes
from bench.peers.run import SCENARIOS, Comparison, Leg, Result, Scenario
from bench.peers.segment import contacts
from local.ortto.account import Account
from local.ortto.api import Api
from local.ortto.knobs import Knobs
from local.sandbox.api import Reply
from local.sandbox.knobs import Dice
from local.targets import ORTTO

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


class Answered:
    """An answer of the Ortto sandbox, as a peer's library gives it."""

    def __init__(self, reply: Reply) -> None:
        self.status_code = reply.status
        self.text = json.dumps(reply.body)

    def json(self) -> Any:
        return json.loads(self.text)


class OrttoInMemory:
    """The Ortto sandbox without a socket."""

    def __init__(self, **knobs: Any) -> None:
        self.account = Account()
        self._api = Api(self.account, Dice(1))
        self._knobs = Knobs(**knobs)
        for name, kind in ORTTO.custom.items():
            self.send("POST", "/person/custom-field/create", {"name": name, "type": kind})

    def send(self, method: str, path: str, body: object) -> Answered:
        return Answered(self._api.carry_out(f"{method} {path}", self._knobs, json.dumps(body).encode()))


def test_a_script_for_ortto_tags_whom_the_segment_names_and_tells_who_is_refused(tmp_path: Path) -> None:
    before, _ = two_refreshes(400, Churn.of(400, 0.01))
    file = tmp_path / "segment.csv"
    before.table.write_csv(file, quote_style="always")
    ortto, told = OrttoInMemory(), list[str]()
    for people in batched(contacts(file, told.append), 100, strict=False):
        put_batch(ortto.send, people, "Everyone", lambda contact, _: told.append(contact["Email"]))
    tag = ortto.account.known_tag("Everyone")
    assert tag is not None
    assert {email.lower() for email in ortto.account.emails(tag.people)} == before.members
    assert len(told) == len(before.bad_rows)
    points = {person.email: person.fields["int:cm:loyalty-points"] for person in ortto.account.people.values()}
    assert all(points[email] in before.points[str(email).lower()] for email in points)


def test_an_answer_for_fewer_people_than_were_sent_ends_a_script_for_ortto() -> None:
    ortto = OrttoInMemory(mixed_batch="only_accepted")
    custom = {"date--Last--Purchase": "2026-01-01T00:00:00.000Z"}
    people = [{"Email": email, "custom": custom} for email in ("a@example.com", "poison@example.com")]
    with pytest.raises(Refused):
        put_batch(ortto.send, people, "Everyone")


def test_the_part_holds_all_destinations_each_beside_ours() -> None:
    slow = replace(LEG, seconds=30.0)
    results = (Result("ours", LEG, LEG), Result("peer", slow, slow))
    part = part_of([Comparison(scenario, results) for scenario in SCENARIOS.values()])
    assert [row[0] for row in part.rows] == [
        f"{title}, run {number}: {name}"
        for title in ("Autopilot", "Ortto")
        for number in (1, 2)
        for name in ("ours", "peer")
    ]
    assert part.met
    late = (Result("ours", LEG, slow), Result("peer", slow, slow))
    assert not part_of([Comparison(Scenario(), results), Comparison(Scenario(), late)]).met
