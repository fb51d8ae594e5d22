"""Any bytes as model.json: a catalogue, or a run that ends with the source's reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.sources.blob_export.model import parse_model
from shared.sources.blob_export.tables import partitions_of
from shared.sources.source import Catalogue


def parse(text: bytes) -> Catalogue | ExportError:
    """Read a model; anything but a catalogue or the source's own reason is a fault of ours."""
    try:
        found = parse_model(text, container="ci", etag="e")
    except ExportError as end:
        assert end.reason is Reason.SOURCE_MALFORMED
        assert end.detail.isprintable()
        return end
    assert all(fault.isprintable() and "CUSTOMER_INSIGHTS_PATH" not in fault for fault in found.faults.values())
    assert not found.faults.keys() & found.tables.keys()
    return found


def model(*, location: object = "https://a/ci/VIP.csv", columns: object = (), **told: object) -> bytes:
    """Write a model with one table."""
    partition = {"location": location, "fileFormatSettings": told}
    entity = {"$type": "LocalEntity", "name": "VIP", "attributes": columns, "partitions": [partition]}
    return json.dumps({"entities": [entity]}).encode()


@given(st.binary())
@example(b"[" * 100_000)
@example(b'{"entities":' * 100_000)
@example(b'{"entities": [], "modifiedTime": ' + b"9" * 10_000 + b"}")
@example(b'{"entities": [], "modifiedTime": "9999-12-31T23:59:59-23:59"}')
@example("{}".encode("utf-16"))
@example(b"\xef\xbb\xbf" * 2)
@example(b'{"entities": [{"$type": "\\ud800", "name": "x"}]}')
def test_any_bytes_are_a_catalogue_or_malformed(text: bytes) -> None:
    parse(text)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=3)
)
_time = st.datetimes().map(str) | st.text(max_size=30) | _json
_url = st.one_of(
    st.from_regex(r"https?://[a-z\[\]:@]{0,9}/(ci|acct/ci|other)?/?[^\n]{0,20}", fullmatch=True), st.text(), _json
)
_told = st.fixed_dictionaries(
    {},
    optional={"columnHeaders": _json, "delimiter": st.text(max_size=2) | _json, "encoding": _json, "quoteStyle": _json},
)
_partition = st.fixed_dictionaries(
    {"location": _url}, optional={"refreshTime": _time, "fileFormatSettings": _told | _json}
)
_entity = st.fixed_dictionaries(
    {"$type": st.sampled_from(["LocalEntity", "localentity", "ReferenceEntity"]), "name": st.text(max_size=5)},
    optional={
        "attributes": st.lists(st.fixed_dictionaries({"name": st.text(max_size=5)}), max_size=3) | _json,
        "partitions": st.lists(_partition, max_size=3) | _json,
    },
)


@given(
    st.fixed_dictionaries(
        {"entities": st.lists(_entity, max_size=3)}, optional={"modifiedTime": _time, "annotations": _json}
    )
)
def test_anything_shaped_like_a_model_is_a_catalogue_or_malformed(content: dict[str, Any]) -> None:
    found = parse(json.dumps(content).encode())
    if isinstance(found, Catalogue):
        for table in found.tables.values():
            assert all(partition.path and ".." not in partition.path.split("/") for partition in partitions_of(table))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(model(location="https://[a/ci/VIP.csv"), "location", id="a location that is no URL"),
        pytest.param(model(location="https://a/ci/"), "'VIP'", id="a location that names no blob"),
        pytest.param(model(location="https://a/ci//"), "'VIP'", id="a location of slashes"),
        pytest.param(model(location="https://a/ci/%2e%2e/x"), "'VIP'", id="a location that climbs"),
        pytest.param(model(location=7), "location", id="a location that is a number"),
        pytest.param(model(delimiter="\n"), "delimiter", id="a line break parts fields"),
        pytest.param(model(delimiter="\r"), "delimiter", id="a carriage return parts fields"),
        pytest.param(model(delimiter='"'), "delimiter", id="a quote parts fields"),
        pytest.param(model(delimiter="é"), "delimiter", id="two bytes part fields"),
        pytest.param(model(delimiter="\0"), "delimiter", id="NUL parts fields"),
        pytest.param(model(delimiter=""), "delimiter", id="nothing parts fields"),
        pytest.param(model(delimiter="||"), "delimiter", id="two characters part fields"),
        pytest.param(model(columns=[{"name": "\0row"}]), "attributes.0.name", id="a name with NUL"),
        pytest.param(model(columns=[{"name": None}]), "attributes.0.name", id="no name"),
        pytest.param(model(columns="CustomerId"), "attributes", id="columns that are a text"),
        pytest.param(b'{"entities": {"0": {}}}', "entities", id="tables that are no list"),
        pytest.param(b"[" * 1_000_000, "recursion", id="a million brackets"),
    ],
)
def test_what_cannot_be_understood_is_named(text: bytes, said: str) -> None:
    found = parse(text)
    assert said in (found.detail if isinstance(found, ExportError) else found.faults["VIP"])


