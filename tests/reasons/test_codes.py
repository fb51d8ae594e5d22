"""A run's sentence says what happened once, with numbers where they are known, and then what to do."""

from __future__ import annotations

import pytest

from shared.reasons.codes import Reason

DETAILS = {
    Reason.OVER_LIMIT: "The segments hold 2,708 profiles; the export allows 10.",
    Reason.EMPTY_SEGMENT: "Segment 'VIP' has no members.",
    Reason.MASS_REMOVAL: "9 of 10 members would be removed from 'VIP'; the guard allows 50%.",
}


@pytest.mark.parametrize(("reason", "detail"), DETAILS.items())
def test_what_a_guard_found_is_said_once(reason: Reason, detail: str) -> None:
    happened, _, rest = reason.advice.partition(". ")
    said = reason.advice_after(detail)
    assert said == f"{detail} {rest}"
    assert happened not in said
    assert "Nothing was sent" in said


@pytest.mark.parametrize("reason", Reason)
def test_every_advice_is_sentences_and_stands_behind_a_detail(reason: Reason) -> None:
    assert reason.advice.endswith(".")
    assert reason.advice_after("") == reason.advice
    assert reason.advice_after("It was so.").startswith("It was so. ")
