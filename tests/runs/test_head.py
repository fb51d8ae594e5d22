"""Which state of an export counts: the one left at the account, whichever connection leads there. And which run tells of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.reasons.codes import Reason
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


def test_a_state_holds_at_its_account_while_its_connection_leads_to_another() -> None:
    """The key of another account is entered, and one day that of the first account again."""
    away = Head().with_state("main", run("r1", "one")).with_state("main", run("r2", "two"))
    assert away.state_before("main", "two") == ("main", "r2")
    assert away.state_before("main", "one") == ("main", "r1")
    assert away.state_before("twin", "one") == ("main", "r1")
    assert away.left == {("main", "r1"): "one", ("main", "r2"): "two"}
    back = away.with_state("main", run("r3", "one"))
    assert back.left == {("main", "r2"): "two", ("main", "r3"): "one"}
    assert back.state_before("main", "three") == ("main", None)
    elsewhere = away.with_state("twin", run("r3", "one"))
    assert elsewhere.left == {("main", "r2"): "two", ("twin", "r3"): "one"}


def test_a_head_that_is_restored_keeps_what_was_left_since_where_it_names_nothing() -> None:
    first = Head().keeping("main", "r1", "one")
    assert first.left == {("main", "r1"): "one"}
    assert first.keeping("twin", "r2", "one") == first
    assert first.keeping("main", "r2", "two").left == {("main", "r2"): "two", ("main", "r1"): "one"}
    assert Head().marked_deleted().keeping("main", "r1", "one").left == {}
    before_accounts = Head(states={"main": "r1"})
    assert before_accounts.keeping("main", "r2", "one") == before_accounts


def ended(run_id: str, reason: Reason, **more: object) -> Run:
    return run(run_id, "one").model_copy(update={"as_of": AT, **more}).ended(AT, reason)


@pytest.mark.parametrize("found", [Reason.LISTS_EQUAL, Reason.LISTS_DIFFER, Reason.KEY_REFUSED])
def test_a_verification_does_not_hide_how_the_delivery_before_it_went(found: Reason) -> None:
    held = ended("r1", Reason.OVER_LIMIT)
    head = Head().ended(held).ended(ended("r2", found, verification="report"))
    assert head.last
    assert head.last_delivery
    assert (head.last.id, head.last_delivery.id) == ("r2", "r1")
    assert head.last_delivery.as_of == AT


def test_a_source_that_was_not_settled_does_not_hide_a_failure() -> None:
    head = Head().ended(ended("r1", Reason.KEY_REFUSED)).ended(ended("r2", Reason.SOURCE_NOT_SETTLED))
    assert head.last_delivery
    assert head.last_delivery.id == "r1"


def test_rejected_rows_that_are_tried_again_tell_of_the_delivery_that_rejected_them_and_of_no_other() -> None:
    rejected, again = ended("r1", Reason.ROWS_REJECTED), ended("r2", Reason.NOTHING_TO_DO, rejected_of="r1")
    better = Head().ended(rejected).ended(again)
    assert better.last_delivery
    assert better.last_delivery.id == "r2"
    once_more = better.ended(ended("r3", Reason.KEY_REFUSED, rejected_of="r1"))
    assert once_more.last_delivery
    assert once_more.last_delivery.id == "r3"
    held = Head().ended(rejected).ended(ended("r4", Reason.MASS_REMOVAL)).ended(again)
    assert held.last_delivery
    assert held.last_delivery.id == "r4"
