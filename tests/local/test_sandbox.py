"""The Autopilot sandbox against what docs/sandbox.md says of Autopilot, over a socket."""

from __future__ import annotations

import json
import time
from dataclasses import fields
from pathlib import Path

import pytest

from local.processes import ServerProcess
from local.sandbox.knobs import FAULTS, Knobs
from local.sandbox.lies import LIES
from tests.local.conftest import Sandbox


def test_the_document_names_every_knob_fault_and_lie() -> None:
    document = Path("docs/sandbox.md").read_text().partition("# The Ortto sandbox")[0]
    names = [*(knob.name for knob in fields(Knobs)), *FAULTS, *LIES]
    assert [name for name in names if f"`{name}`" not in document] == []


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


def test_it_logs_nothing(server: ServerProcess, sandbox: Sandbox) -> None:
    sandbox.call("GET", "/contact/nobody@example.com")
    assert Path(server._log).read_text() == ""
