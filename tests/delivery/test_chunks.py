"""Chunks as they are read back: what a plan wrote, or nothing; no parser's error that quotes a person."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.delivery.chunks import MOST_OPERATIONS, Operation, UnreadableChunk, check_addresses, decode, encode

ANNA = Operation(7, "c1", 0, None, 5, True, (0, 2), (1,), {"Email": "anna@example.com", "custom": {"string--A": "b"}})
LEAVER = Operation(8, None, None, "person_8", None, False, (), (0,), None)


def altered(**fields: Any) -> bytes:
    line = json.loads(encode([ANNA]))
    return (json.dumps({**line, **fields}) + "\n").encode()


def test_a_chunk_is_read_as_it_was_written() -> None:
    assert decode(encode([ANNA, LEAVER])) == (ANNA, LEAVER)


@pytest.mark.parametrize(
    "fields",
    [
        {"add": None},
        {"add": -1},
        {"add": True},
        {"add": 1 << 64},
        {"remove": "1"},
        {"person": None},
        {"person": "anna@example.com"},
        {"person": str(1 << 127)},
        {"content": 1.5},
        {"content": 1 << 63},
        {"upsert": 1},
        {"upsert": False, "add": 0, "remove": 0},
        {"fields": None},
        {"fields": []},
        {"fields": {"Email": "a@example.com", "custom": {"a": {"b": {}}}}},
        {"customer": 5},
        {"segment": 64},
        {"contact_id": {}},
        {"tries": -1},
    ],
)
def test_an_operation_that_no_plan_writes_makes_its_chunk_unreadable(fields: dict[str, Any]) -> None:
    with pytest.raises(UnreadableChunk) as refused:
        decode(altered(**fields))
    assert "anna" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("fields", [{"Email": None}, {"Email": ""}, {"Email": 5}, {"FirstName": "Anna"}])
def test_a_contact_without_an_address_is_never_sent(fields: dict[str, Any]) -> None:
    check_addresses([ANNA, LEAVER], "Email")
    with pytest.raises(UnreadableChunk):
        check_addresses(decode(altered(fields=fields)), "Email")


@pytest.mark.parametrize(
    "chunk",
    [
        b"",
        b"\n",
        b"{}\n",
        b"null\n",
        encode([ANNA])[:-1],
        encode([ANNA])[:-20],
        encode([ANNA]).replace(b'"content":5', b'"content":1e999'),
        encode([ANNA]).replace(b'"string--A":"b"', b'"string--A":1e999'),
        encode([ANNA]).replace(b'"string--A":"b"', b'"string--A":NaN'),
        b"[" * 100_000 + b"\n",
        b'{"person":' * 50_000 + b"\n",
        b"\xff\xfe\n",
        encode([ANNA]) * (MOST_OPERATIONS + 1),
    ],
    ids=[
        "empty",
        "blank",
        "object",
        "null",
        "no end",
        "cut",
        "huge",
        "huge value",
        "nan",
        "deep",
        "deeper",
        "text",
        "long",
    ],
)
def test_a_chunk_that_was_emptied_cut_or_spoiled_is_unreadable(chunk: bytes) -> None:
    with pytest.raises(UnreadableChunk):
        decode(chunk)


def test_an_operation_on_a_list_that_the_run_does_not_have_is_unreadable() -> None:
    with pytest.raises(UnreadableChunk):
        decode(encode([ANNA]), lists=2)
    assert decode(encode([ANNA]), lists=3) == (ANNA,)


@given(st.binary(max_size=300), st.integers(0, 400))
def test_whatever_a_chunk_is_spoiled_with_it_is_read_or_refused(noise: bytes, place: int) -> None:
    sound = encode([ANNA, LEAVER])
    for chunk in (noise, sound[:place] + noise + sound[place:], sound[:place] + noise):
        try:
            found = decode(chunk)
        except UnreadableChunk:
            continue
        assert all(isinstance(operation, Operation) for operation in found)
