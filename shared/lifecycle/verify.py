"""Verify: what was read back compared with the state, and the state corrected if the run is to repair."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from shared.cleaning.clean import Recipe, clean_batch
from shared.cleaning.notation import Notations
from shared.composition.app import App
from shared.lifecycle.liveness import Heartbeat
from shared.lifecycle.segments import open_refresh, recipe_of
from shared.reasons.errors import ExportError
from shared.runs.counts import Findings
from shared.runs.entry import Entry
from shared.runs.files import load_state
from shared.runs.run import Run
from shared.sources.source import SourceSegment
from shared.state.digests import DigestKey
from shared.state.recognition import recognise_members
from shared.state.state import State
from shared.verification.comparison import (
    OBSERVED,
    Comparison,
    ListComparison,
    compared_fields,
    correct,
    expect,
)
from shared.verification.observed import ObservedList, load_observed_list


@dataclass(frozen=True, slots=True)
class Verified:
    """What a verification found, a list each; the state as it should be, if that is to be repaired; and what was left out."""

    findings: tuple[Findings, ...]
    corrected: State | None
    detail: str = ""


def compare_lists(app: App, run: Run, entries: Sequence[Entry]) -> Verified:
    """Compare the lists that a run read back with the state.

    Raise Damaged for a table of what was read back, and ExportError for a state, that is missing or cannot be read.
    """
    head = app.ledger.head(run.export)
    state = load_state(app.storage, run.export, *head.state_before(str(run.connection), run.account))
    empty = pl.DataFrame(schema=OBSERVED)
    lists = [load_observed_list(app.storage, entries, index, empty) for index in range(len(run.targets))]
    state = recognise_members(state, [found.members for found in lists])
    ids = [found.list_id or found.gone for found in lists]
    known = state.on_lists(ids)

    def begun() -> list[ListComparison]:
        return [ListComparison(known, index, found.members) for index, found in enumerate(lists)]

    comparisons, detail = begun(), ""
    try:
        comparisons = _values_compared(app, run, begun)
    except ExportError as end:
        detail = f"Values were not compared. {end.detail or end.reason.advice}"
    results = [comparison.result() for comparison in comparisons]
    findings = tuple(
        _findings(target.list, found, result) for target, found, result in zip(run.targets, lists, results, strict=True)
    )
    if run.verification != "repair" or (all(finding.is_equal for finding in findings) and not state.is_in_doubt):
        return Verified(findings, None, detail)
    drifted = pl.concat([result.drifted for result in results])
    return Verified(findings, correct(state, ids, [found.members for found in lists], drifted), detail)


def _values_compared(app: App, run: Run, begun: Callable[[], list[ListComparison]]) -> list[ListComparison]:
    """Compare what was read back with the segments' rows; raise ExportError if they cannot be read.

    Read again, with fresh comparisons, where the end of a column shows that it is written otherwise than it seemed.
    """
    found = app.registry.export(run.export)
    if found is None:
        return begun()
    recipe = recipe_of(app, found[0])
    names = [target.segment for target in run.targets]
    refresh = open_refresh(app, names, recipe.address, Heartbeat(app, run))
    notations = Notations(recipe.date_order)
    comparisons = _looked_at(refresh.segments, begun(), recipe, notations, app.digest_key())
    if not notations.settle():
        comparisons = _looked_at(refresh.segments, begun(), recipe, notations, app.digest_key())
    refresh.check_unchanged()
    return comparisons


def _looked_at(
    segments: Sequence[SourceSegment],
    comparisons: list[ListComparison],
    recipe: Recipe,
    notations: Notations,
    key: DigestKey,
) -> list[ListComparison]:
    for segment, comparison in zip(segments, comparisons, strict=True):
        known = notations.under(segment.declared)
        for batch in segment.read(recipe.columns):
            contacts = clean_batch(batch, recipe, known).contacts
            comparison.look_at(expect(contacts, compared_fields(recipe.mapping, recipe.fields), recipe.fields, key))
    return comparisons


def _findings(title: str, found: ObservedList, result: Comparison) -> Findings:
    return Findings(
        list=title,
        exists=bool(found.list_id),
        expected=result.expected,
        found=result.found,
        missing=result.missing.len(),
        extra=result.extra,
        drifted=result.drifted.len(),
    )
