"""What an answer of Autopilot means. Sources as in reference/autopilot-api: [recorded], [vendor], [reported], [assumed]."""

from __future__ import annotations

import pytest

from shared.domain.answers import (
    AutopilotError,
    ContactGone,
    KeyRefused,
    ListGone,
    Refused,
    Throttled,
    TryAgain,
    contact_ids,
    read,
)


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (400, b'{"error":"Bad Request","message":"No autopilotapikey header provided."}', Refused),  # vendor
        (400, b"", Refused),  # vendor: more than 100 contacts, text unknown
        (401, b'{"error":"Unauthorized","message":"Provided autopilotapikey not valid."}', KeyRefused),  # vendor
        (403, b"{}", Refused),  # vendor draft
        (404, b'{"error":"Not Found","message":"Contact could not be found."}', ContactGone),  # vendor
        (404, b'{"message":"List does not exist."}', ListGone),  # reported
        (404, b"", ContactGone),  # reported: membership check, not a member
        (408, b"", TryAgain),  # reported: maybe done
        (409, b'{"message":"A list with this name already exists."}', Refused),  # vendor, contradicted
        (429, b'{"code":"TooManyRequestsError","message":"You have exceeded your request rate of 5 r/s."}', Throttled),
        (429, b'{"error":"Too Many Requests","message":"Your request was throttled."}', Throttled),  # vendor
        (500, b'{"error":"Internal"}', TryAgain),  # vendor
        (502, b"<html>bad gateway</html>", TryAgain),  # assumed
    ],
)
def test_a_status_means_what_the_caller_must_do(status: int, body: bytes, meaning: type[AutopilotError]) -> None:
    with pytest.raises(meaning) as caught:
        read("POST /contacts", status, {}, body)
    assert type(caught.value) is meaning


@pytest.mark.parametrize("body", [b"", b"  ", b"{}", b"not json", b"[]"])
def test_a_success_may_come_with_any_body(body: bytes) -> None:
    assert read("POST /list/{list}/contact/{contact}", 200, {}, body).get("contact_id") is None


def test_a_retry_after_has_never_been_seen_and_is_honoured() -> None:
    with pytest.raises(Throttled) as caught:
        read("GET /lists", 429, {"Retry-After": "7"}, b"")
    assert caught.value.retry_after == 7
    with pytest.raises(Throttled) as caught:
        read("GET /lists", 429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, b"")
    assert caught.value.retry_after is None


def test_the_recorded_bulk_answer_gives_ids_by_address() -> None:
    answer = {
        "contact_ids": ["person_8172F2D1-AF73-46CB-ADB1-35FDE21D98EA"],
        "email_contact_map": {"Test1@example.com": "person_8172F2D1-AF73-46CB-ADB1-35FDE21D98EA"},
        "_removeResultKeys": ["proposedContacts"],
    }
    assert contact_ids(answer) == {"test1@example.com": "person_8172F2D1-AF73-46CB-ADB1-35FDE21D98EA"}


def test_an_answer_without_a_map_confirms_nobody() -> None:
    assert contact_ids({"contact_ids": ["person_1"]}) == {}


def test_no_error_carries_what_the_body_says() -> None:
    with pytest.raises(Refused) as caught:
        read("POST /contacts", 400, {}, b'{"message":"ann@example.com is not an address"}')
    assert "ann" not in str(caught.value)
