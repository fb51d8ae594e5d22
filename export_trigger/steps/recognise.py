"""Recognise the people of a state that an older version of the app may have left, before anything is planned upon it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from shared.azure.storage import Conflict, Container
from shared.cleaning.clean import Recipe, clean_batch
from shared.cleaning.notation import Notations
from shared.composition.app import App
from shared.planning.survey import Rows
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError, TryLater
from shared.retry.policy import LOCKED
from shared.runs.files import load_state, state_path, write_state
from shared.state.digests import SCHEME
from shared.state.recognition import Unrecognised, is_settled, recognise
from shared.state.state import State

Left = tuple[str, str | None]
"""Under which connection, and by which run, a state was left; no run if none was."""


def load_known_state(app: App, export: str, left: Left, segments: Sequence[Rows], recipe: Recipe) -> State:
    """Return the state that a run left, everybody known by the digest that is made now. Nothing is stored.

    Where it does not say how its digests were made the segments are read, once more than they are for the plan. Raise
    ExportError STATE_LOST if it is missing, damaged, or nobody in it can be recognised.
    """
    return _recognised(app, load_state(app.storage, export, *left), export, left, segments, recipe)


def settle_state(app: App, export: str, left: Left, segments: Sequence[Rows], recipe: Recipe) -> State:
    """Return what `load_known_state` does, and store it in the former state's place; raise TryLater if that was changed."""
    state = load_state(app.storage, export, *left)
    if state.digests == SCHEME:
        return state
    path = state_path(export, left[0], str(left[1]))
    etag = app.storage.etag(Container.STATE, path)
    before = load_state(app.storage, export, *left)
    known = _recognised(app, before, export, left, segments, recipe)
    try:
        app.storage.put(Container.STATE, path, write_state(known), if_match=etag)
    except Conflict:
        raise TryLater(LOCKED.pause(), "somebody else is changing the state") from None
    return known


def _recognised(app: App, state: State, export: str, left: Left, segments: Sequence[Rows], recipe: Recipe) -> State:
    contacts = () if is_settled(state) else _contacts(segments, recipe)
    try:
        return recognise(state, contacts, app.digest_key())
    except Unrecognised:
        raise ExportError(
            Reason.STATE_LOST,
            f"Of state/{state_path(export, left[0], str(left[1]))}, which does not say how its digests were made, nobody "
            "is known: all of its people have left the segments, or their digests are of a kind that is not known.",
        ) from None


def _contacts(segments: Sequence[Rows], recipe: Recipe) -> Iterator[pl.DataFrame]:
    notations = Notations(recipe.date_order)
    for segment in segments:
        for rows in segment.read(recipe.columns):
            yield clean_batch(rows, recipe, notations.under(segment.declared)).contacts
