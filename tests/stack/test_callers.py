"""Who may call the API, and what it says to calls that it cannot take."""

from __future__ import annotations

import base64
import json

import pytest
import requests

from local.world import SIMPLE, World, people
from tests.stack.api_calls import CONNECTION, call
from tests.stack.conftest import MakeWorld


def principal(*roles: str) -> str:
    claims = [{"typ": "roles", "val": role} for role in roles] + [{"typ": "oid", "val": "object-1"}]
    return base64.b64encode(json.dumps({"auth_typ": "aad", "claims": claims}).encode()).decode()


def test_roles_come_from_the_principal_and_say_who_may_do_what(make_world: MakeWorld) -> None:
    world = make_world(settings={"AUTH_MODE": "entra", "WEBSITE_AUTH_ENABLED": "True"})
    world.publish({"Team": people("a@example.com")})

    def act(role: str, method: str, path: str, body: object = None) -> requests.Response:
        headers = {"x-ms-client-principal": principal(role), "authorization": "Bearer token"} if role else {}
        return requests.request(method, f"{world.stack.api_url}/{path}", json=body, headers=headers, timeout=60)

    admin, contributor, viewer = "Exports.Admin", "Exports.Contributor", "Exports.Viewer"
    export = {"display_name": "Team", "connection": "main", "segments": ["Team"], "mapping": SIMPLE}
    assert act("", "GET", "exports").status_code == 401
    assert act("Something.Else", "GET", "exports").status_code == 403
    me = act(viewer, "GET", "me").json()
    assert (me["id"], me["role"], me["mode"]) == ("object-1", "viewer", "entra")
    may = {item["app_role"]: set(item["may"]) for item in me["roles"]}
    assert "list_runs" in may[viewer] < may[contributor] < may[admin]
    assert ("start_run" in may[viewer], "start_run" in may[contributor]) == (False, True)
    assert set(me["may"]) == may[viewer]
    assert act(contributor, "PUT", "connections/main", CONNECTION).status_code == 403
    assert act(admin, "PUT", "connections/main", CONNECTION).status_code == 201
    hidden = act(contributor, "PUT", "exports/team", export)
    assert (hidden.status_code, hidden.json()["code"]) == (403, "connection_not_shared")
    shared = {**CONNECTION, "access": "administrators_and_contributors"}
    assert act(admin, "PUT", "connections/main", shared).status_code == 200
    assert act(contributor, "PUT", "exports/team", export).status_code == 201
    assert act(contributor, "GET", "connections/main").json() == {
        "name": "main",
        "display_name": "Main",
        "kind": "autopilot",
    }
    assert act(viewer, "GET", "exports/team").status_code == 200
    assert act(viewer, "POST", "exports/team/runs").status_code == 403
    refused = act(viewer, "POST", "exports/team/preview", export)
    assert (refused.status_code, refused.json()["code"]) == (403, "role_too_low")
    assert act(viewer, "POST", "exports/team/preview").status_code == 200
    assert act(contributor, "POST", "exports/team/preview", export).status_code == 200
    assert act(contributor, "POST", "exports/team/runs").status_code == 202
    assert act(contributor, "GET", "audit").status_code == 403
    assert act(admin, "GET", "audit").json()["items"][0]["by"] == "object-1"


def test_a_forged_principal_is_refused_where_function_keys_rule(team: World) -> None:
    answer = call(team, "GET", "exports", x_ms_client_principal=principal("Exports.Admin"))
    assert (answer.status_code, answer.json()["code"]) == (400, "principal_not_expected")


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "body_malformed"),
        (b"[" * 100_000, "application/json", 400, "body_malformed"),
        (b'{"a":' * 50 + b"1" + b"}" * 50, "application/json", 400, "body_malformed"),
        (b"{}", "text/plain", 415, "not_json"),
        (b" " * 300_000, "application/json", 413, "body_too_large"),
        (b"[]", "application/json", 422, "body_invalid"),
        (b'{"display_name": "x", "surprise": 1}', "application/json", 422, "body_invalid"),
    ],
    ids=["malformed", "deep list", "deep object", "wrong type", "oversized", "no object", "unknown field"],
)
def test_bad_bodies_get_a_clear_no(team: World, body: bytes, content_type: str, status: int, code: str) -> None:
    headers = {"x-functions-key": team.stack.function_key, "Content-Type": content_type}
    answer = requests.put(f"{team.stack.api_url}/exports/bad", data=body, headers=headers, timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    if b"surprise" in body:
        assert "surprise" in {item["field"] for item in answer.json()["errors"]}


@pytest.mark.parametrize("name", ["Upper", "a%2Fb", "-dash", "a" * 64, "..%2F..", "a b"])
def test_names_that_could_be_none_are_refused(team: World, name: str) -> None:
    assert call(team, "GET", f"exports/{name}").status_code in {400, 404}
    body = {"display_name": "x", "connection": None, "segments": ["Team"], "mapping": SIMPLE}
    assert call(team, "PUT", f"exports/{name}", body).status_code in {400, 404}