VIP = {
    "$type": "LocalEntity",
    "name": "VIP",
    "attributes": [{"name": "Email"}],
    "partitions": [{"location": "https://a/ci/VIP.csv"}],
}
OTHER = {**VIP, "partitions": [{"location": "https://a/ci/Other.csv"}]}
HALF = "\ud800"


def beside(other: str, more: str = "") -> Catalogue:
    """Read a model that has VIP, another table, and perhaps another member."""
    found = parse(f'{{"entities": [{json.dumps(VIP)}, {other}]{more}}}'.encode("utf-8", "surrogatepass"))
    assert isinstance(found, Catalogue)
    return found


@pytest.mark.parametrize("annotations", ["[" * 300 + "]" * 300, '{"a":' * 900 + "1" + "}" * 900, "9" * 5_000])
@pytest.mark.parametrize("place", ["a table", "the model", "a column"])
def test_what_is_odd_where_nobody_reads_harms_nothing(annotations: str, place: str) -> None:
    table = {"a table": f'"annotations": {annotations}, "attributes": []', "the model": '"attributes": []'}.get(
        place, f'"attributes": [{{"name": "x", "annotations": {annotations}}}]'
    )
    partitions = '"partitions": [{"location": "https://a/ci/Other.csv"}]'
    other = f'{{"$type": "LocalEntity", "name": "Other", {table}, {partitions}}}'
    found = beside(other, f', "annotations": {annotations}' if place == "the model" else "")
    assert set(found.tables) == {"VIP", "Other"}
    assert found.tables["VIP"].columns == ("Email",)


@pytest.mark.parametrize(
    "other",
    [
        {**OTHER, "name": f"Other {HALF}"},
        {**OTHER, "name": "Other", "attributes": [{"name": HALF}]},
        {**VIP, "name": "Other", "partitions": [{"location": f"https://a/ci/{HALF}.csv"}]},
        {**VIP, "$type": HALF},
    ],
    ids=["name", "column", "location", "type"],
)
def test_half_a_letter_in_another_table_harms_that_one_only(other: dict[str, Any]) -> None:
    found = beside(json.dumps({**other, "name": other["name"] if other["name"] != "VIP" else "Other"}))
    assert found.tables["VIP"].columns == ("Email",)
    for name in (*found.tables, *found.faults):
        name.encode()


@pytest.mark.parametrize("encoding", [HALF, "9" * 5_000])
def test_an_odd_setting_of_a_partition_is_no_default(encoding: str) -> None:
    told = {"location": "https://a/ci/O.csv", "fileFormatSettings": {"delimiter": encoding, "encoding": encoding}}
    found = beside(json.dumps({**VIP, "name": "Other", "partitions": [told]}))
    assert set(found.faults) == {"Other"}


def test_a_table_without_a_name_is_listed_as_one() -> None:
    found = beside(json.dumps({**VIP, "name": ""}))
    assert set(found.tables) == {"VIP"}
    assert set(found.faults) == {"table 2 of model.json"}
