"""A run's life: every edge of the diagram in docs/run.md, and every step that is not in it refused."""

from __future__ import annotations

import re
from pathlib import Path
from types import FunctionType
from typing import Final, get_type_hints

import pytest

from shared.reasons.codes import Reason, Status
from shared.runs import head as heads
from shared.runs.counts import Counts
from shared.runs.entry import Entry
from shared.runs.head import FollowUpTaken, Head, RunInProgress
from shared.runs.run import IllegalTransition, Run
from shared.runs.run_changes import RunChanges
from tests.runs.states import (
    DELIVERED,
    ENDED,
    LATER,
    NOW,
    OTHER,
    PLANNING,
    QUEUED,
    SENDING,
    STEPS,
    STOPPED,
    TARGETS,
    entry,
    plan,
)

DIAGRAM: Final = Path(__file__).parents[2] / "docs" / "run.md"


STATES: Final = {
    "Queued": QUEUED,
    "Planning": PLANNING,
    "Sending": SENDING,
    "Stopped": STOPPED,
    "Delivered": DELIVERED,
    "Ended": ENDED,
}


ALWAYS: Final = {"stopped", "busy", "waiting", "unreachable", "issued_again", "called"}


LEGAL: Final = {
    "Queued": {*ALWAYS, "planning", "ended"},
    "Planning": {*ALWAYS, "planning", "held", "planned", "ended"},
    "Sending": {*ALWAYS, "sending", "sending again", "recorded"},
    "Stopped": {*ALWAYS, "sending again", "recorded"},
    "Delivered": {*ALWAYS, "ended", "ended well"},
    "Ended": set(),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("step", STEPS)
def test_a_run_takes_the_steps_of_the_diagram_and_no_other(state: str, step: str) -> None:
    if step in LEGAL[state]:
        STEPS[step](STATES[state])
    else:
        with pytest.raises(IllegalTransition, match="run r cannot"):
            STEPS[step](STATES[state])


def test_the_diagram_in_the_docs_draws_these_steps_and_no_other() -> None:
    text = DIAGRAM.read_text()
    diagram = text.partition("stateDiagram-v2")[2].partition("```")[0]
    arrows = re.findall(r"(\w+) --> \w+: (.*)", diagram)
    drawn = {
        (state, step) for state, label in arrows for step in re.sub(r"\(.*?\)", "", label).replace(",", " ").split()
    }
    allowed = {(state, step.split()[0]) for state, steps in LEGAL.items() for step in steps - ALWAYS}
    assert drawn - {("Sending", "stopped")} == allowed
    assert all(f"`{step}`" in text for step in ALWAYS)


@pytest.mark.parametrize("record", [Run, Head])
def test_the_docs_name_every_way_in_which_a_record_changes(record: type[Run | Head]) -> None:
    returned = {
        name: get_type_hints(getattr(record, name)).get("return")
        for name, member in vars(record).items()
        if not name.startswith("_") and isinstance(member, FunctionType | classmethod)
    }
    steps = {name for name, kind in returned.items() if kind is record}
    assert len(steps) > 9
    assert [name for name in steps if not re.search(rf"\b{name}\b", DIAGRAM.read_text())] == []
    assert record is Head or steps == {step.split()[0] for step in STEPS}


def test_planning_makes_a_run_processing_and_keeps_its_first_start() -> None:
    again = PLANNING.planning(LATER, "twin", "other")
    assert (again.status, again.started_at, again.progress_at) == (Status.PROCESSING, NOW, LATER)
    assert (again.connection, again.account) == ("twin", "other")


def test_a_plan_brings_all_that_is_known_of_it_and_ends_the_wait_before_it() -> None:
    planned = PLANNING.unreachable(NOW, "Waiting.").planned(plan(chunks=2), LATER)
    assert (planned.plan, planned.chunks, planned.operations, planned.targets) == ("p", 2, 3, TARGETS)
    assert (planned.planned_at, planned.progress_at) == (LATER, LATER)
    assert (planned.unreachable_since, planned.detail, planned.remarks) == (None, "", "remark")
    assert planned.counts == Counts(rows_read=3)


def test_only_a_run_that_a_refresh_started_takes_one_up() -> None:
    by_hand = QUEUED.model_copy(update={"refresh": None}).planning(NOW, "main", "acc").planned(plan(), NOW)
    assert (by_hand.refresh, by_hand.has_taken_up_refresh) == (None, False)
    assert (SENDING.refresh, SENDING.has_taken_up_refresh) == ("etag", True)
    assert not QUEUED.ended(NOW, Reason.KEY_MISSING).has_taken_up_refresh
    assert QUEUED.ended(NOW, Reason.CANCELED_BY_USER).has_taken_up_refresh


def test_a_chunk_that_has_begun_stays_so_until_its_outcome_is_recorded() -> None:
    once = SENDING.sending("000001")
    begun = once.sending("000001")
    assert (once.begun, begun.begun) == (("000001",), ("000001", "000001"))
    assert begun.sending("000001") == begun
    assert set(STOPPED.sending("000001").begun) == set(STOPPED.begun)
    assert begun.recorded(entry(), Counts(), None, LATER).begun == ()


def test_once_every_chunk_has_its_outcome_none_begins_again() -> None:
    delivered = SENDING.sending("000002").recorded(entry("000001"), Counts(delivered=3), None, LATER)
    for run in (delivered, delivered.ended(LATER, None)):
        with pytest.raises(IllegalTransition):
            run.sending("000002")


def test_whether_others_have_begun_a_chunk_is_told_from_having_begun_it_oneself() -> None:
    once = SENDING.sending("000001")
    assert not SENDING.is_begun_by_others("000001", here=False)
    assert once.is_begun_by_others("000001", here=False)
    assert not once.is_begun_by_others("000001", here=True)
    assert once.sending("000001").is_begun_by_others("000001", here=True)


def test_an_outcome_counts_once_and_what_continues_it_is_one_more_chunk() -> None:
    half = SENDING.recorded(entry(settled=1, continued_by="000001-1-a"), Counts(delivered=1, requests=2), None, LATER)
    assert (half.done, half.chunks, half.settled, half.is_delivered) == (1, 2, 1, False)
    assert (half.counts, half.progress_at) == (Counts(rows_read=3, delivered=1, requests=2), LATER)
    assert half.recorded(entry("000001-1-a"), Counts(delivered=2), None, LATER).is_delivered


@pytest.mark.parametrize(
    ("outcome", "is_back"),
    [(entry(), True), (entry(settled=0, receipts="blob"), True), (entry(settled=0), False)],
)
def test_an_outage_ends_when_something_was_done(outcome: Entry, is_back: bool) -> None:
    away = SENDING.unreachable(NOW, "away").unreachable(LATER, "still away")
    assert (away.unreachable_since, away.detail) == (NOW, "still away")
    assert (away.recorded(outcome, Counts(), None, LATER).unreachable_since is None) is is_back


def test_the_first_reason_to_stop_counts() -> None:
    assert STOPPED.stopped(Reason.KEY_REFUSED).stop is Reason.CANCELED_BY_USER
    recorded = STOPPED.recorded(entry(), Counts(), Reason.KEY_REFUSED, LATER)
    assert recorded.stop is Reason.CANCELED_BY_USER
    assert SENDING.recorded(entry(), Counts(), Reason.KEY_REFUSED, LATER).stop is Reason.KEY_REFUSED


def test_who_is_busy_longest_counts() -> None:
    assert QUEUED.busy(LATER).busy(NOW).busy_until == LATER
    assert QUEUED.busy(NOW).busy(LATER).busy_until == LATER


def test_counts_never_shrink() -> None:
    with pytest.raises(IllegalTransition):
        PLANNING.planned(plan(counts=Counts(rows_read=-1)), NOW)
    with pytest.raises(IllegalTransition):
        SENDING.recorded(entry(), Counts(delivered=-1), None, NOW)


def test_a_run_ends_with_its_reasons_status_and_rows_that_nobody_accounts_for_as_undelivered() -> None:
    lost = SENDING.recorded(entry(lost=True, settled=0), Counts(delivered=1), None, NOW)
    ended = lost.ended(LATER, Reason.CHUNK_DAMAGED, "It is missing.", short=True)
    assert (ended.status, ended.reason, ended.ended_at, ended.short) == (
        Status.FAILED,
        Reason.CHUNK_DAMAGED,
        LATER,
        True,
    )
    assert ended.detail == "It is missing. remark"
    assert (ended.counts.undelivered, ended.counts.add_up) == (2, True)
    assert ENDED.status is Status.SUCCESSFUL


def test_an_ended_run_frees_its_head_and_one_that_goes_on_does_not() -> None:
    head = Head().started(QUEUED)
    assert head.active == "r"
    with pytest.raises(IllegalTransition):
        head.ended(DELIVERED)
    assert head.ended(ENDED).active is None
    assert Head().started(OTHER).ended(ENDED).active == "s"
    assert head.released("s") == head
    assert head.released("r").active is None


def test_one_run_starts_at_a_time_and_a_follow_up_once() -> None:
    with pytest.raises(RunInProgress) as going:
        Head().started(QUEUED).started(OTHER)
    assert going.value.run_id == "r"
    pending = Head().followed_by("repair")
    assert pending.started(QUEUED).pending_follow_up == "repair"
    assert pending.started(QUEUED, "repair").pending_follow_up is None
    with pytest.raises(FollowUpTaken):
        Head().started(QUEUED, "repair")


def test_only_a_queued_run_starts() -> None:
    for run in (PLANNING, SENDING, ENDED):
        with pytest.raises(IllegalTransition):
            Head().started(run)


def test_nobody_changes_a_record_but_by_its_methods() -> None:
    """Neither by copies with other fields nor, misspelt and unnoticed, by a mapping of them."""
    root = Path(__file__).parents[2]
    steps = [
        path
        for folder in ("shared/lifecycle", "export_trigger", "export_worker")
        for path in root.glob(f"{folder}/**/*.py")
    ]
    assert len(steps) > 30
    assert [path.name for path in steps if "model_copy" in path.read_text()] == []


def test_tries_of_a_refresh_are_counted_and_another_begins_anew() -> None:
    twice = Head().refresh_tried("a", NOW).refresh_tried("a", LATER)
    assert (twice.tried, twice.tries, twice.tried_at) == ("a", 2, LATER)
    assert twice.refresh_tried("b", LATER).tries == 1
    assert twice.ended(ENDED).refresh == "etag"


@pytest.mark.parametrize(("owner", "changes"), [(Run, RunChanges), (Head, heads._Changes)])
def test_what_transitions_change_are_fields_of_the_same_types(owner: type, changes: type) -> None:
    known = get_type_hints(owner)
    assert {name: known[name] for name in get_type_hints(changes)} == get_type_hints(changes)


def test_names_that_the_code_changed_are_stored_as_ever() -> None:
    """Heads that 8dd6ca5 stored, and those that it reads if somebody goes back to it."""
    head = Head(pending_follow_up="run", lists_suspect=True, states={"main": "r"})
    stored = head.model_dump(mode="json", exclude_none=True)
    assert (stored["owed"], stored["doubted"]) == ("run", True)
    assert not {"pending_follow_up", "lists_suspect"} & stored.keys()
    assert Head.model_validate(stored) == head
    known = entry(receipts="blob", list_index=0)
    assert known.result == "blob"
    assert known.model_dump(mode="json", exclude_none=True)["receipts"] == "blob"
