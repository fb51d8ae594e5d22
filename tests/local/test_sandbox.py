"""The Autopilot sandbox against what docs/sandbox.md says of Autopilot, over a socket."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from local.processes import ServerProcess
from local.sandbox.lies import LIES, TRUE


class Sandbox:
    """The sandbox, as its callers see it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = requests.Session()

    def call(self, method: str, path: str, body: object = None, key: str | None = "sandbox-key") -> requests.Response:
        headers = {"autopilotapikey": key} if key else {}
        return self.http.request(method, f"{self.url}/v1{path}", json=body, headers=headers, timeout=10)

    def turn(self, **knobs: Any) -> None:
        assert self.http.put(f"{self.url}/sandbox/knobs", json=knobs, timeout=10).ok

    def look(self, path: str) -> Any:
        return self.http.get(f"{self.url}/sandbox/{path}", timeout=10).json()

    def new_list(self, title: str) -> str:
        return str(self.call("POST", "/list", {"name": title}).json()["list_id"])

    def bulk(self, *contacts: dict[str, Any]) -> requests.Response:
        return self.call("POST", "/contacts", {"contacts": list(contacts)})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    log = tmp_path_factory.mktemp("sandbox") / "log"
    started = ServerProcess("sandbox", ["-m", "local.sandbox"], os.environ, log)
    started.start()
    yield started
    started.stop()


@pytest.fixture
def sandbox(server: ServerProcess) -> Iterator[Sandbox]:
    made = Sandbox(server.ready["url"])
    with made.http:
        made.turn(
            key="sandbox-key",
            rate=None,
            faults={},
            latency_ms=0,
            bulk_lists="ignored",
            error_shape="error",
            contact_limit=None,
            down=False,
            seed=1,
            lies={},
            lies_to="",
            lies_done=0.5,
            retry_after=None,
            bookmarks="exact",
            read_back="exact",
        )
        made.http.post(f"{made.url}/sandbox/empty", timeout=10)
        yield made


def test_recorded_a_bulk_answer(sandbox: Sandbox) -> None:
    answer = sandbox.bulk({"Email": "test1@example.com"}, {"Email": "test2@example.com"})
    body = answer.json()
    assert answer.status_code == 200
    assert sorted(body) == ["_removeResultKeys", "contact_ids", "email_contact_map"]
    assert body["contact_ids"] == [body["email_contact_map"][f"test{n}@example.com"] for n in (1, 2)]
    assert all(contact_id.startswith("person_") for contact_id in body["contact_ids"])


def test_recorded_custom_fields_read_back_in_another_form(sandbox: Sandbox) -> None:
    sandbox.call("POST", "/contact", {"contact": {"Email": "a@example.com", "custom": {"integer--Review--Rating": 5}}})
    found = sandbox.call("GET", "/contact/a@example.com").json()
    assert found["custom_fields"] == [{"kind": "Review Rating", "value": 5, "fieldType": "integer", "deleted": False}]
    assert sandbox.call("GET", "/contacts/custom_fields").json() == [{"name": "Review Rating", "fieldType": "integer"}]


def test_vendor_more_than_a_hundred_is_refused(sandbox: Sandbox) -> None:
    assert sandbox.bulk(*({"Email": f"p{n}@example.com"} for n in range(101))).status_code == 400
    assert sandbox.bulk(*({"Email": f"p{n}@example.com"} for n in range(100))).status_code == 200


def test_vendor_null_clears_and_what_is_left_out_stays(sandbox: Sandbox) -> None:
    sandbox.bulk({"Email": "a@example.com", "FirstName": "Ann", "LastName": "Lee"})
    sandbox.bulk({"Email": "A@example.com", "FirstName": None})
    found = sandbox.call("GET", "/contact/a@example.com").json()
    assert found["FirstName"] is None  # reported: documents can hold nulls
    assert found["LastName"] == "Lee"


