"""What the simulation found in the app, each as the story in which it happened. All of them are mended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from local.sandbox.knobs import Knobs
from tests.simulation.story import tell
from tests.simulation.world import BULK, PLAIN, REFUSED, VERIFIED, World

FILLS_AT_THE_PROOF_ONLY = replace(BULK, knobs=Knobs(bulk_lists="until:2", contact_lists="ignored"))
"""An account whose bulk call fills lists as long as it is tried, and never again."""

ONE: World = replace(VERIFIED, versions=({"VIP": {"ann@example.com": "Ann"}},))
"""One person, and every run is followed by one that reads her list back."""

OTHERS: World = replace(BULK, versions=({"VIP": {"ann@example.com": "Ann"}}, {"VIP": {"bob@example.com": "Bob"}}))


def test_what_a_worker_sent_when_its_run_was_canceled_is_known_though_a_second_copy_came_first() -> None:
    """B had recorded the chunk as left undone, and A's receipts came second and were dropped."""
    story = """
        somebody asks start
        A goes on
        A goes on past POST /contact
        somebody asks cancel
        all messages come twice
        B goes on
        A goes on
    """
    assert tell(PLAIN, story) == []


def test_what_a_worker_sends_while_another_has_no_key_is_known() -> None:
    """B read the run before A began, and recorded the chunk as never begun; had again in chaos (seed 110256)."""
    story = """
        somebody asks start
        A goes on
        all messages come twice
        B goes on until GET secret key
        A goes on past POST /contacts
        A goes on past POST /contacts
        the key is lost
        B goes on
        the key is found
        A goes on
        the segments change
    """
    assert tell(OTHERS, story) == []


def test_what_a_proof_sent_when_its_run_was_canceled_is_known_though_a_second_copy_came_first() -> None:
    """The second copy could not be sent while the proof was going, and was recorded without an id of the contact."""
    story = """
        somebody asks start
        A goes on
        A goes on past POST /contacts
        A goes on past POST /contacts
        A goes on past POST /contact ann
        somebody asks cancel
        all messages come twice
        B goes on
        B goes on
        B goes on
        A goes on
    """
    assert tell(PLAIN, story) == []


def test_nothing_is_begun_of_a_run_that_ended_meanwhile() -> None:
    """B made the list while its run was canceled and ended, and then sent the proof (seed 1001735)."""
    story = """
        somebody asks start
        A goes on
        A goes on until POST /list
        somebody asks cancel
        all messages come twice
        B goes on
        B goes on
        A goes on
    """
    assert tell(VERIFIED, story) == []


def test_what_a_worker_sent_before_it_died_is_known_though_its_run_was_canceled() -> None:
    story = """
        somebody asks start
        A goes on
        the next PUT blob outcomes of A kills it before
        A goes on
        somebody asks cancel
    """
    assert tell(PLAIN, story) == []


def test_a_removal_that_was_done_when_its_worker_died_is_not_believed_undone() -> None:
    story = """
        somebody asks start
        A goes on
        A goes on
        the tick goes on
        the segments change
        the tick goes on
        A goes on
        A goes on
        A goes on past DELETE /list
        A dies
        somebody asks cancel
    """
    assert tell(OTHERS, story) == []


def test_a_second_copy_that_records_while_its_run_is_ended_does_nothing() -> None:
    """B read the run when all was delivered, and looked for the chunk's entry when that was forgotten (seed 2226)."""
    story = """
        somebody asks start
        A goes on
        all messages come twice
        A goes on past POST /contacts
        A goes on past POST /contacts
        A goes on past POST /contacts
        B goes on past POST /contact
        A goes on past WRITE ledger export create chunk-
        B goes on until GET ledger export chunk-
        A goes on
        B goes on
    """
    assert tell(ONE, story) == []


def test_a_canceled_run_is_confirmed_as_well() -> None:
    """Its bulk calls had filled no list, the state believed them, and nobody looked."""
    story = """
        somebody asks start
        A goes on
        A goes on
        somebody asks cancel
    """
    assert tell(FILLS_AT_THE_PROOF_ONLY, story) == []


