"""Titles of lists: two that nobody can tell apart make one list knowingly, or are refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from shared.exports.configuration import Export, ExportSettings
from shared.exports.titles import alike, fold

TWINS = [("VIP", "vip"), ("Caf\u00e9", "Cafe\u0301"), ("STRASSE", "straße"), ("ΣΑΣ", "σας")]


@pytest.mark.parametrize(("one", "other"), TWINS)
def test_lists_that_look_the_same_are_refused_within_one_export(one: str, other: str) -> None:
    with pytest.raises(
        ValidationError, match="may be one list at the destination; give one of the segments another list"
    ):
        ExportSettings(display_name="x", connection="main", mapping={"Email": "E"}, segments=(one, other))  # type: ignore[arg-type]
    apart = ({"segment": one, "list": "One"}, {"segment": other, "list": "Other"})
    ExportSettings(display_name="x", connection="main", mapping={"Email": "E"}, segments=apart)  # type: ignore[arg-type]


def test_what_was_saved_before_is_still_read() -> None:
    stored = {
        "display_name": "x",
        "connection": "main",
        "mapping": {"Email": "E"},
        "segments": [{"segment": "VIP", "list": "VIP"}, {"segment": "vip", "list": "vip"}],
        "created_at": "2026-11-01T00:00:00Z",
        "updated_at": "2026-11-01T00:00:00Z",
        "updated_by": "me",
    }
    assert len(Export.model_validate(stored).segments) == 2


def test_titles_that_differ_are_told_apart() -> None:
    assert alike(["VIP", "VIP 2", "Vips"]) is None
    assert fold("Müller") != fold("Muller")