@pytest.mark.parametrize(
    ("key", "status", "message"),
    [(None, 400, "No autopilotapikey header provided."), ("wrong", 401, "Provided autopilotapikey not valid.")],
)
def test_vendor_keys(sandbox: Sandbox, key: str | None, status: int, message: str) -> None:
    answer = sandbox.call("GET", "/account", key=key)
    assert (answer.status_code, answer.json()["message"]) == (status, message)


def test_reported_membership_is_a_call_each(sandbox: Sandbox) -> None:
    list_id = sandbox.new_list("A list")
    contact = sandbox.bulk({"Email": "a@example.com"}).json()["contact_ids"][0]
    path = f"/list/{list_id}/contact/{contact}"
    missing = sandbox.call("GET", path)
    assert (missing.status_code, missing.json()) == (404, {})
    assert sandbox.call("POST", path).json() == {}
    assert sandbox.call("POST", path).json() == {"not_modified": True}
    assert sandbox.call("GET", path).status_code == 200
    assert sandbox.call("DELETE", path).json() == {}
    assert sandbox.call("DELETE", path).json() == {"not_modified": True}
    for method in ("GET", "POST", "DELETE"):
        gone = sandbox.call(method, f"/list/contactlist_none/contact/{contact}")
        assert (gone.status_code, gone.json()["message"]) == (404, "List does not exist.")
        nobody = sandbox.call(method, f"/list/{list_id}/contact/person_none")
        assert (nobody.status_code, nobody.json()["message"]) == (404, "Contact could not be found.")
    pages = sandbox.call("GET", "/list/contactlist_none/contacts")
    assert (pages.status_code, pages.content) == (404, b"")


def test_reported_a_list_of_the_same_name_is_another_list(sandbox: Sandbox) -> None:
    assert sandbox.new_list("Twice") != sandbox.new_list("Twice")
    assert [item["title"] for item in sandbox.call("GET", "/lists").json()["lists"]] == ["Twice", "Twice"]


def test_vendor_pages_of_a_hundred_end_without_a_bookmark(sandbox: Sandbox) -> None:
    list_id = sandbox.new_list("Big")
    sandbox.turn(bulk_lists="honoured")
    for start in range(0, 250, 50):
        sandbox.bulk(*({"Email": f"p{n}@example.com", "_autopilot_list": list_id} for n in range(start, start + 50)))
    seen: list[str] = []
    path, pages = f"/list/{list_id}/contacts", 0
    while True:
        page = sandbox.call("GET", path).json()
        pages += 1
        assert page["total_contacts"] == 250
        seen += [contact["Email"] for contact in page["contacts"]]
        if "bookmark" not in page:
            break
        path = f"/list/{list_id}/contacts/{page['bookmark']}"
    assert (pages, len(seen), len(set(seen))) == (3, 250, 250)


@pytest.mark.parametrize(
    ("knob", "members"), [("ignored", 0), ("honoured", 2), ("new_only", 1), ("until:1", 2), ("until:0", 0)]
)
def test_assumed_whether_bulk_fills_lists_is_a_knob(sandbox: Sandbox, knob: str, members: int) -> None:
    list_id = sandbox.new_list("L")
    sandbox.call("POST", "/contact", {"contact": {"Email": "known@example.com"}})
    sandbox.turn(bulk_lists=knob)
    sandbox.bulk(*({"Email": f"{name}@example.com", "_autopilot_list": list_id} for name in ("known", "new")))
    assert len(sandbox.look(f"lists/{list_id}/emails")) == members


def test_assumed_a_poisoned_contact_refuses_its_whole_call(sandbox: Sandbox) -> None:
    assert sandbox.bulk({"Email": "a@example.com"}, {"Email": "poison1@example.com"}).status_code == 400
    assert sandbox.look("contacts") == []


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


def test_recorded_an_address_is_folded_on_write(sandbox: Sandbox) -> None:
    sandbox.bulk({"Email": "Ann.Lee@Example.com"})
    assert sandbox.call("GET", "/contact/ANN.lee@example.com").json()["Email"] == "ann.lee@example.com"


