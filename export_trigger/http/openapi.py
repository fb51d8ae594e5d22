"""The OpenAPI document, generated from the routes and the types of what they take and answer."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from export_trigger.http.route import Route
from export_trigger.http.routes import ROUTES
from export_trigger.http.view import ProblemView

_UNKNOWN_CALLER: Final = {"description": "The function key or the token is missing or wrong."}
_NAME: Final = {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,62}$"}
_REF: Final = "#/components/schemas/{model}"

type Kind = tuple[type[BaseModel], JsonSchemaMode]
type Schemas = Mapping[Kind, dict[str, Any]]
"""The schema of each type, as it is taken (validation) or answered (serialization)."""


@cache
def document_json() -> str:
    """Return the document as it is served; it takes 30 ms to make, and is the same for as long as the code is."""
    return json.dumps(document())


def document() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of the whole API."""
    kinds: list[Kind] = [(ProblemView, "serialization")]
    for route in ROUTES:
        kinds += [(body, "validation")] if (body := route.load_body()) else []
        kinds += [(view, "serialization")] if (view := route.load_view()) else []
    found, definitions = models_json_schema(list(dict.fromkeys(kinds)), ref_template=_REF)
    schemas: Schemas = {kind: found[kind] for kind in kinds}
    paths: dict[str, Any] = {}
    for route in ROUTES:
        paths.setdefault(f"/api/{route.path}", {})[route.method.lower()] = _operation(route, schemas)
    paths["/api/openapi.json"] = {
        "get": {
            "operationId": "get_openapi",
            "summary": "Return this document.",
            "responses": {
                "200": _content("The document.", "application/json", {"type": "object"}),
                "401": _UNKNOWN_CALLER,
            },
        }
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Segment export",
            "version": "1",
            "description": "Customer Insights segments to Autopilot or Ortto.",
        },
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "x-functions-key"},
                "entra": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "With AUTH_MODE=entra: a token of Microsoft Entra.",
                },
            },
        },
        "security": [{"key": []}, {"entra": []}],
    }


def _operation(route: Route, schemas: Schemas) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "parameters": _parameters(route),
        "responses": _responses(route, schemas),
    }
    if body := route.load_body():
        content = {"application/json": {"schema": schemas[body, "validation"]}}
        operation["requestBody"] = {"required": not route.is_body_optional, "content": content}
    return operation


def _parameters(route: Route) -> list[dict[str, Any]]:
    names = re.findall(r"{(\w+)}", route.path)
    path = [{"name": name, "in": "path", "required": True, "schema": _NAME} for name in names]
    query = [{"name": item.name, "in": "query", "schema": item.schema} for item in route.query]
    headers = [*(["If-Match"] if route.is_conditional else []), *route.headers]
    if _answers_304(route) or (route.is_conditional and route.method == "PUT"):
        headers.append("If-None-Match")
    return [*path, *query, *({"name": name, "in": "header", "schema": {"type": "string"}} for name in headers)]


def _answers_304(route: Route) -> bool:
    return route.method == "GET" and not route.is_versioned


def _responses(route: Route, schemas: Schemas) -> dict[str, Any]:
    view = route.load_view()
    schema = schemas[view, "serialization"] if view else {"type": "string"}
    answers: dict[str, Any] = {
        str(status): {"description": what} if status in {204, *route.bare} else _content(what, route.media, schema)
        for status, what in route.statuses.items()
    }
    if _answers_304(route):
        answers["304"] = {"description": "What is there is what the ETag in If-None-Match names."}
    problem = _content(
        "What is wrong and what to do.", "application/problem+json", schemas[ProblemView, "serialization"]
    )
    return {**answers, "401": _UNKNOWN_CALLER, "default": problem}


def _content(description: str, media: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {media: {"schema": schema}}}
