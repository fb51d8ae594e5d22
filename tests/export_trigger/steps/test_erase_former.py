"""Accounts to which somebody was delivered, and to which no connection leads by now: unknown is never done."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from export_trigger.steps import erase as step
from export_trigger.steps.erase import erase
from shared.composition.app import App
from shared.delivery.errors import NoAnswer
from shared.erasure.requests import Progress
from shared.lifecycle.sweep import sweep
from shared.reasons.codes import Reason
from shared.runs.run import Run
from tests.delivery.accounts import ManualClock
from tests.export_trigger.steps.api import Api
from tests.export_trigger.steps.erasing import ANNA, again, codes, deliver, erase_request, kept

AT: Final = datetime(2026, 1, 2, tzinfo=UTC)


def test_an_account_whose_connection_was_deleted_before_the_request_is_named_and_not_done(eraser: App) -> None:
    deliver(eraser, "detached", "one")
    ended = erase(eraser, ANNA, "me")
    assert (ended.progress, ended.code) == (Progress.INCOMPLETE, step.CONNECTION_DELETED)
    assert codes(ended) == {"detached": step.CONNECTION_DELETED}
    assert ended.states == 1


def test_an_account_that_a_connection_led_to_before_is_named_and_not_done(eraser: App) -> None:
    eraser.accounts.identities.settle("a", "two")
    deliver(eraser, "a", "one")
    ended = erase(eraser, ANNA, "me")
    assert (ended.progress, ended.code) == (Progress.INCOMPLETE, Reason.ACCOUNT_CHANGED)
    assert [(item.connection, item.gone) for item in ended.accounts] == [
        ("a", True),
        ("b", True),
        ("c", True),
        ("a", False),
    ]
    assert not kept(eraser, ended)


def test_an_account_that_a_connection_led_to_is_named_although_another_one_was_filled_through_it_since(
    eraser: App,
) -> None:
    eraser.accounts.identities.settle("a", "two")
    export = deliver(eraser, "a", "one")
    later = Run(
        export=export, id="20260102t000000000-dead", trigger="cron", requested_by="me", queued_at=AT, account="two"
    )
    eraser.ledger.change_head(export, lambda head: head.with_state("a", later))
    sweep(eraser, export)
    assert erase(eraser, ANNA, "me").code == Reason.ACCOUNT_CHANGED


def test_an_account_that_another_connection_leads_to_is_read_back_there(
    eraser: App, apis: dict[str, Api], clock: ManualClock
) -> None:
    eraser.accounts.identities.settle("c", "one")
    deliver(eraser, "detached", "one")
    assert erase(eraser, ANNA, "me").progress is Progress.ERASED


def test_an_account_that_was_noted_before_its_state_was_emptied_stays_named(
    eraser: App, apis: dict[str, Api], clock: ManualClock
) -> None:
    """Another account does not answer at first: by the time it does, no state names the person any more."""
    deliver(eraser, "detached", "one")
    apis["c"].fault = NoAnswer("DELETE answered 502")
    assert erase(eraser, ANNA, "me").progress is Progress.OPEN
    apis["c"].fault = None
    ended = again(eraser, clock, erase_request(eraser))
    assert (ended.progress, ended.code) == (Progress.INCOMPLETE, step.CONNECTION_DELETED)


def test_a_request_that_is_repeated_is_not_done_either_until_the_account_is_connected_again(
    eraser: App, apis: dict[str, Api], clock: ManualClock
) -> None:
    deliver(eraser, "detached", "one")
    for _ in range(2):
        ended = erase(eraser, ANNA, "me")
        assert (ended.progress, ended.code) == (Progress.INCOMPLETE, step.CONNECTION_DELETED)
    assert erase(eraser, "bert@example.com", "me").progress is Progress.ERASED
    apis["detached"] = Api(ANNA)
    eraser.accounts.identities.settle("detached", "one")
    assert erase(eraser, ANNA, "me").progress is Progress.ERASED
    assert ANNA not in apis["detached"].people
