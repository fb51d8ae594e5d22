"""A refresh is taken up by a run that got beyond its plan; one that failed before is tried again, with growing pauses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from export_trigger.steps.tick import may_try
from shared.composition.app import App
from shared.exports.configuration import Export
from shared.lifecycle.finish import end_run
from shared.lifecycle.outage import wait_or_end
from shared.reasons.codes import Reason, Status
from shared.reasons.errors import ExportError, Transient, TryLater
from shared.runs.head import Head
from shared.runs.run import Run
from tests.delivery.accounts import ManualClock

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
BEFORE = Head(active="r", refresh="old", tried="new", tries=1, tried_at=NOW)


def ended(reason: Reason | None, plan: str | None, refresh: str | None = "new") -> Run:
    return Run(
        export="e",
        id="r",
        trigger="refresh",
        requested_by="schedule",
        queued_at=NOW,
        ended_at=NOW,
        refresh=refresh,
        plan=plan,
        status=reason.status if reason else Status.SUCCESSFUL,
        reason=reason,
    )


@pytest.mark.parametrize("reason", [None, Reason.NOTHING_TO_DO, Reason.KEY_REFUSED, Reason.INTERNAL_ERROR])
def test_a_run_beyond_its_plan_takes_the_refresh_up(reason: Reason | None) -> None:
    assert BEFORE.ended(ended(reason, plan="p")).refresh == "new"


@pytest.mark.parametrize(
    "reason", [Reason.SOURCE_UNREACHABLE, Reason.SOURCE_NOT_SETTLED, Reason.KEY_MISSING, Reason.INTERNAL_ERROR]
)
def test_a_run_that_failed_before_its_plan_does_not(reason: Reason) -> None:
    assert BEFORE.ended(ended(reason, plan=None)).refresh == "old"


@pytest.mark.parametrize(
    "reason", [Reason.OVER_LIMIT, Reason.EMPTY_SEGMENT, Reason.MASS_REMOVAL, Reason.CANCELED_BY_USER]
)
def test_what_somebody_decided_or_has_to_decide_is_not_tried_again(reason: Reason) -> None:
    assert BEFORE.ended(ended(reason, plan=None)).refresh == "new"


def test_a_run_that_no_refresh_started_takes_none_up() -> None:
    assert BEFORE.ended(ended(None, plan="p", refresh=None)).refresh == "old"


def export(updated_at: datetime) -> Export:
    return Export(
        display_name="Team",
        connection="main",
        mapping={"Email": "Email"},
        segments=("Team",),  # type: ignore[arg-type]
        created_at=NOW,
        updated_at=updated_at,
        updated_by="me",
    )


@pytest.mark.parametrize(("tries", "minutes"), [(1, 15), (2, 30), (3, 60), (8, 24 * 60), (1000, 24 * 60)])
def test_each_try_is_followed_by_a_longer_pause_of_a_day_at_most(tries: int, minutes: int) -> None:
    head = Head(active="r", refresh="old", tried="new", tries=tries, tried_at=NOW)
    saved = export(NOW - timedelta(days=1))
    assert not may_try(saved, head, "new", NOW + timedelta(minutes=minutes, seconds=-1))
    assert may_try(saved, head, "new", NOW + timedelta(minutes=minutes))


def test_another_refresh_and_a_saved_export_are_tried_at_once() -> None:
    assert may_try(export(NOW - timedelta(days=1)), BEFORE, "newer", NOW)
    assert may_try(export(NOW + timedelta(seconds=1)), BEFORE, "new", NOW + timedelta(seconds=2))


def test_a_fault_that_may_pass_is_waited_for_and_ends_the_run_once_it_lasts_too_long(
    timed: App, clock: ManualClock, run: Run
) -> None:
    fault = Transient(Reason.SOURCE_UNREACHABLE, "Storage answered 503 for a/b.")
    with pytest.raises(TryLater):
        wait_or_end(timed, run, fault)
    waiting = timed.ledger.run(run.export, run.id)
    assert waiting.detail == "Waiting. Storage answered 503 for a/b."
    clock.sleep(timed.settings.outage_minutes * 60 + 1)
    assert wait_or_end(timed, run, fault) is fault


def test_a_fault_that_lasts_is_not_waited_for(timed: App, run: Run) -> None:
    fault = ExportError(Reason.SOURCE_UNREACHABLE, "Storage answered 403 for a/b.")
    assert wait_or_end(timed, run, fault) is fault


def test_a_run_canceled_while_it_waits_stays_canceled(timed: App, run: Run) -> None:
    end_run(timed, run, ExportError(Reason.CANCELED_BY_USER))
    with pytest.raises(TryLater):
        wait_or_end(timed, run, Transient(Reason.SOURCE_UNREACHABLE, "Storage answered 503."))
    canceled = timed.ledger.run(run.export, run.id)
    assert (canceled.reason, canceled.detail, canceled.counts.add_up) == (Reason.CANCELED_BY_USER, "", True)
