"""Which state of an export counts: the one that was left at the account, whichever connection leads there."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.runs.head import Head
from shared.runs.run import Run

AT = datetime(2026, 11, 28, tzinfo=UTC)


def run(run_id: str, account: str | None) -> Run:
    return Run(export="e", id=run_id, trigger="on_demand", requested_by="me", queued_at=AT, account=account)


def test_an_export_that_moves_to_another_connection_of_the_account_keeps_its_state() -> None:
    head = Head().with_state("main", run("r1", "shared"))
    assert head.state_before("twin", "shared") == ("main", "r1")
    moved = head.with_state("twin", run("r2", "shared"))
    assert (moved.states, moved.accounts) == ({"twin": "r2"}, {"twin": "shared"})
    assert moved.state_before("main", "shared") == ("twin", "r2")


def test_a_connection_that_leads_to_another_account_has_another_state() -> None:
    head = Head().with_state("main", run("r1", "one"))
    assert head.state_before("main", "two") == ("main", None)
    assert head.state_before("main", "one") == ("main", "r1")


@pytest.mark.parametrize("account", [None, "one"])
def test_what_was_stored_before_accounts_were_told_apart_counts_by_its_connection(account: str | None) -> None:
    head = Head(states={"main": "r1"})
    assert head.state_before("main", account) == ("main", "r1")
    assert head.state_before("twin", account) == ("twin", None)


def test_states_at_several_accounts_stand_side_by_side() -> None:
    head = Head().with_state("main", run("r1", "one")).with_state("other", run("r2", "two"))
    assert head.states == {"main": "r1", "other": "r2"}
