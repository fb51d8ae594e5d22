"""What follows a run: verifications that are due, and doubts that stay until somebody has mended the lists."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from shared.exports.configuration import Export
from shared.lifecycle.follow_up import what_follows
from shared.reasons.codes import Reason, Status
from shared.runs.counts import Findings
from shared.runs.head import Head
from shared.runs.run import Run

NOW = datetime(2026, 11, 25, tzinfo=UTC)
EQUAL = Findings(list="VIP", exists=True, expected=1, found=1)
SHORT = Findings(list="VIP", exists=True, expected=1, found=0, missing=1)


def an_export(every: int = 0, *, repair: bool = False) -> Export:
    return Export.model_validate(
        {
            "display_name": "x",
            "connection": "main",
            "mapping": {"Email": "Email"},
            "segments": ["VIP"],
            "verification": {"every": every, "repair": repair},
            "created_at": NOW,
            "updated_at": NOW,
            "updated_by": "me",
        }
    )


def ended(reason: Reason | None = None, **fields: Any) -> Run:
    status = reason.status if reason else Status.SUCCESSFUL
    run = {"export": "e", "id": "r", "trigger": "on_demand", "requested_by": "me", "queued_at": NOW, "ended_at": NOW}
    return Run.model_validate({**run, "status": status, "reason": reason, **fields})


def follow(head: Head, run: Run, export: Export) -> tuple[Head, str | None]:
    head = head.ended(run)
    return head, what_follows(run, head, export)


def test_every_nth_run_is_followed_by_what_the_export_asks_for() -> None:
    for repair, owed in ((False, "report"), (True, "repair")):
        head, export, seen = Head(), an_export(3, repair=repair), []
        for _ in range(3):
            head, follows = follow(head, ended(), export)
            seen.append(follows)
        assert seen == [None, None, owed]
        head, _ = follow(head, ended(Reason.LISTS_EQUAL, verification="report", findings=(EQUAL,)), export)
        assert head.unverified == 0


def test_a_verification_that_came_to_nothing_is_still_due() -> None:
    export = an_export(2)
    head, _ = follow(Head(unverified=2), ended(Reason.AUTOPILOT_UNAVAILABLE, verification="report"), export)
    assert head.unverified == 2
    assert follow(head, ended(), export)[1] == "report"


def test_lists_that_bulk_calls_left_short_are_doubted_until_they_are_mended() -> None:
    export = an_export()
    head, follows = follow(Head(), ended(Reason.LISTS_DIFFER), export)
    assert follows == "repair"
    head, follows = follow(head, ended(Reason.AUTOPILOT_UNAVAILABLE, verification="repair"), export)
    assert follows is None  # not again at once: Autopilot is away
    head, follows = follow(head, ended(), export)
    assert follows == "repair"
    head, _ = follow(head, ended(Reason.LISTS_DIFFER, verification="report", findings=(SHORT,)), export)
    assert head.lists_suspect  # a report mends nothing
    head, follows = follow(head, ended(Reason.LISTS_DIFFER, verification="repair", findings=(SHORT,)), export)
    assert (head.lists_suspect, follows) == (False, "run")
    assert follow(head, ended(trigger="repair"), export)[1] is None


def test_a_run_that_repairs_is_followed_by_nothing() -> None:
    assert follow(Head(unverified=9), ended(trigger="repair"), an_export(1))[1] is None


def test_what_is_owed_stays_owed_when_somebody_starts_another_run_first() -> None:
    export = an_export()
    for owed in ("report", "repair", "run"):
        assert follow(Head(pending_follow_up=owed), ended(Reason.CANCELED_BY_USER), export)[1] == owed
        assert follow(Head(pending_follow_up=owed), ended(), export)[1] == owed


def test_a_look_at_the_lists_pays_for_a_look_that_is_owed() -> None:
    export = an_export()
    equal = ended(Reason.LISTS_EQUAL, verification="report", findings=(EQUAL,))
    short = ended(Reason.LISTS_DIFFER, verification="report", findings=(SHORT,))
    assert [follow(Head(pending_follow_up=owed), equal, export)[1] for owed in ("report", "repair", "run")] == [
        None,
        None,
        "run",
    ]
    assert [follow(Head(pending_follow_up=owed), short, export)[1] for owed in ("report", "repair", "run")] == [
        None,
        "repair",
        "run",
    ]


def test_a_stopped_run_whose_lists_fell_short_leaves_a_doubt_and_starts_nothing() -> None:
    head, follows = follow(Head(), ended(Reason.CANCELED_BY_USER, short=True), an_export())
    assert (head.lists_suspect, follows) == (True, None)
    assert follow(head, ended(), an_export())[1] == "repair"


def test_a_verification_that_settled_a_doubt_is_followed_by_a_run_though_the_lists_are_equal() -> None:
    """Whom it found on a list, and the segment has no more, leaves with that run, not with the next refresh."""
    equal = ended(Reason.LISTS_EQUAL, verification="repair", findings=(EQUAL,))
    assert what_follows(equal, Head(), an_export(0), corrected=True) == "run"
    assert what_follows(equal, Head(), an_export(0), corrected=False) is None
