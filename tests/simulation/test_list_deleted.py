"""A list that somebody deletes while a run fills it: the run says so, and the one that follows puts everybody on the new one."""

from __future__ import annotations

from dataclasses import replace

from local.sandbox.knobs import Knobs
from shared.reasons.codes import Reason
from tests.simulation.story import Story
from tests.simulation.world import PLAIN

BY_MEMBERSHIPS = replace(PLAIN, knobs=Knobs(bulk_lists="ignored", contact_lists="ignored"))


def test_a_list_that_is_deleted_while_it_is_filled_is_named_and_filled_by_the_run_that_follows() -> None:
    told = Story(BY_MEMBERSHIPS)
    wrong = told.told(
        """
        somebody asks start
        A goes on
        A goes on
        somebody asks take VIP off everything by hand
        """
    )
    assert wrong == []
    runs = told.play.audience.ledger.runs("export", most=100)[::-1]
    assert (runs[0].reason, runs[1].trigger) == (Reason.LISTS_DIFFER, "repair")
    assert "deleted" in runs[0].detail
    assert runs[1].counts.joiners > 0
