"""Any request to any endpoint: an answer of ours, never an exception and never a traceback."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

import shared.composition.app
from export_trigger.http.access import PRINCIPAL, Caller, NotAllowed, caller_of
from export_trigger.http.request import LARGEST_BODY, Answer
from export_trigger.http.response import answer
from export_trigger.http.route import Route
from export_trigger.http.routes import ROUTES
from local.environment import publish
from local.stack import Stack
from local.warm import Shared
from local.world import KEY, SIMPLE, people
from shared.composition.app import App
from shared.exports.configuration import OnCron
from shared.exports.schedule import is_due

CONNECTION = {"display_name": "Main", "api_key": KEY, "agree_to_privacy": True, "rate_limit": 10_000}
EXPORT = {"display_name": "Team", "connection": "main", "mapping": SIMPLE, "segments": ["Team"]}
BY_NAME = {route.name: route for route in ROUTES}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, shared_parts: Shared) -> Iterator[App]:
    """Yield the app itself on a storage, a vault, a source and an Autopilot of its own, without a host around it."""
    stack = Stack(
        tmp_path_factory.mktemp("stack"),
        instances=0,
        settings={"SETTLE_SECONDS": "0"},
        in_memory=True,
        shared=shared_parts,
    )
    with stack, pytest.MonkeyPatch.context() as patch:
        for name, value in stack.environment.items():
            patch.setenv(name, value)
        with BlobServiceClient.from_connection_string(stack.source_storage) as source:
            publish(source, stack.source_path, {"Team": people("a@example.com", "nobody")}, datetime.now(UTC))
        made = shared.composition.app.app.__wrapped__()
        save(made)
        yield made
        made.http.close()
        made.vault._client.close()


def save(app: App) -> None:
    """Save what the requests are about, after whatever an odd request before may have saved."""
    for name in [name for name in app.registry.exports() if name != "team"]:
        assert ask(app, BY_NAME["delete_export"], {"export": name}).status == 200
    connection = ask(app, BY_NAME["put_connection"], {"connection": "main"}, body=json.dumps(CONNECTION).encode())
    assert connection.status in {200, 201}, connection.body
    export = ask(app, BY_NAME["put_export"], {"export": "team"}, body=json.dumps(EXPORT).encode())
    assert export.status in {200, 201}, export.body


def ask(
    app: App,
    route: Route,
    params: Mapping[str, str],
    *,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> Answer:
    """Ask, and check what every answer must be: 2xx, or a problem with a code and what to do."""
    headers = {"content-type": "application/json"} | dict(headers or {})
    found = answer(lambda: app, route, params=params, query=query or {}, headers=headers, body=body)
    text = found.content()
    assert b"Traceback" not in text
    assert 200 <= found.status < 500
    if found.status >= 400:
        problem = json.loads(text)
        assert problem["code"]
        assert problem["detail"]
    return found


def params_of(route: Route, values: Iterator[str]) -> dict[str, str]:
    """Fill the names in a route's path."""
    return {part[1:-1]: next(values) for part in route.path.split("/") if part.startswith("{")}


_name = (
    st.sampled_from(["team", "main", "x", "con", "--", "a" * 64, "..", "", "ä", "a b", "a/b", "a\0", "%2e"]) | st.text()
)
_header = st.text(st.characters(max_codepoint=255), max_size=30)
_headers = st.dictionaries(st.sampled_from(["content-type", "if-match", "x-odd", PRINCIPAL]), _header, max_size=2)
_query = st.dictionaries(
    st.sampled_from(["limit", "after", "detach", "repair"]),
    st.sampled_from(["", "0", "-1", "1", "1e9", "9" * 5000, "٣", "true", "TRUE", "maybe", "'", "' or 1 eq 1"])
    | st.text(),
    max_size=2,
)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_field = st.sampled_from(["Email", "FirstName", "string--x", "\ud800", "string--\0", "a" * 300, "Email "]) | st.text(
    max_size=9
)
_schedule = st.fixed_dictionaries(
    {"on": st.sampled_from(["cron", "off", "refresh"]) | _json},
    optional={"cron": st.text(st.sampled_from("0159*/,-#L ")), "time_zone": st.text(max_size=20) | _json},
)
_near_export = st.fixed_dictionaries(
    {
        "display_name": st.just("Team") | _json,
        "connection": st.sampled_from([None, "gone", "main"]) | _json,
        "mapping": st.dictionaries(_field, st.sampled_from(["Email", "FirstName"]) | _json, max_size=4) | _json,
        "segments": st.lists(st.just("Team") | _json | st.fixed_dictionaries({"segment": _json, "list": _json}))
        | _json,
    },
    optional={"schedule": _schedule | _json, "max_profiles": _json, "guards": _json, "verification": _json},
)
_near_connection = st.fixed_dictionaries(
    {"display_name": st.just("x") | _json, "agree_to_privacy": st.just(value=True) | _json},
    optional={"api_key": st.just(KEY) | _json, "secret_name": _json, "rate_limit": _json, "kind": _json},
)
_email = st.fixed_dictionaries({"email": st.text() | _json})
_body = st.binary(max_size=60) | (_json | _near_export | _near_connection | _email).map(
    lambda value: json.dumps(value).encode()
)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
@settings(max_examples=15)
@given(names=st.lists(_name, min_size=2, max_size=2), query=_query, headers=_headers, body=_body)
def test_any_request_has_an_answer(
    app: App, route: Route, names: list[str], query: dict[str, str], headers: dict[str, str], body: bytes
) -> None:
    ask(app, route, params_of(route, iter(names)), query=query, headers=headers, body=body)


