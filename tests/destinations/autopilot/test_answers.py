"""The law of answers: what each call takes for done, not there or refused, and that everything else is no answer.

Where a meaning is known from stands beside it, in `ANSWERS`: [recorded], [vendor], [reported], [assumed].
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial

import pytest
import requests

from shared.azure.vault import GivenKey
from shared.delivery.errors import (
    AccountRefused,
    ContactGone,
    DestinationError,
    KeyRefused,
    ListGone,
    NoAnswer,
    Refused,
    Throttled,
    Unclear,
)
from shared.destinations.autopilot.answers import ANSWERS, Call, contact_ids, lists_of, new_list_id, page, read
from shared.destinations.autopilot.bodies import account_name
from shared.destinations.autopilot.client import Autopilot
from shared.http.content import LONGEST_NAME, LONGEST_PAUSE

JSON = {"Content-Type": "application/json"}
ADDRESSES = {"test1@example.com", "test2@example.com"}

RECORDED = {
    Call.ACCOUNT: b'{"instanceId":"A-1","fullName":"Ann Lee","email":"ann@example.com"}',  # reported
    Call.FIELDS: b'[{"name":"Review Rating","fieldType":"integer"}]',  # reported
    Call.LISTS: b'{"lists":[{"list_id":"contactlist_build-your-journey","title":"Patrick\'s team"}]}',
    Call.CREATE_LIST: b'{"list_id":"contactlist_1","name":"VIP"}',
    Call.UPSERT: b'{"contact_ids":["person_1"],"email_contact_map":{"test1@example.com":"person_1"},'
    b'"_removeResultKeys":["proposedContacts"]}',
    Call.UPSERT_ONE: b'{"contact_id":"person_39812D93-138C-4B26-B0DF-C9E113D96A5A"}',
    Call.FIND: b'{"Email":"a@example.com","api_originated":true,"lists":["contactlist_1"],"contact_id":"person_1"}',
    Call.DELETE: b"{}",  # reported
    Call.ADD: b'{"not_modified":true}',  # reported
    Call.REMOVE: b"{}",  # reported
    Call.MEMBERS: b'{"contacts":[],"total_contacts":20000,"bookmark":"person_0125"}',
    Call.MORE_MEMBERS: b'{"contacts":[{"Email":"a@example.com","contact_id":"person_1"}],"total_contacts":1}',
}
"""An answer of each call, as the API gives it."""

PAGES = [
    b"<html>Sign in to the Wi-Fi</html>",
    b"null",
    b'"OK"',
    b"7",
    b"true",
    b'{"contact_id":"person_1"',
    b'\xef\xbb\xbf{"contact_id":"person_1"}',
    b'{"x":NaN}',
    b'{"error":"maintenance"}',
    b'{"message":"We are back soon."}',
    b'["not what it should be"]',
    "{}".encode("utf-16"),
]
"""Bodies that are no answer to any call, whatever the status."""


def meaning(call: Call, status: int, body: bytes, kind: str = "application/json") -> type[DestinationError] | None:
    """Return what an answer comes to: the error, None if the call is done."""
    try:
        read(call, status, {"Content-Type": kind} if kind else {}, body)
    except DestinationError as error:
        return type(error)
    return None


@pytest.mark.parametrize("call", Call)
def test_a_call_is_done_by_its_own_answer(call: Call) -> None:
    assert meaning(call, 200, RECORDED[call]) is None
    assert meaning(call, 200, RECORDED[call], "application/json; charset=utf-8") is None
    assert meaning(call, 200, RECORDED[call], "") is None  # no type at all contradicts nothing


@pytest.mark.parametrize("call", Call)
def test_no_call_is_done_by_another_ones_page(call: Call) -> None:
    for body in PAGES:
        assert meaning(call, 200, body) in {NoAnswer, Unclear}, body
    assert meaning(call, 200, RECORDED[call], "text/html") is NoAnswer
    assert meaning(call, 200, b"{") is NoAnswer


@pytest.mark.parametrize("call", [call for call in Call if call is not Call.FIELDS])  # which answers with an array
@pytest.mark.parametrize("said", [{"error": "Timeout"}, {"code": "timeout", "message": "Try again."}])
def test_no_call_is_done_by_an_answer_that_says_that_it_failed(call: Call, said: dict[str, str]) -> None:
    body = json.dumps(json.loads(RECORDED[call]) | said).encode()
    assert meaning(call, 200, body) in {NoAnswer, Unclear}


@pytest.mark.parametrize("call", Call)
@pytest.mark.parametrize(
    "status", [201, 202, 203, 206, 299, 300, 302, 304, 307, 399, 405, 407, 408, 421, 423, 425, 451]
)
def test_no_call_is_done_or_refused_by_a_status_that_the_api_does_not_know(call: Call, status: int) -> None:
    for body in (*PAGES, RECORDED[call], b"", b'{"error":"Teapot","message":"No."}'):
        assert meaning(call, status, body) is NoAnswer, body


@pytest.mark.parametrize("call", Call)
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 413, 422])
def test_a_refusal_is_believed_in_the_shape_of_the_api_only(call: Call, status: int) -> None:
    for body in (*PAGES, RECORDED[call]):
        assert meaning(call, status, body) is NoAnswer, body
    assert meaning(call, status, b'{"error":"No","message":"No."}', "text/html") is NoAnswer


@pytest.mark.parametrize("shape", ["error", "code"])  # vendor; reported
@pytest.mark.parametrize(
    ("status", "found"),
    [
        (400, Refused),  # vendor
        (413, Refused),  # assumed
        (422, Refused),  # assumed
        (401, KeyRefused),  # vendor
        (402, AccountRefused),  # assumed
        (403, AccountRefused),  # assumed
        (500, NoAnswer),  # vendor
        (408, NoAnswer),  # reported: maybe done
        (502, NoAnswer),  # assumed
        (503, NoAnswer),  # assumed
    ],
)
def test_a_status_in_the_shape_of_the_api_means_what_the_caller_must_do(
    shape: str, status: int, found: type[DestinationError]
) -> None:
    body = json.dumps({shape: "x", "message": "(various)"}).encode()
    assert {meaning(call, status, body) for call in Call} == {found}


def test_a_header_that_was_lost_on_the_way_is_no_fault_of_a_contact() -> None:
    body = b'{"error":"Bad Request","message":"No autopilotapikey header provided."}'  # vendor
    assert meaning(Call.UPSERT_ONE, 400, body) is AccountRefused


@pytest.mark.parametrize(
    ("call", "message", "found"),
    [
        (Call.FIND, "Contact could not be found.", ContactGone),  # vendor
        (Call.ADD, "Contact could not be found.", ContactGone),  # reported
        (Call.REMOVE, "List does not exist.", ListGone),  # reported
        (Call.DELETE, "Could not delete contact as contact could not be found.", ContactGone),  # vendor
        (Call.UPSERT, "List does not exist.", ListGone),  # assumed
        (Call.MEMBERS, "List does not exist.", ListGone),  # assumed
        (Call.FIND, "Not found.", NoAnswer),
        (Call.LISTS, "List does not exist.", NoAnswer),
    ],
)
def test_what_is_not_there_is_told_by_the_very_words(call: Call, message: str, found: type[DestinationError]) -> None:
    assert meaning(call, 404, json.dumps({"error": "Not Found", "message": message}).encode()) is found
    assert meaning(call, 404, json.dumps({"message": message}).encode()) is found


@pytest.mark.parametrize(
    ("call", "status", "body"),
    [
        (Call.ADD, 200, b""),
        (Call.ADD, 204, b""),
        (Call.ADD, 200, b'{"success":true}'),
        (Call.ADD, 200, b'{"error":"maintenance"}'),
        (Call.REMOVE, 200, b""),
        (Call.MEMBERS, 404, b""),  # reported: the list is missing
        (Call.MORE_MEMBERS, 404, b"{}"),
    ],
)
def test_what_autopilot_may_answer_but_anybody_could_is_to_be_looked_behind(
    call: Call, status: int, body: bytes
) -> None:
    assert meaning(call, status, body) is Unclear


def test_each_call_has_its_answers_and_one_that_is_done() -> None:
    assert set(ANSWERS) == set(Call)
    for answers in ANSWERS.values():
        assert any(answer.meaning.name == "DONE" for answer in answers)


@pytest.mark.parametrize("body", [b"", b"{}", b"<html>", b'{"code":"TooManyRequestsError","message":"5 r/s."}'])
@pytest.mark.parametrize("call", Call)
def test_whoever_says_too_fast_is_listened_to(call: Call, body: bytes) -> None:
    assert meaning(call, 429, body, "text/html") is Throttled


def pause(**headers: str) -> float | None:
    with pytest.raises(Throttled) as caught:
        read(Call.LISTS, 429, {name.replace("_", "-"): value for name, value in headers.items()}, b"")
    return caught.value.retry_after


def test_a_retry_after_has_never_been_seen_and_is_honoured_within_bounds() -> None:
    assert pause() is None
    assert pause(Retry_After="7") == 7
    assert pause(Retry_After="99999999") == LONGEST_PAUSE
    date = "Wed, 21 Oct 2026 07:28:00 GMT"
    assert pause(Retry_After="Wed, 21 Oct 2026 07:29:30 GMT", Date=date) == 90
    assert pause(Retry_After="Wed, 21 Oct 2099 07:28:00 GMT", Date=date) == LONGEST_PAUSE
    assert pause(Retry_After="Wed, 21 Oct 2020 07:28:00 GMT", Date=date) == 0
    soon = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    assert pause(Retry_After=soon) in {0, 1}


def test_the_recorded_bulk_answer_gives_ids_by_address() -> None:
    body = b'{"contact_ids":["person_8172"],"email_contact_map":{"Test1@example.com":"person_8172"}}'
    assert contact_ids(read(Call.UPSERT, 200, JSON, body), ADDRESSES) == {"test1@example.com": "person_8172"}


@pytest.mark.parametrize("body", [b'{"contact_ids":["person_1"]}', b'{"email_contact_map":null}', b"{}", b"[]"])
def test_without_a_map_a_bulk_answer_is_none_and_nobody_is_missing_from_it(body: bytes) -> None:
    assert meaning(Call.UPSERT, 200, body) is NoAnswer


def test_an_answer_about_others_is_another_calls() -> None:
    with pytest.raises(NoAnswer):
        contact_ids({"email_contact_map": {"zoe@example.com": "person_9"}}, ADDRESSES)
    with pytest.raises(NoAnswer):
        new_list_id({"list_id": "contactlist_1", "name": "Another"}, "VIP")
    with pytest.raises(NoAnswer):
        lists_of({"contact_id": "person_2", "lists": ["contactlist_1"]}, "person_1")
    assert new_list_id({"list_id": "contactlist_1"}, "VIP") == "contactlist_1"  # vendor's draft: no name
    assert lists_of({"contact_id": "person_1"}, "person_1") == ()  # recorded: on no list, no `lists`


@pytest.mark.parametrize("body", [b"{}", b'{"email":"a@example.com"}', b'{"fullName":""}', b'{"fullName":7}', b"[]"])
def test_an_account_has_to_say_whose_it_is(body: bytes) -> None:
    assert meaning(Call.ACCOUNT, 200, body) is NoAnswer


def test_an_accounts_name_is_cut_and_cleaned() -> None:
    assert account_name({"fullName": "Ann\n\x1b[31m \u202eLee  "}) == "Ann [31m Lee"
    assert len(account_name({"fullName": "x" * 8_000_000})) == LONGEST_NAME
    assert account_name({"fullName": "\x00", "instanceId": "A-1"}) == "A-1"


@pytest.mark.parametrize(
    "body",
    [
        b'{"contacts":[]}',
        b'{"contacts":[],"total_contacts":-1}',
        b'{"contacts":[],"total_contacts":true}',
        b'{"contacts":[],"total_contacts":"8"}',
        b'{"contacts":[],"total_contacts":8,"bookmark":7}',
        b'{"contacts":[],"total_contacts":8,"bookmark":{"id":1}}',
        b'{"contacts":["ann@example.com"],"total_contacts":8}',
    ],
)
def test_a_page_says_how_many_there_are_and_where_to_go_on(body: bytes) -> None:
    assert meaning(Call.MEMBERS, 200, body) is NoAnswer


def test_a_page_ends_where_no_bookmark_is() -> None:
    assert page(read(Call.MEMBERS, 200, JSON, RECORDED[Call.MEMBERS])).bookmark == "person_0125"
    for last in (b'{"contacts":[],"total_contacts":0}', b'{"contacts":[],"total_contacts":0,"bookmark":""}'):
        assert page(read(Call.MEMBERS, 200, JSON, last)).bookmark is None


@pytest.mark.parametrize("name", [".", ".."])
def test_an_id_that_leads_to_another_path_is_none(name: str) -> None:
    for call, body in {
        Call.LISTS: {"lists": [{"list_id": name, "title": "VIP"}]},
        Call.CREATE_LIST: {"list_id": name, "name": "VIP"},
        Call.UPSERT_ONE: {"contact_id": name},
        Call.FIND: {"contact_id": "person_1", "lists": [name]},
        Call.MEMBERS: {"contacts": [{"contact_id": name}], "total_contacts": 1},
        Call.MORE_MEMBERS: {"contacts": [], "total_contacts": 200, "bookmark": name},
    }.items():
        assert meaning(call, 200, json.dumps(body).encode()) is NoAnswer, call
    assert contact_ids({"email_contact_map": {"test1@example.com": name}}, ADDRESSES) == {}


@pytest.mark.parametrize("name", [".", ".."])
def test_an_id_that_leads_to_another_path_is_never_part_of_a_call(name: str) -> None:
    """One may stand in a state of before."""
    api = Autopilot("http://127.0.0.1:1/v1", GivenKey("key"), requests.Session())
    for call in (partial(api.remove, name, "person_1"), partial(api.add, "list_1", name), partial(api.delete, name)):
        with pytest.raises(Refused):
            call()


@pytest.mark.parametrize("item", [{}, {"contact_id": None}, {"contact_id": ""}, {"contact_id": 7}])
def test_a_page_names_each_contact_by_its_id(item: dict[str, object]) -> None:
    body = {"contacts": [{"Email": "a@example.com", "contact_id": "person_1"}, item], "total_contacts": 2}
    assert meaning(Call.MEMBERS, 200, json.dumps(body).encode()) is NoAnswer


def test_no_error_carries_what_the_body_says() -> None:
    with pytest.raises(Refused) as caught:
        read(Call.UPSERT, 400, JSON, b'{"error":"Bad","message":"ann@example.com is not an address"}')
    assert "ann" not in str(caught.value)
