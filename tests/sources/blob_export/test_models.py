"""`model.json`: what cannot be understood of it harms only those that use it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any, cast

import pytest

from export_trigger.http.access import Caller, Role
from export_trigger.http.mapping import count_members
from export_trigger.http.request import Call
from export_trigger.http.source import list_segments
from export_trigger.http.views import SegmentPage
from shared.composition.app import App
from shared.exports.configuration import ExportSettings
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.sources.counts import Members
from shared.sources.source import Table
from tests.sources.blob_export.cases import BODY, PEOPLE, VIP, at, blobs, entity, people, refusal
from tests.sources.blob_export.memory import Blob, source_of

FAULTS = [
    pytest.param(entity("Bad", at("x.csv"), at("x.csv")), "names a file of table 'Bad' twice", id="a file twice"),
    pytest.param(entity("Bad", {"name": "p"}), "Partition 1 of table 'Bad' has no location", id="no location"),
    pytest.param(
        entity("Bad", {"name": "p", "location": None}), "Partition 1 of table 'Bad' has no location", id="null location"
    ),
    pytest.param(entity("Bad"), "names no file of table 'Bad'", id="no partition"),
    pytest.param(
        entity("Bad", {"location": "https://a/orders/x.csv"}), "outside the container 'ci'", id="another container"
    ),
    pytest.param({"name": "Bad", "attributes": [], "partitions": [at("x.csv")]}, "$type", id="no type"),
    pytest.param(
        entity("Bad", at("x.csv", encoding="Windows-1252")), "'Windows-1252', and only UTF-8", id="another encoding"
    ),
    pytest.param(
        entity("Bad", at("x.csv", **{"$type": "ParquetFormatSettings"})), "only CSV files", id="another format"
    ),
    pytest.param(entity("Bad", at("x.csv", quoteStyle="Fancy")), "a quote style is", id="another quote style"),
    pytest.param(
        entity("Bad", at("x.csv?snapshot=1%26comp%3Dacl")), "snapshot that is no time", id="a snapshot that is none"
    ),
    pytest.param(entity("Bad", at("x" * 60_000)), "can be no blob", id="a path of 60 kB"),
    pytest.param(entity("Bad", at("x.csv"), columns=["x" * 5_000]), "attributes.0.name", id="a column's long name"),
    pytest.param(
        entity("Bad", at("x.csv"), columns=[f"c{n}" for n in range(4_207)]), "attributes", id="too many columns"
    ),
    pytest.param(entity("Bad", *[at(f"{n}.csv") for n in range(10_001)]), "partitions", id="too many partitions"),
    pytest.param(
        entity("Bad", at("Bad/2026/08/24/1433/Bad_1.csv"), at("Bad/2026/08/24/1434/Bad_2.csv")),
        "folders of different times",
        id="a snapshot in two folders",
    ),
]


@pytest.mark.parametrize(("bad", "said"), FAULTS)
def test_a_table_that_cannot_be_understood_harms_only_those_that_use_it(bad: dict[str, Any], said: str) -> None:
    found = blobs(VIP, bad, b=BODY.encode())
    assert people(found) == PEOPLE
    listed = segments(found)
    assert (listed["VIP"]["members"], listed["VIP"]["eligible"], listed["VIP"]["why_not"]) == (10, True, None)
    assert (listed["Bad"]["members"], listed["Bad"]["eligible"]) == (None, False)
    assert said in listed["Bad"]["why_not"]
    with pytest.raises(ExportError) as caught:
        source_of(found).catalogue().table("Bad")
    assert caught.value.reason is Reason.SOURCE_MALFORMED
    assert "CUSTOMER_INSIGHTS_PATH" not in caught.value.detail


def test_a_table_without_a_name_is_called_by_its_place() -> None:
    found = blobs(VIP, {"$type": "LocalEntity", "partitions": [at("x.csv")]}, b=BODY.encode())
    faults = source_of(found).catalogue().faults
    assert list(faults) == ["table 2 of model.json"]
    assert "In model.json table 'table 2 of model.json' cannot be understood at name" in faults["table 2 of model.json"]


def test_a_table_named_twice_is_neither_of_the_two() -> None:
    end = refusal(blobs(VIP, VIP, b=BODY.encode()))
    assert (end.reason, "names table 'VIP' 2 times" in end.detail) == (Reason.SOURCE_MALFORMED, True)


def test_each_segment_answers_for_itself_when_a_file_is_gone() -> None:
    found = blobs(VIP, entity("Old", at("Export/Old/gone.csv")), b=BODY.encode())
    listed = segments(found)
    assert listed["VIP"]["members"] == 10
    assert listed["Old"]["members"] is None
    assert "Export/Old/gone.csv does not exist" in listed["Old"]["not_counted"]
    settings = ExportSettings.model_validate(
        {"display_name": "x", "connection": None, "mapping": {"Email": "Email"}, "segments": ["VIP", "Old"]}
    )
    app = app_of(found)
    members, warnings = count_members(app, app.source.catalogue(), settings)
    assert members == {"VIP": 10, "Old": None}
    assert ["The members of segment 'Old' could not be counted" in text for text in warnings] == [True]


def app_of(found: Mapping[str, Blob]) -> App:
    """Return what of an app reads the source."""
    source = source_of(found)

    def of(tables: Sequence[Table], seconds: float) -> dict[str, Members]:
        return {table.name: members(table) for table in tables}

    def members(table: Table) -> Members:
        try:
            return Members(rows=sum(batch.height for batch in source.read(table, ["CustomerId"])), why="")
        except ExportError as end:
            return Members(rows=None, why=end.detail)

    return cast("App", SimpleNamespace(source=source, counts=SimpleNamespace(of=of)))


def segments(found: Mapping[str, Blob]) -> dict[str, dict[str, Any]]:
    """Return what GET /segments says, by name."""
    app = app_of(found)
    answer = list_segments(app, Call({}, {}, {}, b"", Caller("test", Role.VIEWER)))
    assert answer.status == HTTPStatus.OK
    return {item["name"]: item for item in cast("SegmentPage", answer.body).model_dump(mode="json")["items"]}


def test_a_model_larger_than_it_can_be_is_not_loaded() -> None:
    with pytest.raises(ExportError, match="more than 16,777,216 bytes"):
        source_of({"Export/model.json": Blob(b" " * ((1 << 24) + 1))}).catalogue()