@settings(max_examples=60)
@given(_near_export)
def test_any_export_is_saved_or_refused_by_field(app: App, content: dict[str, Any]) -> None:
    found = ask(app, BY_NAME["put_export"], {"export": "odd"}, body=json.dumps(content).encode())
    if found.status in {200, 201}:
        assert ask(app, BY_NAME["get_export"], {"export": "odd"}).status == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(b"[" * 200_000, "body_malformed", id="deep"),
        pytest.param(b'{"a":' * 50_000, "body_malformed", id="deep objects"),
        pytest.param(b"[" * 19 + b"[]" + b"]" * 19, "body_invalid", id="as deep as allowed"),
        pytest.param(b"9" * 10_000, "body_malformed", id="a number of 10,000 digits"),
        pytest.param(b" " * (LARGEST_BODY + 1), "body_too_large", id="large"),
        pytest.param(json.dumps(EXPORT).encode("utf-16"), "body_malformed", id="UTF-16"),
        pytest.param(b'{"\\ud800": 1}', "body_malformed", id="a lone surrogate"),
        pytest.param(b"", "body_malformed", id="nothing"),
        pytest.param(b"null", "body_invalid", id="null"),
        pytest.param(b'{"mapping": {"Email": "Email", "Email": 1}}', "body_invalid", id="a key twice"),
    ],
)
def test_a_hostile_body_is_refused_by_name(app: App, body: bytes, code: str) -> None:
    found = ask(app, BY_NAME["put_export"], {"export": "odd"}, body=body)
    assert json.loads(found.content())["code"] == code


@pytest.mark.parametrize("etag", ['"x"', "\xff", "0x1", "'", "W/", "\x7f"])
@pytest.mark.parametrize("name", ["delete_connection", "delete_export", "put_export"])
def test_an_if_match_that_is_no_etag_changes_nothing(app: App, name: str, etag: str) -> None:
    save(app)
    params = params_of(BY_NAME[name], iter(["main" if name == "delete_connection" else "team"]))
    found = ask(
        app,
        BY_NAME[name],
        params,
        query={"detach": "true"},
        headers={"if-match": etag},
        body=json.dumps(EXPORT).encode(),
    )
    assert json.loads(found.content())["code"] == "changed_meanwhile"
    assert ask(app, BY_NAME["get_connection"], {"connection": "main"}).status == 200


def principal(content: object) -> str:
    return base64.b64encode(json.dumps(content).encode()).decode()


def caller(header: str) -> Caller | NotAllowed:
    """Read a client principal; anything but a caller or a refusal is a fault of ours."""
    try:
        return caller_of({PRINCIPAL: header}, "entra")
    except NotAllowed as refusal:
        return refusal


@given(st.text() | st.binary().map(lambda data: base64.b64encode(data).decode()) | _json.map(principal))
def test_any_principal_is_a_caller_or_refused(header: str) -> None:
    assert isinstance(caller(header), NotAllowed)


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("!!!", id="no base64"),
        pytest.param("é", id="no ASCII"),
        pytest.param(base64.b64encode(b"\xff\xfe").decode(), id="no JSON"),
        pytest.param(base64.b64encode(b'{"claims":' + b"[" * 100_000).decode(), id="deep"),
        pytest.param(principal([]), id="a list"),
        pytest.param(principal({}), id="no claims"),
        pytest.param(principal({"claims": None}), id="claims null"),
        pytest.param(principal({"claims": {"typ": "roles", "val": "Exports.Admin"}}), id="claims an object"),
        pytest.param(principal({"claims": ["Exports.Admin"]}), id="a claim that is a text"),
        pytest.param(principal({"claims": [{"typ": "roles"}]}), id="a claim without a value"),
        pytest.param(principal({"claims": [{"typ": "roles", "val": "\ud800"}]}), id="a lone surrogate"),
    ],
)
def test_a_principal_that_cannot_be_read_signs_nobody_in(header: str) -> None:
    found = caller(header)
    assert isinstance(found, NotAllowed)
    assert (found.code, found.known) == ("principal_malformed", False)


_cron = st.from_regex(r"[0-9*/,#L\-]{1,12}( [0-9*/,#LW\-]{1,12}){4}", fullmatch=True) | st.text(max_size=40)


@settings(max_examples=200)
@given(_cron)
@example("0 0 30 2 *")
@example("0 0 31 2,4,6,9,11 *")
@example("0 0 29 2 1#5")
@example("*/0 * * * *")
@example("0-99999999999999999999 * * * *")
@example("1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1 * * * *")
@example("² * * * *")
def test_any_cron_expression_is_refused_or_can_be_asked_when_it_is_due(text: str) -> None:
    try:
        schedule = TypeAdapter(OnCron).validate_python({"on": "cron", "cron": text, "time_zone": "Pacific/Apia"})
    except ValidationError as error:
        assert error.errors()[0]["loc"] == ("cron",)
        return
    since = datetime(2026, 1, 1, tzinfo=UTC)
    assert is_due(schedule.cron, schedule.time_zone, since, since + timedelta(days=1)) in {True, False}


@pytest.mark.parametrize(
    "name",
    ["", "..", "../../etc/passwd", "/etc/passwd", "Europe", "Europe/Atlantis", "zone.tab", "\0", "a" * 5000, "Ü"],
)
def test_a_time_zone_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="time zone"):
        TypeAdapter(OnCron).validate_python({"on": "cron", "cron": "0 0 * * *", "time_zone": name})
