"""Erasure that holds: every account, every state, every run that may still send; believed when read back, repeated until then."""

from __future__ import annotations

import json
import secrets
from contextlib import ExitStack
from datetime import timedelta
from typing import Any, cast

import pytest

from export_trigger.steps import erase as step
from export_trigger.steps.erase import advance, advance_all, erase
from shared.azure.storage import Container
from shared.composition.app import App
from shared.delivery.errors import KeyRefused, NoAnswer
from shared.erasure.requests import Erasure, Progress
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.runs.files import load_state, state_path
from shared.runs.run import Run
from tests.delivery.accounts import ManualClock
from tests.export_trigger.steps.api import Api
from tests.export_trigger.steps.erasing import ANNA, KEY, again, codes, deliver, kept, trail
from tests.runs.lives import canceled


def test_a_person_is_erased_at_every_account_and_from_every_state(eraser: App, apis: dict[str, Api]) -> None:
    person = KEY.of_person(ANNA)
    export = deliver(eraser, "a")
    done = erase(eraser, ANNA, "me")
    assert done.progress is Progress.ERASED
    assert [(item.connection, item.held) for item in done.accounts] == [("a", True), ("b", False), ("c", True)]
    assert done.states == 1
    assert all(ANNA not in api.people for api in apis.values())
    assert all(api.calls[-1] == "read" for api in apis.values())
    assert load_state(eraser.storage, export, "a", "20260101t000000000-dead").people["person"].to_list() == [7]
    assert eraser.tombstones.people() == [person]
    assert not kept(eraser, done)
    assert trail(eraser) == ["erasure: erased", "post_erasure"]


def test_a_dead_key_stops_no_other_account_is_named_and_is_tried_again(
    eraser: App, apis: dict[str, Api], clock: ManualClock
) -> None:
    apis["a"].fault = KeyRefused("DELETE answered 401")
    open_one = erase(eraser, ANNA, "me")
    assert open_one.progress is Progress.OPEN
    assert codes(open_one) == {"a": Reason.KEY_REFUSED}
    assert ANNA not in apis["c"].people
    assert kept(eraser, open_one)
    assert again(eraser, clock, open_one).progress is Progress.OPEN
    assert trail(eraser) == ["erasure: key refused", "post_erasure"]  # once, not at each try
    apis["a"].fault = None
    assert again(eraser, clock, open_one).progress is Progress.ERASED
    assert ANNA not in apis["a"].people
    assert not kept(eraser, open_one)


def test_a_refused_key_is_not_tried_again_for_each_request_of_a_tick(
    eraser: App, apis: dict[str, Api], clock: ManualClock
) -> None:
    apis["a"].fault = KeyRefused("DELETE answered 401")
    requests = [erase(eraser, f"p{n}@example.com", "me") for n in range(3)]
    apis["a"].calls.clear()
    for erasure in requests:
        assert codes(again(eraser, clock, erasure)) == {"a": Reason.KEY_REFUSED}
    assert len(apis["a"].calls) == 3  # one a tick, of three requests each


