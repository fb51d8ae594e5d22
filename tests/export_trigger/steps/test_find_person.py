"""Who is looked for in a segment is looked for in one refresh of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import cast

import polars as pl
import pytest

from export_trigger.steps.find_person import find_person
from export_trigger.steps.standing import Known, Recorded, There, Why
from shared.composition.app import App
from shared.exports.configuration import Export, SegmentTarget
from shared.reasons.codes import Reason
from shared.sources.source import CANDIDATES, MALFORMED, ROW, WEIGHT, Catalogue, Table
from shared.state.digests import DigestKey
from tests.cleaning.recipes import recipe_for
from tests.sources.memory_source import MemorySource

NOW = datetime(2026, 11, 30, tzinfo=UTC)
ANN = "ann@example.com"


@dataclass
class Rewritten(MemorySource):
    """A source whose rows are written again between each two looks, or never; its catalogue stays as it is."""

    looks: Iterable[int] = field(default_factory=count)

    def verify_settled(self, catalogue: Catalogue, names: Iterable[str], *, now: datetime, quiet: timedelta) -> str:
        super().verify_settled(catalogue, names, now=now, quiet=quiet)
        return str(next(iter(self.looks)))


@pytest.mark.parametrize(("looks", "reason"), [(count(), Reason.SOURCE_NOT_SETTLED), ([7], None)])
def test_a_segment_that_was_written_again_meanwhile_is_said_to_be(looks: Iterable[int], reason: Reason | None) -> None:
    source = Rewritten(looks=looks)
    source.publish({"Team": pl.DataFrame({"person": ["k1"], "Email": [ANN]})}, NOW)
    app = cast("App", SimpleNamespace(source=source, settings=SimpleNamespace(settle_seconds=60), now=lambda: NOW))
    found = find_person(app, ["Team"], recipe_for({"Email": "Email"}), DigestKey(b"k" * 32), ANN, None)
    (looked,) = found.segments
    assert (looked.fault and looked.fault.reason) == reason
    assert bool(looked.rows) == (found.contact is not None) == (reason is None)


BEN = "ben@example.com"
MANY = [(f"n{n}", f"n{n}@example.com") for n in range(2_000)]
People = list[tuple[str | None, str | None]]


@dataclass
class Traced(Rewritten):
    """A source that tells what may stand in its torn rows: what is in them."""

    def read(self, table: Table, columns: Sequence[str], address: str | None = None) -> Iterator[pl.DataFrame]:
        words = self.tables[table.name].select(pl.concat_list("person", "Email").alias(CANDIDATES)).to_series()
        for batch in super().read(table, columns, address):
            traces = (pl.lit(1, pl.UInt32).alias(WEIGHT), pl.lit(words.gather(batch[ROW])).alias(CANDIDATES))
            yield batch.with_columns(pl.when(MALFORMED).then(trace) for trace in traces)


def why(people: People, torn: set[int], customer: str | None = None) -> Why:
    """Return why Ben, who was delivered and has no row, is on the list of a segment of these people."""
    key = DigestKey(b"k" * 32)
    source = Traced(looks=[7], torn={"Team": torn})
    source.publish({"Team": pl.DataFrame(people, {"person": pl.String, "Email": pl.String}, orient="row")}, NOW)
    app = cast("App", SimpleNamespace(source=source, settings=SimpleNamespace(settle_seconds=60), now=lambda: NOW))
    known_as = None if customer is None else int(key.of_customers(pl.Series([customer]))[0])
    found = find_person(app, ["Team"], recipe_for({"Email": "Email"}), key, BEN, known_as)
    export = Export(
        display_name="Team",
        connection="main",
        mapping={"Email": "Email"},
        segments=(SegmentTarget(segment="Team", list="Team"),),
        created_at=NOW,
        updated_at=NOW,
        updated_by="somebody",
    )
    recorded = Recorded("r", "person_1", known_as, None, frozenset({"l-1"}), frozenset())
    known = Known(None, recorded, There(exists=True))
    return known.on_list(export, export.segments[0], found.segments[0], "l-1").why


@pytest.mark.parametrize(
    ("people", "torn", "customer", "told"),
    [
        ([("k1", ANN)], set(), None, Why.LEAVES),
        ([("k1", ANN), ("k2", "cid@example.com")], {1}, None, Why.PERHAPS),  # one of two: it may be anybody's
        ([("k1", ANN), (None, None)], set(), None, Why.PERHAPS),  # nor does this one say whose it is
        ([*MANY, ("k2", "cid@example.com")], {2_000}, None, Why.LEAVES),  # one of many, and it names others
        ([*MANY, ("k2", BEN)], {2_000}, None, Why.PERHAPS),
        ([*MANY, ("k9", "of another")], {2_000}, "k9", Why.PERHAPS),
        ([("k1", ANN), ("k1", "cid@example.com")], set(), None, Why.PERHAPS),  # a key twice: one row was another's
        ([("k1", ANN), ("k3", "cid@example.com")], set(), None, Why.LEAVES),
    ],
)
def test_who_may_be_in_a_row_in_doubt_is_not_said_to_leave(
    people: People, torn: set[int], customer: str | None, told: Why
) -> None:
    assert why(people, torn, customer) is told