def test_recorded_a_new_contact_has_five_fields_and_a_list_moves_its_time(sandbox: Sandbox) -> None:
    contact = sandbox.bulk({"Email": "a@example.com"}).json()["contact_ids"][0]
    found = sandbox.call("GET", f"/contact/{contact}").json()
    assert sorted(found) == ["Email", "api_originated", "contact_id", "created_at", "updated_at"]
    assert found["created_at"] == found["updated_at"]
    list_id = sandbox.new_list("L")
    time.sleep(1.1)
    sandbox.call("POST", f"/list/{list_id}/contact/{contact}")
    moved = sandbox.call("GET", f"/contact/{contact}").json()
    assert moved["lists"] == [list_id]
    assert moved["updated_at"] > found["updated_at"]


def test_recorded_headers(sandbox: Sandbox) -> None:
    headers = sandbox.call("GET", "/lists").headers
    assert headers["Content-Type"] == "application/json"
    assert headers["Last-Modified"] == headers["Date"]


def test_reported_a_contact_is_deleted_once(sandbox: Sandbox) -> None:
    sandbox.bulk({"Email": "a@example.com"})
    first, second = (sandbox.call("DELETE", "/contact/a@example.com") for _ in range(2))
    assert (first.status_code, first.json()) == (200, {})
    assert (second.status_code, second.json()["message"]) == (
        404,
        "Could not delete contact as contact could not be found.",
    )


def test_vendor_a_contact_goes_by_its_id_where_it_has_no_address(sandbox: Sandbox) -> None:
    contact = sandbox.bulk({"FirstName": "Ann"}).json()["contact_ids"][0]
    answer = sandbox.call("POST", "/contact", {"contact": {"contact_id": contact, "FirstName": "Anna"}})
    assert answer.json() == {"contact_id": contact}
    assert [item["FirstName"] for item in sandbox.look("contacts")] == ["Anna"]


def test_reported_forms_of_requests(sandbox: Sandbox) -> None:
    assert sandbox.call("GET", "/lists/").status_code == 200
    body = json.dumps({"contact": {"Email": "a@example.com"}})
    assert sandbox.call("POST", "/contact", body).json()["contact_id"]  # a text that holds the JSON
    pieces = (piece.encode() for piece in (body[:9], body[9:]))
    answer = sandbox.http.post(
        f"{sandbox.url}/v1/contact", data=pieces, headers={"autopilotapikey": "sandbox-key"}, timeout=10
    )
    assert answer.json()["contact_id"]  # in chunks
    assert len(sandbox.look("contacts")) == 1


def test_recorded_triggers_and_vendor_hooks(sandbox: Sandbox) -> None:
    assert sandbox.call("GET", "/triggers").json() == {"triggers": []}
    wanted = {"event": "contact_added", "target_url": "https://example.com/hook"}
    hook = sandbox.call("POST", "/hook", wanted)
    assert hook.status_code == 201
    assert sandbox.call("GET", "/hooks").json() == {"hooks": [{**hook.json(), **wanted}]}
    assert sandbox.call("DELETE", f"/hook/{hook.json()['hook_id']}").status_code == 200
    assert sandbox.call("POST", "/hook", {"event": "x"}).status_code == 400


def test_assumed_custom_fields_that_are_no_object_are_refused(sandbox: Sandbox) -> None:
    assert sandbox.bulk({"Email": "a@example.com", "custom": [1]}).status_code == 400
    assert sandbox.call("POST", "/contact", {"contact": {"Email": "a@example.com", "custom": [1]}}).status_code == 400


@pytest.mark.parametrize("done", [0, 1])
@pytest.mark.parametrize("lie", sorted(LIES))
def test_a_lie_is_told_and_what_was_asked_done_or_not(sandbox: Sandbox, lie: str, done: int) -> None:
    sandbox.turn(lies={lie: 1}, lies_to="POST /contacts", lies_done=done, drip_seconds=0.5)
    with socket.create_connection(("127.0.0.1", int(sandbox.url.rpartition(":")[2])), timeout=10) as raw:
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


def test_it_logs_nothing(server: ServerProcess, sandbox: Sandbox) -> None:
    sandbox.call("GET", "/contact/nobody@example.com")
    assert Path(server._log).read_text() == ""
