"""The OpenAPI document, generated from the routes and the types that validate their bodies."""

from __future__ import annotations

import re
from typing import Any

from pydantic.json_schema import models_json_schema

from export_trigger.http.routes import ROUTES, Route

_UNKNOWN_CALLER = {"description": "The function key or the token is missing or wrong."}
_REF = "#/components/schemas/{model}"


def document() -> dict[str, Any]:
    """Give the OpenAPI 3.1 document of the whole API."""
    bodies = list({body for route in ROUTES if (body := route.load_body())})
    _, schemas = models_json_schema([(body, "validation") for body in bodies], ref_template=_REF)
    paths: dict[str, Any] = {}
    for route in ROUTES:
        paths.setdefault(f"/api/{route.path}", {})[route.method.lower()] = _operation(route)
    paths["/api/openapi.json"] = {
        "get": {
            "operationId": "get_openapi",
            "summary": "Give this document.",
            "responses": {"200": _json("The document."), "401": _UNKNOWN_CALLER},
        }
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Segment export", "version": "1", "description": "Customer Insights segments to Autopilot."},
        "paths": paths,
        "components": {
            "schemas": {**schemas.get("$defs", {}), "Problem": _problem()},
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


def _operation(route: Route) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,62}$"},
        }
        for name in re.findall(r"{(\w+)}", route.path)
    ]
    if route.name.startswith("list_"):
        limit = {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}
        parameters.append({"name": "limit", "in": "query", "schema": limit})
        parameters.append({"name": "after", "in": "query", "schema": {"type": "string"}})
    if route.method in {"PUT", "DELETE"}:
        parameters.append({"name": "If-Match", "in": "header", "schema": {"type": "string"}})
    if route.name == "delete_connection":
        parameters.append({"name": "detach", "in": "query", "schema": {"type": "boolean", "default": False}})
    if route.name == "verify_export":
        parameters.append({"name": "repair", "in": "query", "schema": {"type": "boolean", "default": False}})
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "parameters": parameters,
        "responses": _responses(route),
    }
    if body := route.load_body():
        schema = {"$ref": _REF.format(model=body.__name__)}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return operation


def _responses(route: Route) -> dict[str, Any]:
    answers: dict[str, Any] = {str(route.status): _json(route.summary)}
    if route.status == 204:
        answers["204"] = {"description": "Done."}
    if route.name == "get_rejected":
        answers["200"] = {"description": route.summary, "content": {"text/csv": {"schema": {"type": "string"}}}}
    if route.name == "post_erasure":
        answers["202"] = _json("Not done yet: what is missing is named, and tried again by itself.")
    if route.method == "PUT":
        answers["201"] = _json("Created.")
    answers["401"] = _UNKNOWN_CALLER
    answers["default"] = {
        "description": "What is wrong and what to do.",
        "content": {"application/problem+json": {"schema": {"$ref": _REF.format(model="Problem")}}},
    }
    return answers


def _json(description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": {"type": "object"}}}}


def _problem() -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "type": "object",
        "required": ["type", "title", "status", "code", "detail"],
        "properties": {
            "type": text,
            "title": text,
            "status": {"type": "integer"},
            "code": text,
            "detail": text,
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["field", "code", "detail"],
                    "properties": {"field": text, "code": text, "detail": text},
                },
            },
        },
    }
