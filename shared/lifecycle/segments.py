"""What a run of an export reads: its segments in one refresh of the source, what turns rows into contacts, whom it concerns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.cleaning.clean import Recipe
from shared.composition.app import App
from shared.delivery.destination import Destination
from shared.exports.configuration import Export
from shared.planning.survey import Scope
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.runs.rejected import rejected_customers
from shared.sources.source import SourceSegment


@dataclass(frozen=True, slots=True)
class Refresh:
    """Segments of one refresh of the source, told from another by its version."""

    version: str
    published_at: datetime | None
    segments: Sequence[SourceSegment]
    check_unchanged: Callable[[], None]
    """Raises ExportError SOURCE_NOT_SETTLED once another refresh is published, or rows of these segments are written again.

    Rows of two refreshes must not meet in one plan, so whoever has read the segments asks it before anything comes of them.
    """


def open_refresh(
    app: App, names: Sequence[str], address: str, beat: Callable[[], None] = lambda: None, *, quiet: float | None = None
) -> Refresh:
    """Find segments of the refresh that was published `quiet` seconds ago or more (by the settings, if not given).

    `address` is the column mapped to Email. Raises ExportError.
    """
    catalogue = app.source.catalogue()
    tables = [catalogue.table(name) for name in names]
    seconds = app.settings.settle_seconds if quiet is None else quiet
    rows = app.source.verify_settled(catalogue, names, now=app.now(), quiet=timedelta(seconds=seconds))

    def check_unchanged() -> None:
        try:
            changed = app.source.verify_settled(catalogue, names, now=app.now(), quiet=timedelta.min) != rows
        except ExportError as end:
            if end.may_pass:
                raise
            changed = True  # what was there a moment ago is there no more
        if changed:
            raise ExportError(Reason.SOURCE_NOT_SETTLED, "The segments were written again while they were read.")

    segments = [SourceSegment(app.source, table, address, beat, check_unchanged) for table in tables]
    return Refresh(catalogue.version, catalogue.modified_at, segments, check_unchanged)


def recipe_of(app: App, export: Export) -> Recipe:
    """Return how an export turns rows into contacts; raise ExportError if its mapping is of another kind of destination."""
    destination = app.destination(export.connection)
    if wrong := misfits(export.mapping, destination):
        raise ExportError(Reason.DOCUMENT_DAMAGED, f"The mapping does not fit {destination.title}: {wrong[0][1]}.")
    return Recipe(
        export.mapping,
        app.fields(export.connection, destination),
        clear_empty=export.clear_empty,
        on_bad_value=export.on_bad_value,
        resubscribe=export.resubscribe,
        date_order=export.date_order,
    )


def unlearned(app: App, export: Export) -> Sequence[str]:
    """Return the mapped fields of which only the account tells how a value is written, and nobody has asked it yet."""
    return app.fields(export.connection, app.destination(export.connection)).unlearned(export.mapping)


def misfits(mapping: Mapping[str, str], destination: Destination) -> list[tuple[str, str]]:
    """Return the fields of a mapping that the destination does not have, each with what to write instead.

    The field of the address is missing under the empty name.
    """
    found = []
    for name in mapping:
        try:
            destination.fields.check(name)
        except ValueError as wrong:
            found.append((name, str(wrong)))
    address = destination.fields.address
    if address not in mapping:
        found.append(("", f"mapping needs the field {address}: {destination.title} identifies a contact by it"))
    return found


def scope_of(app: App, export: Export, rejected_file: str | None = None) -> Scope:
    """Return whom a run of an export concerns: everybody, or those whose rows are in a rejected-rows file."""
    only = None if rejected_file is None else rejected_customers(app.storage, rejected_file)
    erased, perhaps_erased = app.tombstones.people_and_former()
    return Scope(
        remove_leavers=export.leavers == "remove",
        erased=erased,
        perhaps_erased=perhaps_erased,
        only=only,
        max_unread_percent=export.guards.max_unread_percent,
        even_suppressed=export.create_suppressed,
    )
