"""The HTTP API: one function a route, so that the portal shows each by name."""

from __future__ import annotations

import os
from collections.abc import Callable

import azure.functions as func

from export_trigger.http.route import Route
from export_trigger.http.routes import ROUTES
from shared.reasons.faults import without_texts

# App Service authentication stands in front in mode `entra`; in mode `keys` the host checks a function key.
LEVEL = func.AuthLevel.ANONYMOUS if os.environ.get("AUTH_MODE") == "entra" else func.AuthLevel.FUNCTION

PREFIX = "api"
"""Where the API is. The host puts nothing before its functions' routes (host.json), since `/` is the console's."""

ALWAYS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""On every answer: some are personal, all are of the moment, and no cache between us and the caller shall keep them, nor a
browser take them for anything else than they say."""

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]


def _function(route: Route) -> Callable[[func.HttpRequest, func.Context], func.HttpResponse]:
    @without_texts
    def handle(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        from export_trigger.http.compression import compressed
        from export_trigger.http.response import answer
        from shared.composition.app import app

        given = {name.lower(): value for name, value in req.headers.items()}
        result = answer(
            app,
            route,
            params=dict(req.route_params),
            query=dict(req.params),
            headers=given,
            body=req.get_body(),
            traceparent=context.trace_context.trace_parent,
        )
        content, how = compressed(result.content(), given.get("accept-encoding", ""))
        return func.HttpResponse(
            content,
            status_code=result.status,
            headers={**ALWAYS, **result.headers, **how},
            mimetype=result.content_type.partition(";")[0],
        )

    handle.__name__ = handle.__qualname__ = route.name
    return handle


for _route in ROUTES:
    blueprint.function_name(_route.name)(
        blueprint.route(route=f"{PREFIX}/{_route.path}", methods=[_route.method], auth_level=LEVEL)(_function(_route))
    )


@blueprint.route(route=f"{PREFIX}/openapi.json", methods=["GET"], auth_level=LEVEL)
@without_texts
def get_openapi(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - the trigger asks for it
    """Return the OpenAPI document."""
    from export_trigger.http.openapi import document_json

    return func.HttpResponse(document_json(), headers=ALWAYS, mimetype="application/json")
