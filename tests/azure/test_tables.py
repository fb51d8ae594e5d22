"""Records fit the table whatever they hold: Azure, and Azurite with it, takes 32,768 characters of a property."""

from __future__ import annotations

import pytest

from shared.azure.tables import Change, Lost
from shared.composition.app import App
from shared.exports.configuration import ExportSettings, SegmentTarget
from shared.runs.head import Head
from shared.runs.run import Run
from tests.runs.lives import planned

LETTERS = ["я", "👩", "\\", '"', "e\u0301"]


@pytest.mark.parametrize("letter", LETTERS)
def test_a_run_of_as_many_segments_with_as_long_names_as_can_be_saved_is_kept_as_it_is(
    timed: App, run: Run, letter: str
) -> None:
    names = [f"{n:03d}" + (letter * 200)[:197] for n in range(64)]
    targets = tuple(SegmentTarget(segment=name, list=name[::-1].strip()) for name in names)
    saved = ExportSettings(display_name="x", connection=None, mapping={"Email": "Email"}, segments=targets)
    timed.ledger.change(run.export, run.id, lambda run: planned(run, timed.now(), targets=saved.segments))
    assert timed.ledger.run(run.export, run.id).targets == targets
    assert timed.ledger.runs(run.export)[0].targets == targets
    timed.ledger.change(run.export, run.id, lambda _: planned(run, timed.now(), targets=targets[:1]))
    assert timed.ledger.run(run.export, run.id).targets == targets[:1]


@pytest.mark.parametrize("length", [0, 15_999, 16_000, 16_001, 32_000, 60_000])
def test_a_text_of_any_length_is_kept_as_it_is(timed: App, run: Run, length: int) -> None:
    text = "👩" * length
    timed.ledger.change(run.export, run.id, lambda run: run.unreachable(timed.now(), text))
    assert timed.ledger.run(run.export, run.id).detail == text


def test_a_change_of_what_is_gone_comes_too_late_alone_or_with_others_and_what_is_there_is_not_made_again(
    timed: App, run: Run
) -> None:
    table = timed.ledger._table
    found = table.get(run.export, "head", Head)
    assert found is not None
    head, etag = found
    with pytest.raises(Lost):
        table.write(run.export, [Change("head", head, None)])
    table.delete(run.export, ["head"])
    with pytest.raises(Lost):
        table.write(run.export, [Change("head", head, etag)])
    with pytest.raises(Lost):
        table.write(run.export, [Change("new", head, None), Change("head", head, etag)])
    assert table.get(run.export, "new", Head) is None
