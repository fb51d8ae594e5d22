"""The law of the source: however a table is published, its people are read, or counted as unread, or the run ends by name.

Nobody is missing without a malformed row that may be theirs, no value is another one or empty, and nothing but the source's
own reasons is raised. So a run of an export that has delivered everybody never removes or erases anything.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Final

import polars as pl
import pytest
from azure.storage.blob import ContentSettings

import shared.planning.survey
import shared.sources.blob_export.partition
from local.azurite import Azurite
from shared.delivery.chunks import decode
from shared.planning.plan import chunks, plan
from shared.planning.spool import Spool
from shared.planning.survey import Scope
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.sources.blob_export.customer_insights import CustomerInsights
from shared.sources.source import MALFORMED, SourceSegment
from shared.state.digests import DigestKey
from shared.state.state import Receipt, State, merge, tabulate
from tests.cleaning.recipes import recipe_for
from tests.sources.blob_export.export import Source
from tests.sources.blob_export.memory import source_of
from tests.sources.blob_export.publications import people_of, publication, publish
from tests.sources.blob_export.ways import DOUBTFUL, Way

WANTED: Final = ("CustomerId", "FirstName", "Email")


NAMED: Final = {Reason.SOURCE_MALFORMED, Reason.COLUMN_MISSING, Reason.EMAIL_COLUMN_MISSING}


Found = tuple[str | None, ...]


def read(source: CustomerInsights) -> tuple[list[Found], int] | ExportError:
    """Return the sound rows and the number of malformed ones, or how the run would end."""
    try:
        table = source.catalogue().table("VIP")
        batches = list(source.read(table, WANTED, "Email"))
    except ExportError as end:
        return end
    found = (
        pl.concat(batches)
        if batches
        else pl.DataFrame(schema={MALFORMED: pl.Boolean, **dict.fromkeys(WANTED, pl.String)})
    )
    return found.filter(~pl.col(MALFORMED)).select(WANTED).rows(), int(found[MALFORMED].sum())


def seeds(count: int) -> Iterator[int]:
    """Draw seeds of publications, the same each time; a publication is made of its seed alone, so nothing can be shrunk."""
    draw = random.Random(0)
    return (draw.randrange(1 << 60) for _ in range(count))


def judge(seed: int, source: CustomerInsights | None = None) -> str:
    """Read a publication and hold the outcome against the law; say how it ended."""
    published = publication(seed)
    blobs = publish(published.parts)
    outcome = read(source or source_of(blobs))
    good: Counter[Found] = Counter((row[0], row[1] or None, row[3]) for row in published.rows)
    plain = published.harmless and not published.seems_unwritten and not published.seems_cut_off
    plain = plain and not any(row[1] in DOUBTFUL for row in published.rows)
    if isinstance(outcome, ExportError):
        assert not plain, (seed, published, outcome)
        assert outcome.reason in NAMED, (seed, published, outcome)
        assert "VIP" in outcome.detail, (seed, published, outcome)
        assert not any(row[3] in outcome.detail for row in published.rows)
        return "refused"
    found, malformed = [tuple(cell and cell.strip() for cell in row) for row in outcome[0]], outcome[1]
    people: Counter[Found] = Counter(row for row in found if "@" in str(row[2]))  # others are nobody's
    assert not people - good, (seed, published, people - good)
    assert malformed >= (good - people).total(), (seed, published, good - people)
    assert people == good or not plain, (seed, published)
    return "read" if people == good else "counted"


@pytest.fixture
def without_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (shared.sources.blob_export.partition, shared.planning.survey):
        monkeypatch.setattr(module, "in_order", lambda work, items: map(work, items))


@pytest.mark.usefixtures("without_threads")
def test_however_a_table_is_published_its_people_are_read_or_counted_or_the_run_ends_by_name() -> None:
    ends = Counter(map(judge, seeds(10_000)))
    assert min(ends["read"], ends["counted"], ends["refused"]) > 100, ends


KEY: Final = DigestKey(b"k" * 32)


RECIPE: Final = recipe_for({"Email": "Email", "FirstName": "FirstName"}, clear_empty=True)


LIST: Final = "contactlist_1"


def plan_of(source: CustomerInsights, state: State) -> tuple[bytes, ...]:
    """Plan a run and return its chunks."""
    segment = SourceSegment(source, source.catalogue().table("VIP"), "Email")
    with Spool() as spool:
        found = plan([segment], RECIPE, KEY, state, [LIST], Scope(remove_leavers=True), spool)
        return tuple(chunks(found))


def delivered(source: CustomerInsights) -> State:
    """Return the state after everything that a source says was delivered."""
    receipts = [
        Receipt(operation.person, f"person_{operation.person}", operation.content, added=(LIST,))
        for chunk in plan_of(source, State.empty())
        for operation in decode(chunk)
    ]
    return merge(State.empty(), tabulate(receipts, [LIST]), [LIST])


@pytest.mark.usefixtures("without_threads")
def test_nobody_is_removed_and_nothing_erased_however_a_table_is_published_again() -> None:
    planned: Counter[str] = Counter()

    drawn = seeds(700)
    for rows in map(people_of, range(140)):
        state = delivered(source_of(publish([(rows, Way())])))
        assert state.people.height == len(rows)
        for seed in islice(drawn, 5):
            published = publication(seed, rows)
            try:
                work = plan_of(source_of(publish(published.parts)), state)
            except ExportError as end:
                planned[end.reason] += 1
                continue
            assert not work, (seed, published, work)
            planned["nothing to do"] += 1
    assert planned.total() == 700
    assert planned.keys() <= {*NAMED, "nothing to do"}
    assert planned["nothing to do"] > 50


@pytest.mark.parametrize("seed", range(12))
def test_the_law_holds_through_real_storage(azurite: Azurite, seed: int) -> None:
    source = Source(azurite)
    try:
        for path, blob in publish(publication(seed).parts).items():
            text = blob.data.replace(b"/ci/", f"/{source.name}/".encode()) if path.endswith(".json") else blob.data
            encoded = ContentSettings(content_encoding=blob.encoding)
            source.container.upload_blob(path, text, content_settings=encoded)
        judge(seed, source.reader)
    finally:
        source.service.close()
