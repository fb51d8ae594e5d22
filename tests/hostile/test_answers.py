"""Any answer of Autopilot: a value that we can keep and write again, or an DestinationError that says what to do."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.delivery.errors import DestinationError, NoAnswer, Throttled
from shared.destinations.autopilot.account import seen_of
from shared.destinations.autopilot.answers import (
    Call,
    Page,
    contact_ids,
    custom_field_types,
    list_ids,
    lists_of,
    new_list_id,
    page,
    read,
)
from shared.destinations.autopilot.fields import FIELDS
from shared.http.content import EMPTY, LONGEST_PAUSE
from shared.state.digests import DigestKey
from shared.verification.comparison import observe

KEY = DigestKey.new()

Reader = Callable[[Any], object]


def _keep(answer: object) -> object:
    return answer


READERS: dict[Call, Reader] = {
    **dict.fromkeys(Call, _keep),
    Call.UPSERT: lambda answer: contact_ids(answer, {"a@example.com", "b@example.com"}),
    Call.LISTS: list_ids,
    Call.CREATE_LIST: lambda answer: new_list_id(answer, "VIP"),
    Call.FIELDS: custom_field_types,
    Call.FIND: lambda answer: lists_of(answer, "person_1"),
    Call.MEMBERS: page,
}

_word = st.sampled_from(
    [
        "lists",
        "title",
        "list_id",
        "contacts",
        "items",
        "name",
        "fieldType",
        "email_contact_map",
        "bookmark",
        "total_contacts",
        "Email",
        "contact_id",
        "custom_fields",
        "kind",
        "value",
        "deleted",
    ]
)
_leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("\ud800")
_json = st.recursive(
    _leaf,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_word | st.text(max_size=4), inner, max_size=6),
    max_leaves=20,
)
_body = st.binary(max_size=200) | _json.map(lambda value: json.dumps(value).encode())


def outcome(call: Call, status: int, headers: Mapping[str, str], body: bytes) -> object:
    """Return what an answer comes to; anything but a value or an DestinationError is a fault of ours."""
    try:
        return READERS[call](read(call, status, headers, body))
    except DestinationError as error:
        assert str(error).isascii()
        return error


@pytest.mark.parametrize("call", Call)
@given(status=st.integers(100, 599), body=_body)
@example(status=204, body=b"")
def test_any_answer_is_a_value_or_a_named_error(call: Call, status: int, body: bytes) -> None:
    found = outcome(call, status, {}, body)
    if found is EMPTY:
        assert (status, body.strip()) == (204, b"")  # which says that it is done, and nothing else
    elif not isinstance(found, DestinationError | Page):
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode()


@given(st.lists(st.dictionaries(_word, _json, max_size=6), max_size=5))
@example([{"Email": 7}, {"Email": ["a@example.com"]}, {"Email": {"a": "b"}}, {"contact_id": [1]}, {"contact_id": 5}])
@example([{"Email": []}, {"Email": {}}, {"contact_id": []}, {"contact_id": {}}])
@example(
    [{"FirstName": int("9" * 400)}, {"custom_fields": [{"kind": "Points", "fieldType": "integer", "value": 10**400}]}]
)
def test_any_page_can_be_kept_as_digests(contacts: list[dict[str, Any]]) -> None:
    found = outcome(Call.MEMBERS, 200, {}, json.dumps({"contacts": contacts, "total_contacts": 1}).encode())
    if isinstance(found, Page):
        kept = observe(
            [seen_of(item) for item in found.contacts], ["FirstName", "integer--Points", "value"], FIELDS, KEY
        )
        assert kept.height == len(contacts)


@pytest.mark.parametrize(
    ("call", "body"),
    [
        pytest.param(Call.LISTS, b"<html>sign in to the Wi-Fi</html>", id="a proxy's page"),
        pytest.param(Call.LISTS, b"{}", id="no lists at all"),
        pytest.param(Call.LISTS, b'{"lists": null}', id="lists null"),
        pytest.param(Call.LISTS, b'{"lists": "VIP"}', id="lists a text"),
        pytest.param(Call.LISTS, b'{"lists": ["VIP"]}', id="a list a text"),
        pytest.param(Call.LISTS, b'{"lists": [{"list_id": "1"}]}', id="a list without a title"),
        pytest.param(Call.LISTS, b'{"lists": [{"title": "VIP", "list_id": null}]}', id="a list without an id"),
        pytest.param(Call.LISTS, b'{"lists": [{"title": "VIP", "list_id": {}}]}', id="an id that is an object"),
        pytest.param(Call.LISTS, b'{"lists": [{"title": "\\ud800", "list_id": "1"}]}', id="a lone surrogate"),
        pytest.param(Call.LISTS, json.dumps({"lists": []}).encode("utf-16"), id="another charset"),
        pytest.param(Call.LISTS, b'{"lists":' + b"[" * 1_000_000, id="a million brackets"),
        pytest.param(Call.UPSERT_ONE, b'{"contact_id": null}', id="a contact without an id"),
        pytest.param(Call.CREATE_LIST, b'{"list_id": ""}', id="a new list without an id"),
        pytest.param(Call.CREATE_LIST, b'{"list_id": 7}', id="a new list whose id is a number"),
        pytest.param(Call.FIELDS, b'{"items": 7}', id="fields that are a number"),
        pytest.param(Call.FIELDS, b'["name fieldType"]', id="a field that is a text"),
        pytest.param(Call.MEMBERS, b'{"contacts": "ann@example.com"}', id="contacts a text"),
        pytest.param(Call.MEMBERS, b'{"contacts": ["ann@example.com"]}', id="a contact a text"),
        pytest.param(Call.MEMBERS, b'{"total_contacts": 0}', id="a page without contacts"),
        pytest.param(Call.MEMBERS, b'{"contacts": [{"x": NaN}]}', id="NaN"),
    ],
)
def test_a_success_that_lacks_what_its_endpoint_gives_is_no_answer(call: Call, body: bytes) -> None:
    assert type(outcome(call, 200, {}, body)) is NoAnswer


@pytest.mark.parametrize("contact_id", [None, 0, True, 7, [], ["person_1"], {"id": 1}, ""])
def test_only_a_text_confirms_a_contact(contact_id: object) -> None:
    answer = {"email_contact_map": {"a@example.com": contact_id, "B@example.com": "person_2"}}
    assert contact_ids(answer, {"a@example.com", "b@example.com"}) == {"b@example.com": "person_2"}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("-1", 0),
        ("1e9", LONGEST_PAUSE),
        ("inf", None),
        ("1e400", None),
        ("nan", None),
        ("", None),
        ("soon", None),
        ("7, 8", None),
        ("Wed, 21 Oct 2020 07:28:00 GMT", 0),
        ("Wed, 21 Oct 2099 07:28:00 GMT", LONGEST_PAUSE),
        ("Wed, 99 Oct 2099 07:28:00 GMT", None),
    ],
)
def test_no_retry_after_stops_an_account_for_ever(text: str, seconds: float | None) -> None:
    found = outcome(Call.UPSERT, 429, {"Retry-After": text}, b"")
    assert isinstance(found, Throttled)
    assert found.retry_after == seconds


@given(st.text() | st.floats().map(repr))
def test_any_retry_after_is_a_bounded_pause_or_none(text: str) -> None:
    found = outcome(Call.UPSERT, 429, {"Retry-After": text}, b"")
    assert isinstance(found, Throttled)
    assert found.retry_after is None or (math.isfinite(found.retry_after) and 0 <= found.retry_after <= LONGEST_PAUSE)
