"""Members that `model.json` has twice: neither of the two counts, and only who uses the table is harmed."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.sources.blob_export.members import Repeated, repeated_members
from shared.sources.blob_export.model import parse_model
from shared.sources.source import Catalogue
from tests.sources.blob_export.cases import at, entity

VIP = json.dumps(entity("VIP", at("a.csv"), at("b.csv")))
OTHER = json.dumps(entity("Other", at("c.csv")))


def catalogue(text: str) -> Catalogue:
    return parse_model(text.encode(), container="ci", etag="e")


@pytest.mark.parametrize(
    ("old", "new", "member"),
    [
        ('"partitions":', '"partitions": [{"location": "https://a/ci/a.csv"}], "partitions":', "partitions"),
        ('"partitions":', '"p\\u0061rtitions": [], "partitions":', "partitions"),
        ('"attributes":', '"attributes": [{"name": "Email"}], "attributes":', "attributes"),
        ('"location":', '"location": "https://a/ci/x.csv", "location":', "location"),
        ('"dataType":', '"dataType": "double", "dataType":', "dataType"),
        ('"name": "VIP"', '"name": "VIP", "annotations": [{"name": 1, "name": "x", "": 2}]', "name"),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_a_table_with_a_member_twice_is_at_fault_and_no_other(old: str, new: str, member: str, first: bool) -> None:
    damaged = VIP.replace(old, new, 1)
    assert damaged != VIP
    tables = [damaged, OTHER] if first else [OTHER, damaged]
    found = catalogue(f'{{"entities": [{", ".join(tables)}]}}')
    assert list(found.tables) == ["Other"]
    assert found.faults == {
        "VIP": f"In model.json table 'VIP' has the member {member!r} twice. Run the Blob export again."
    }


@pytest.mark.parametrize("member", ["entities", "modifiedTime"])
def test_a_model_with_a_member_twice_is_not_read(member: str) -> None:
    with pytest.raises(ExportError, match=f"'{member}' twice") as caught:
        catalogue(f'{{"{member}": [], "entities": [{VIP}], "modifiedTime": "2026-08-24"}}')
    assert caught.value.reason is Reason.SOURCE_MALFORMED


def test_what_nobody_reads_may_be_there_twice() -> None:
    text = f'{{"x": 1, "x": 2, "pbi:mashup": {{"y": 1, "y": 2}}, "entities": [{VIP}, {OTHER}, 7]}}'
    assert sorted(catalogue(text).tables) == ["Other", "VIP"]


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.dictionaries(st.text(), _json), st.lists(_json, max_size=3))
def test_no_member_of_a_model_is_taken_for_another(more: dict[str, object], entities: list[object]) -> None:
    assert repeated_members(json.dumps({**more, "entities": entities}).encode()) == Repeated()
