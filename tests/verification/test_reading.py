"""What a verification asks for and brings back: by the list's own number, also where an older version only named the chunk."""

from __future__ import annotations

import json
import secrets

import polars as pl
import pytest

from shared.azure.storage import Container
from shared.composition.app import App
from shared.delivery.chunks import UnreadableChunk
from shared.runs.entry import Entry
from shared.runs.files import Damaged
from shared.verification.comparison import OBSERVED
from shared.verification.observed import ObservedList, load_observed_list
from shared.verification.reading import ListReading, decode_reading, encode_reading, first_readings

EMPTY = pl.DataFrame(schema=OBSERVED)


def members(*people: int) -> pl.DataFrame:
    return pl.DataFrame({"person": people, "contact_id": [f"c{person}" for person in people]}, schema=OBSERVED)


def kept(app: App, part: ObservedList, chunk: str, *, numbered: bool = True) -> Entry:
    """Return the entry of a chunk whose part of a list is stored."""
    name = f"e/{secrets.token_hex(4)}.parquet"
    app.storage.put(Container.OUTCOMES, name, part.write())
    return Entry(chunk=chunk, result=name, list_index=part.list_index if numbered else None)


def test_each_list_is_asked_for_by_its_number_and_the_id_that_it_has_or_had() -> None:
    readings = first_readings(["l-1", ""], [None, "l-2"], ["FirstName"])
    assert [(item.list_index, item.list, item.gone) for item in readings] == [(0, "l-1", None), (1, "", "l-2")]
    assert [decode_reading(encode_reading(item)) for item in readings] == readings


def test_what_an_older_version_asked_for_is_read() -> None:
    stored = {"list": "l-1", "fields": ["City"], "bookmark": "b", "pages": 2, "contacts": 9, "total": 12, "gone": None}
    assert decode_reading(json.dumps(stored).encode()) == ListReading("l-1", ("City",), "b", 2, 9, 12, None, None)


@pytest.mark.parametrize("chunk", [b"", b"[]", b"{}", b'{"list":7,"fields":[]}', b'{"list":"l","fields":null}'])
def test_what_asks_for_no_list_is_unreadable(chunk: bytes) -> None:
    with pytest.raises(UnreadableChunk):
        decode_reading(chunk)


@pytest.mark.parametrize("numbered", [True, False])
def test_the_parts_of_a_list_are_put_together_whoever_recorded_them(app: App, numbered: bool) -> None:
    entries = [
        kept(app, ObservedList(0, "l-1", "", members(1)), "000001", numbered=numbered),
        kept(app, ObservedList(1, "l-2", "", members(7)), "000002", numbered=numbered),
        kept(app, ObservedList(0, "l-1", "", members(2, 3)), "000001-1-ab", numbered=numbered),
        Entry(chunk="000003"),
    ]
    found = [load_observed_list(app.storage, entries, index, EMPTY) for index in range(3)]
    assert [(item.list_id, item.gone) for item in found] == [("l-1", ""), ("l-2", ""), ("", "")]
    assert [item.members["person"].to_list() for item in found] == [[1, 2, 3], [7], []]


def test_a_list_that_goes_while_it_is_read_does_not_exist(app: App) -> None:
    entries = [
        kept(app, ObservedList(0, "l-1", "", members(1)), "000001"),
        kept(app, ObservedList(0, "", "l-1", EMPTY), "000001-1-ab"),
    ]
    found = load_observed_list(app.storage, entries, 0, EMPTY)
    assert (found.list_id, found.gone, found.members.height) == ("", "l-1", 0)


def test_a_part_that_is_missing_is_named(app: App) -> None:
    with pytest.raises(Damaged, match=r"outcomes/e/lost\.parquet is missing"):
        load_observed_list(app.storage, [Entry(chunk="000001", result="e/lost.parquet")], 0, EMPTY)
