"""The served document describes every answer, field by field."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from export_trigger.http.openapi import document
from export_trigger.http.route import Route
from export_trigger.http.routes import ROUTES
from shared.destinations.registry import DESTINATIONS

DOCUMENT = document()
SCHEMAS = DOCUMENT["components"]["schemas"]


def operation(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][f"/api/{route.path}"][route.method.lower()]
    return found


def references(node: object) -> Iterator[str]:
    """Return the names of all schemas that a part of the document refers to."""
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"].rpartition("/")[2]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_every_reference_leads_somewhere() -> None:
    assert set(references(DOCUMENT)) <= set(SCHEMAS)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_an_answer_of_json_is_described_by_a_type_of_its_own(route: Route) -> None:
    for status, answer in operation(route)["responses"].items():
        if status in {"204", "304", "401", "default", *map(str, route.bare)} or route.media != "application/json":
            continue
        (name,) = references(answer["content"]["application/json"])
        assert SCHEMAS[name]["properties"]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_an_answer_holds_nothing_that_is_not_described(route: Route) -> None:
    view = route.load_view()
    if view is not None:
        assert SCHEMAS[view.__name__]["additionalProperties"] is False


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_what_a_call_does_names_no_kind_of_destination(route: Route) -> None:
    """It does the same with each of them."""
    assert [kind for kind in DESTINATIONS.values() if kind.title in operation(route)["summary"]] == []


def test_a_list_takes_a_page_and_a_change_takes_an_etag() -> None:
    names = {route.name: [item["name"] for item in operation(route)["parameters"]] for route in ROUTES}
    assert names["list_runs"] == ["export", "limit", "after", "If-None-Match"]
    assert names["delete_connection"] == ["connection", "detach", "If-Match"]
    assert names["start_run"] == ["export"]


def test_the_headers_that_a_call_heeds_are_described() -> None:
    """The two that answer with the version of a stored document are sent in full each time."""
    headers = {
        route.name: {item["name"] for item in operation(route)["parameters"] if item["in"] == "header"}
        for route in ROUTES
    }
    assert headers["put_export"] == headers["put_connection"] == {"If-Match", "If-None-Match"}
    assert headers["preview_export"] == {"If-None-Match", "Prefer"}
    for route in (route for route in ROUTES if route.method == "GET"):
        is_full = route.name in {"get_export", "get_connection"}
        assert headers[route.name] == (set() if is_full else {"If-None-Match"})
        assert ("304" in operation(route)["responses"]) is not is_full


def test_a_preview_takes_settings_that_are_not_saved_or_none() -> None:
    required = {route.name: operation(route)["requestBody"]["required"] for route in ROUTES if route.body}
    assert required == {name: name != "preview_export" for name in required}
    (name,) = references(operation(next(route for route in ROUTES if route.name == "preview_export"))["requestBody"])
    assert name == "ExportSettings"
