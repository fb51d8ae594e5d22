"""HTTP triggers, with the host's routes and authorisation levels."""

from __future__ import annotations

import hmac
import logging
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from local.host import runtime
from local.host.runtime import Function, InvocationFailed

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

log = logging.getLogger(__name__)


class HttpTriggers:
    """A WSGI app that serves the app's HTTP functions."""

    def __init__(self, functions: Sequence[Function], prefix: str, key: str) -> None:
        self._key = key
        self._routes = Map([_rule(function, prefix) for function in functions], merge_slashes=False)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        try:
            function, params = self._routes.bind_to_environ(environ).match()
        except NotFound:
            return Response(status=404)(environ, start_response)
        except HTTPException as error:
            return error.get_response(environ)(environ, start_response)
        if not self._admits(function, request):
            return Response(status=401)(environ, start_response)
        return _answer(function, request, params)(environ, start_response)

    def _admits(self, function: Function, request: Request) -> bool:
        if str(function.trigger.get("authLevel", "function")).lower() == "anonymous":
            return True
        given = request.headers.get("x-functions-key") or request.args.get("code") or ""
        return hmac.compare_digest(given.encode(), self._key.encode())


def _rule(function: Function, prefix: str) -> Rule:
    """Write a function's route as werkzeug does: `{name}` and `{name:constraint}` become `<name>`."""
    route = re.sub(r"{(\w+)[^}]*}", r"<\1>", function.trigger.get("route") or function.name)
    methods = [str(method).upper() for method in function.trigger.get("methods") or ("GET", "POST")]
    parts = [part for part in (prefix.strip("/"), route.strip("/")) if part]
    return Rule("/" + "/".join(parts), methods=methods, endpoint=function)


def _answer(function: Function, request: Request, params: Mapping[str, str]) -> Response:
    data = runtime.http(
        request.method,
        request.url,
        dict(request.headers.items()),
        request.args.to_dict(),
        params,
        request.get_data(),
    )
    try:
        result = runtime.invoke(function, data, traceparent=request.headers.get("traceparent", ""))
    except InvocationFailed:
        log.exception("%s failed", function.name)
        return Response(status=500)
    if result is None:
        return Response(status=204)
    value: dict[str, Any] = result.value
    headers = {name: header.value for name, header in value["headers"].items()}
    body = value["body"].value if value["body"] is not None else b""
    return Response(body, status=int(value["status_code"].value), headers=headers)


def function_key() -> str:
    """Return the key that functions of level `function` and `admin` ask for."""
    return os.environ.get("LOCAL_FUNCTION_KEY", "local")
