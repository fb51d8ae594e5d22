"""The console: its page at the app's root, and the files that the page names.

Anybody may read them, since they hold nothing but code: what they show comes from the API, which asks who calls.
"""

from __future__ import annotations

import azure.functions as func

from shared.reasons.faults import without_texts

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]


@blueprint.route(route="/", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@without_texts
def get_console(req: func.HttpRequest) -> func.HttpResponse:
    """Return the page."""
    return _answer("index.html", req)


@blueprint.route(route="console/{file}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@without_texts
def get_console_file(req: func.HttpRequest) -> func.HttpResponse:
    """Return one of the page's files, or the page by its own name."""
    return _answer(req.route_params["file"], req)


def _answer(name: str, req: func.HttpRequest) -> func.HttpResponse:
    from export_trigger.http.console import serve

    given = {header.lower(): value for header, value in req.headers.items()}
    served = serve(name, req.params.get("v", ""), given)
    return func.HttpResponse(
        served.body, status_code=served.status, headers=dict(served.headers), mimetype=served.media, charset="utf-8"
    )
