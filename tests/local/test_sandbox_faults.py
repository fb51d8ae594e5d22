"""What the sandbox does on purpose: faults, lies, limits and delays, each by its knob."""

from __future__ import annotations

import json
import socket
import time

import pytest
import requests

from local.sandbox.lies import LIES, TRUE
from tests.local.conftest import Sandbox


def test_a_rate_is_a_bucket_and_there_is_no_retry_after(sandbox: Sandbox) -> None:
    sandbox.turn(rate=5, burst=3)
    answers = [sandbox.call("GET", "/account") for _ in range(6)]
    throttled = [answer for answer in answers if answer.status_code == 429]
    assert throttled
    assert throttled[0].json()["message"] == "You have exceeded your request rate of 5 r/s."
    assert "Retry-After" not in throttled[0].headers
    assert sandbox.look("stats")["throttled"] == len(throttled)


@pytest.mark.parametrize(
    ("fault", "status", "stored"), [("timeout_done", 408, True), ("error", 500, False), ("html", 502, False)]
)
def test_faults_that_answer(sandbox: Sandbox, fault: str, status: int, stored: bool) -> None:
    sandbox.turn(faults={fault: 1})
    assert sandbox.bulk({"Email": "a@example.com"}).status_code == status
    assert bool(sandbox.look("contacts")) is stored


@pytest.mark.parametrize(("fault", "stored"), [("reset", False), ("reset_done", True)])
def test_faults_that_break_the_connection(sandbox: Sandbox, fault: str, stored: bool) -> None:
    sandbox.turn(faults={fault: 1})
    with pytest.raises(requests.ConnectionError):
        sandbox.bulk({"Email": "a@example.com"})
    assert bool(sandbox.look("contacts")) is stored


def test_a_dropped_row_is_left_out_of_the_map_and_not_stored(sandbox: Sandbox) -> None:
    sandbox.turn(faults={"drop_row": 1})
    answer = sandbox.bulk({"Email": "a@example.com"}, {"Email": "b@example.com"}).json()
    assert len(answer["email_contact_map"]) == len(sandbox.look("contacts")) == 1


def test_latency_delays_an_answer_and_blocks_nobody_else(sandbox: Sandbox) -> None:
    sandbox.turn(latency_ms=300)
    began = time.monotonic()
    sandbox.call("GET", "/account")
    assert time.monotonic() - began >= 0.3


def test_errors_may_come_in_either_envelope(sandbox: Sandbox) -> None:
    sandbox.turn(error_shape="code")
    assert sandbox.call("GET", "/contact/nobody@example.com").json()["code"] == "NotFoundError"


def test_statistics_name_templates_and_never_addresses(sandbox: Sandbox) -> None:
    sandbox.call("GET", "/contact/nobody@example.com")
    assert "GET /contact/{contact}" in sandbox.look("stats")["calls"]
    assert "nobody" not in json.dumps(sandbox.look("journal"))


@pytest.mark.parametrize("done", [0, 1])
@pytest.mark.parametrize("lie", sorted(LIES))
def test_a_lie_is_told_and_what_was_asked_done_or_not(sandbox: Sandbox, lie: str, done: int) -> None:
    sandbox.turn(lies={lie: 1}, lies_to="POST /contacts", lies_done=done, drip_seconds=0.5)
    with socket.create_connection(("127.0.0.1", int(sandbox.url.rpartition(":")[2])), timeout=60) as raw:
        body = b'{"contacts":[{"Email":"a@example.com"}]}'
        raw.sendall(b"POST /v1/contacts HTTP/1.1\r\nautopilotapikey: sandbox-key\r\n")
        raw.sendall(b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        assert raw.recv(1 << 16).startswith(b"HTTP/1.1 ")
    assert len(sandbox.look("contacts")) == (1 if lie in TRUE else done)
    assert sandbox.look("stats")["lies"] == {lie: 1}
    assert sandbox.call("GET", "/lists").json() == {"lists": []}  # another call


def test_a_knob_says_when_to_come_again(sandbox: Sandbox) -> None:
    sandbox.turn(faults={"throttle": 1}, retry_after="240")
    assert sandbox.call("GET", "/lists").headers["Retry-After"] == "240"


def test_pages_may_have_bookmarks_without_end(sandbox: Sandbox) -> None:
    list_id = sandbox.new_list("L")
    sandbox.turn(bookmarks="endless")
    first = sandbox.call("GET", f"/list/{list_id}/contacts").json()
    second = sandbox.call("GET", f"/list/{list_id}/contacts/{first['bookmark']}").json()
    assert first["bookmark"] != second["bookmark"]


def test_values_may_read_back_in_another_form(sandbox: Sandbox) -> None:
    fields = {"Email": "a@example.com", "FirstName": None, "custom": {"integer--Points": 12}}
    sandbox.bulk(fields)
    sandbox.turn(read_back="texts")
    assert sandbox.call("GET", "/contact/a@example.com").json()["custom_fields"][0]["value"] == "12"
    sandbox.turn(read_back="blanks")
    assert sandbox.call("GET", "/contact/a@example.com").json()["FirstName"] == ""