def test_a_tick_works_at_requests_for_a_while_and_each_has_its_turn(
    eraser: App, apis: dict[str, Api], clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An account that does not answer takes 20 seconds of each: forty would outlast the function's ten minutes."""
    apis["a"].fault = NoAnswer("DELETE had no answer")
    requests = [erase(eraser, f"p{n}@example.com", "me") for n in range(40)]
    clock.sleep(600)
    tried: list[str] = []

    def advance(_: App, erasure_id: str, __: set[str]) -> None:
        tried.append(erasure_id)
        clock.sleep(step.ACCOUNT_SECONDS)
        found = eraser.erasures.get(erasure_id)
        assert found is not None
        eraser.erasures.save(found.tried(eraser.now(), found.accounts, 0, (), ()))

    monkeypatch.setattr(step, "advance", advance)
    before = clock.now()
    advance_all(eraser)
    assert clock.now() - before <= step.TICK_SECONDS + step.ACCOUNT_SECONDS
    for _ in range(5):
        clock.sleep(300)
        advance_all(eraser)
    assert set(tried[:40]) == {erasure.id for erasure in requests}


def test_what_autopilot_says_it_deleted_and_still_has_is_not_erased(
    eraser: App, apis: dict[str, Api], clock: ManualClock
) -> None:
    apis["c"].deletes = False
    open_one = erase(eraser, ANNA, "me")
    assert codes(open_one) == {"c": step.STILL_THERE}
    apis["c"].deletes = True
    assert again(eraser, clock, open_one).progress is Progress.ERASED


def test_a_delete_without_an_answer_is_looked_up(eraser: App, apis: dict[str, Api], clock: ManualClock) -> None:
    apis["a"].fault = NoAnswer("DELETE answered 502")
    open_one = erase(eraser, ANNA, "me")
    assert codes(open_one) == {"a": Reason.AUTOPILOT_UNAVAILABLE}
    apis["a"].fault = None
    assert again(eraser, clock, open_one).progress is Progress.ERASED


def test_an_account_that_cannot_be_opened_harms_itself_only(eraser: App, apis: dict[str, Api]) -> None:
    apis["a"].fault = cast("Any", ValueError("a damaged document that quotes anna@example.com"))
    apis["b"].fault = ExportError(Reason.KEY_MISSING)
    open_one = erase(eraser, ANNA, "me")
    assert codes(open_one) == {"a": Reason.INTERNAL_ERROR, "b": Reason.KEY_MISSING}
    assert ANNA not in apis["c"].people


def test_a_run_that_was_going_is_waited_for_and_all_is_done_again(
    eraser: App, apis: dict[str, Api], clock: ManualClock, run: Run
) -> None:
    """Of an export that nobody configures any more: its call was on the way, and brings the person back."""
    open_one = erase(eraser, ANNA, "me")
    assert open_one.progress is Progress.OPEN
    assert open_one.waits_for == (f"{run.export}/{run.id}",)
    assert ANNA not in apis["a"].people  # at once, not only when the run is over
    apis["a"].people.add(ANNA)
    assert again(eraser, clock, open_one).progress is Progress.OPEN
    eraser.ledger.finish(
        run.export,
        run.id,
        lambda run: run.ended(eraser.now(), Reason.INTERNAL_ERROR),
        state_of=None,
    )
    assert again(eraser, clock, open_one).progress is Progress.ERASED
    assert ANNA not in apis["a"].people


def test_a_run_that_was_stopped_just_now_may_still_have_a_call_on_its_way(
    eraser: App, clock: ManualClock, run: Run
) -> None:
    eraser.ledger.finish(run.export, run.id, lambda run: canceled(run, eraser.now()), state_of=None)
    open_one = erase(eraser, ANNA, "me")
    assert open_one.waits_for == (f"{run.export}/{run.id}",)
    assert again(eraser, clock, open_one).progress is Progress.ERASED
    assert erase(eraser, ANNA, "me").progress is Progress.ERASED


def test_a_connection_that_is_deleted_meanwhile_leaves_the_request_incomplete_and_named(
    eraser: App, apis: dict[str, Api], clock: ManualClock
) -> None:
    apis["a"].fault = KeyRefused("DELETE answered 401")
    open_one = erase(eraser, ANNA, "me")
    del apis["a"]
    ended = again(eraser, clock, open_one)
    assert (ended.progress, ended.code) == (Progress.INCOMPLETE, step.CONNECTION_DELETED)
    assert codes(ended) == {"a": step.CONNECTION_DELETED}
    assert not kept(eraser, ended)


def test_a_state_that_cannot_be_read_is_named_and_holds_nobody_up(eraser: App) -> None:
    path = state_path(f"e-{secrets.token_hex(4)}", "main", "20260101t000000000-dead")
    eraser.storage.put(Container.STATE, path, b"no table")
    done = erase(eraser, ANNA, "me")
    assert done.progress is Progress.ERASED
    assert path in done.unread
    eraser.storage.delete(Container.STATE, path)


def test_the_address_is_in_its_own_blob_only(
    eraser: App, apis: dict[str, Api], caplog: pytest.LogCaptureFixture
) -> None:
    apis["a"].fault = KeyRefused("DELETE answered 401")
    caplog.set_level("DEBUG")
    open_one = erase(eraser, ANNA, "me")
    assert ANNA not in open_one.model_dump_json()
    assert ANNA not in caplog.text
    assert ANNA not in json.dumps([entry.model_dump(mode="json") for _, entry in eraser.audit.entries()])
    assert eraser.erasures.address(open_one.id) == ANNA


def test_an_address_that_is_lost_ends_its_request_by_name(
    eraser: App, apis: dict[str, Api], clock: ManualClock
) -> None:
    apis["a"].fault = KeyRefused("DELETE answered 401")
    open_one = erase(eraser, ANNA, "me")
    eraser.storage.delete(Container.ERASURES, f"{open_one.id}.json")
    assert advance(eraser, open_one.id) == open_one  # perhaps it is about to be written
    ended = again(eraser, clock, open_one)
    assert (ended.progress, ended.code) == (Progress.INCOMPLETE, step.ADDRESS_LOST)


def test_addresses_that_no_open_request_needs_are_swept(eraser: App, clock: ManualClock) -> None:
    """A process died between the end of a request and the deletion of its address."""
    done = erase(eraser, ANNA, "me")
    for name in (f"{done.id}.json", "nobody-knows.json"):
        eraser.storage.put(Container.ERASURES, name, b"{}")
    advance_all(eraser)
    assert not kept(eraser, done)
    assert eraser.storage.get(Container.ERASURES, "nobody-knows.json") is None


def test_a_request_that_is_over_is_forgotten_with_the_history(eraser: App, clock: ManualClock) -> None:
    done = erase(eraser, ANNA, "me")
    clock.sleep(timedelta(days=91).total_seconds())
    advance_all(eraser)
    assert eraser.erasures.get(done.id) is None
    assert eraser.tombstones.people() == [KEY.of_person(ANNA)]  # for ever


def test_somebody_who_is_at_it_already_is_not_disturbed(eraser: App, clock: ManualClock) -> None:
    """A tick takes a request up at the moment at which it is made: the caller is told how far it is, and no fault."""
    begin, at_it = eraser.erasures.begin, ExitStack()

    def begun(*asked: Any) -> Erasure:
        made: Erasure = begin(*asked)
        at_it.enter_context(eraser.locks.exclusive("installation", f"erase {made.id}", 60))
        return made

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(type(eraser.erasures), "begin", lambda _, *asked: begun(*asked))
        taken = erase(eraser, ANNA, "me")
    at_it.close()
    assert (taken.progress, taken.tried_at) == (Progress.OPEN, None)
    assert again(eraser, clock, taken).progress is Progress.ERASED


def test_a_request_whose_maker_died_is_taken_up(
    eraser: App, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(step, "advance", lambda *_: None)
        made = erase(eraser, ANNA, "me")
    clock.sleep(60)
    advance_all(eraser)
    assert eraser.erasures.get(made.id) == made
    assert again(eraser, clock, made).progress is Progress.ERASED


def test_looks_at_a_request_become_rarer(eraser: App, apis: dict[str, Api], clock: ManualClock) -> None:
    apis["a"].fault = KeyRefused("DELETE answered 401")
    erase(eraser, ANNA, "me")
    looks = 0
    for _ in range(24 * 12):
        clock.sleep(300)
        apis["a"].calls.clear()
        advance_all(eraser)
        looks += bool(apis["a"].calls)
    assert 24 <= looks <= 48