@pytest.mark.parametrize("left_out", ["A goes on", "the next POST /contacts of A leaves a contact out\nA goes on"])
def test_whom_the_proof_put_on_a_list_is_known_to_be_there(left_out: str) -> None:
    """The bulk answer left her out, nothing was recorded of her, and she left the segment."""
    story = f"""
        somebody asks start
        A goes on
        A goes on past POST /contacts
        A goes on past POST /contacts
        {left_out}
        the segments change
    """
    assert tell(OTHERS, story) == []


def test_a_follow_up_is_not_started_twice() -> None:
    """It was read as owed, supervision played it to its end meanwhile, and it was started again."""
    story = """
        somebody asks start
        A goes on
        A goes on until WRITE ledger export create run
        supervision goes on
        B goes on
        B goes on
        B goes on
        A goes on
    """
    assert tell(ONE, story) == []


def test_a_follow_up_is_not_lost_to_a_run_that_somebody_starts_first() -> None:
    """The end of the run in between said that nothing was owed."""
    story = """
        somebody asks start
        A goes on
        A goes on until WRITE ledger export create run
        somebody asks start
        somebody asks cancel
        A goes on
    """
    assert tell(ONE, story) == []


def test_a_post_that_the_sdk_repeated_is_no_error() -> None:
    """The audit trail met its own row, and the API answered an error though the run was going."""
    story = """
        the next WRITE audit of user is repeated by the SDK
        somebody asks start
    """
    assert tell(PLAIN, story) == []


def test_a_contact_that_is_refused_when_the_proof_tries_it_does_not_end_the_run() -> None:
    """The first contact of the chunk was at fault, and every run ended as autopilot_refused."""
    world = replace(OTHERS, versions=({"VIP": {"poison@example.com": "Poison", "ann@example.com": "Ann"}},))
    assert tell(world, "somebody asks start") == []


def test_what_a_finisher_that_died_had_not_cleared_up_is_swept() -> None:
    """Nobody ever cleared: rejected rows and receipts lay there until a lifecycle rule."""
    story = """
        somebody asks start
        the next LIST blobs chunks of A kills it before
        A goes on
        A goes on
        A goes on
        A goes on
    """
    assert tell(PLAIN, story) == []


def test_what_a_planner_writes_that_comes_too_late_is_swept() -> None:
    """Chunks with profiles in clear: another planner was first, the run was delivered and over."""
    story = """
        somebody asks start
        A goes on until PUT blob chunks
        2 minutes pass
        supervision goes on
        B goes on
        B goes on
        B goes on
        B goes on
        the next WRITE ledger of A kills it before
        A goes on past PUT blob outcomes
        A dies
    """
    assert tell(PLAIN, story) == []


def test_an_erasure_that_was_out_of_breath_is_over_only_when_the_tick_has_taken_it_up_again() -> None:
    """Seed 423: paused when it was about to ask the account, it had no time left, and the books were read before it was taken up again."""
    story = """
        somebody asks start
        A goes on
        A goes on
        A goes on
        somebody begins to ask erase ann
        user goes on until GET accounts instance
        12 minutes pass
    """
    assert tell(REFUSED, story) == []


def test_an_erasure_whose_address_comes_too_late_is_answered_incomplete_and_asked_for_again() -> None:
    story = """
        somebody asks start
        A goes on
        A goes on
        A goes on
        somebody begins to ask erase ann
        user goes on until PUT blob erasures
        12 minutes pass
        the tick goes on
        user goes on
        somebody asks erase ann
    """
    assert tell(REFUSED, story) == []


def test_a_copy_of_a_chunk_that_comes_when_all_chunks_are_done_sends_nothing_and_fails_nothing() -> None:
    """Its worker met a run that was delivered and not ended yet, and raised what nobody catches."""
    story = """
        somebody asks start
        A goes on
        A goes on past GET blob chunks
        all messages come twice
        B goes on
        B goes on until lock-finish
        A goes on
    """
    assert tell(BULK, story) == []
